import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { FLAGS } from '../../src/cli/flags.js';
import { parseCorefile } from '../../src/corefile/index.js';
import { loadTopology } from '../../src/lab/topology/load.js';
import { parseFlags } from '../../src/lib/go-flags.js';
import { parseNodeCacheFlags } from '../../src/nodelocal/flags.js';
import { networkPlan } from '../../src/nodelocal/plan.js';
import { VERSION } from '../../src/lib/package-folder.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

interface Service {
  image?: string;
  pull_policy?: string;
  healthcheck?: { test: string };
  build?: { dockerfile: string; args: Record<string, string> };
  profiles: string[];
  command?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  cap_add?: string[];
  cap_drop?: string[];
  read_only?: boolean;
  network_mode?: string;
  networks?: { wire: { ipv4_address: string } };
}

const { services } = parse(
  // What stands there where the environment says nothing.
  read('docker-compose.yml').replaceAll('${NODENS_NET:-172.20}', '172.20'),
  { merge: true },
) as { services: Record<string, Service> };
const own = Object.entries(services).filter(([, { image }]) => image?.startsWith('nodens-'));
const builder = services.resolver!;
const address = (name: string): string | undefined => services[name]!.networks?.wire.ipv4_address;
const PROFILES = ['cluster', 'node-local', 'redirect'];
const topology = loadTopology('two-nodes');

/** The Corefile of a ConfigMap, as a manifest of deploy/ has it. */
function corefileOf(manifest: string): string {
  const objects = parseAllDocuments(read(manifest)).map(
    (document) => document.toJS() as { kind: string; data?: { Corefile?: string } },
  );
  return objects.find(({ kind, data }) => kind === 'ConfigMap' && data?.Corefile !== undefined)!.data!.Corefile!;
}

describe('docker-compose.yml', () => {
  it('has the cluster in all profiles, and each kind of node cache in its own', () => {
    const kinds = Object.entries(services).map(
      ([name, { profiles }]) => [name.replace(/-(ctr|w1)$/, ''), profiles] as const,
    );
    const extra = kinds.filter(([, profiles]) => profiles.join() !== PROFILES.join());
    expect(extra).toEqual([
      ['node-cache', ['node-local']],
      ['node-cache', ['node-local']],
      ['node-local-dns', ['redirect']],
      ['node-local-dns', ['redirect']],
      ['redirect', ['redirect']],
      ['redirect', ['redirect']],
    ]);
  });

  it('names in its head the profiles that it has', () => {
    expect(
      [...read('docker-compose.yml').matchAll(/docker compose --profile ([\w-]+) up/g)].map(([, name]) => name),
    ).toEqual(PROFILES);
  });

  it.each(['README.md', 'deploy/README.md'])('has the profiles and services that %s tells of', (page) => {
    const commands = [...read(page).matchAll(/docker[ -]compose (?:--profile (\S+) )?(\w+)([^`\n]*)/g)];
    if (page.startsWith('deploy/')) expect(commands.length).toBeGreaterThan(7);
    for (const [command, profile, verb, words = ''] of commands) {
      if (profile !== undefined) expect(PROFILES, command).toContain(profile);
      const named =
        verb === 'exec' ? words.trim().split(' ').slice(0, 1) : verb === 'logs' ? words.trim().split(' ') : [];
      expect(
        named.filter((name) => !Object.hasOwn(services, name)),
        command,
      ).toEqual([]);
    }
  });

  it("runs one image of this version in all roles but the watchers'", () => {
    expect([...new Set(own.map(([, { image }]) => image))]).toEqual([`nodens-compose:${VERSION}`]);
    const ours = new Set(own.map(([name]) => name));
    expect(Object.keys(services).filter((name) => !ours.has(name))).toEqual(['prometheus', 'grafana']);
  });

  it('has one service that builds the image, which nobody else fetches or builds', () => {
    expect(own.filter(([, { build }]) => build).map(([name]) => name)).toEqual(['resolver']);
    const others = own.filter(([name]) => name !== 'resolver');
    expect(others.filter(([, { pull_policy: policy }]) => policy !== 'never').map(([name]) => name)).toEqual([]);
    expect(builder.profiles).toEqual(PROFILES);
  });

  it('says of each server and each pod to ask from whether DNS is answered there', () => {
    const checked = Object.keys(services).filter((name) => services[name]!.healthcheck);
    const asked = /^(coredns|node-cache|node-local-dns|curl-pod)/;
    expect(checked).toEqual(Object.keys(services).filter((name) => asked.test(name)));
  });

  it('can be moved to another network: no address of it stands by itself', () => {
    const [, moved = ''] = read('docker-compose.yml').split('\nservices:\n');
    expect(moved.replaceAll('${NODENS_NET:-172.20}', '')).not.toContain('172.20');
    expect(read('deploy/compose/node.sh')).toContain('s/172[.]20[.]/$NET./g');
  });

  it('builds it as the Dockerfile does by itself, where nothing else is said', () => {
    const { dockerfile, args } = builder.build!;
    const defaults = Object.fromEntries(
      [...read(dockerfile).matchAll(/^ARG (\w+)(?:=(.*))?$/gm)].map(([, name, value]) => [name, value]),
    );
    expect(Object.keys(args).sort()).toEqual(Object.keys(defaults).sort());
    for (const name of ['BUILD_IMAGE', 'BASE_IMAGE']) expect(args[name]).toBe(`\${NODENS_${name}:-${defaults[name]}}`);
  });

  it('mounts what is there, and nothing to write to', () => {
    const mounts = Object.values(services).flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')));
    expect(mounts.length).toBeGreaterThan(20);
    expect(mounts.filter(([source = '', , mode]) => mode !== 'ro' || !existsSync(path.join(ROOT, source)))).toEqual([]);
  });

  it('publishes few ports, on the loopback interface, that can be changed', () => {
    expect(Object.values(services).flatMap(({ ports = [] }) => ports)).toEqual([
      '127.0.0.1:${NODENS_PROMETHEUS_PORT:-9090}:9090',
      '127.0.0.1:${NODENS_GRAFANA_PORT:-3000}:3000',
    ]);
  });

  it('gives each container an address of its own', () => {
    const all = Object.keys(services).flatMap((name) => address(name) ?? []);
    expect(new Set(all).size).toBe(all.length);
    expect(
      Object.entries(services).filter(
        ([name, { network_mode: mode }]) => (address(name) === undefined) === (mode === undefined),
      ),
    ).toEqual([]);
  });

  it('has the addresses of lab/two-nodes.yaml', () => {
    const pins = topology.podPins.filter(({ name }) => name === 'curl-pod' || name.startsWith('coredns-'));
    expect(Object.fromEntries(pins.map(({ name, ip }) => [name.replace(/-\w+bbfcf/, ''), ip]))).toEqual(
      Object.fromEntries(['curl-pod', 'coredns-vvgfm', 'coredns-gbnm8'].map((name) => [name, address(name)])),
    );
    for (const { name, interfaces } of topology.nodes) {
      expect(interfaces.flatMap(({ addresses }) => addresses)).toContain(`${services[name]!.environment!.LAN}/24`);
    }
  });

  it('hands each program arguments that it takes', () => {
    for (const [name, { command }] of own) {
      if (!command) continue;
      if (command[0] === 'node-cache')
        expect(parseNodeCacheFlags(command.slice(1)).localIps, name).toEqual(['169.254.20.10', '10.96.0.10']);
      else
        expect(existsSync(path.join(ROOT, parseFlags(command, FLAGS).values.conf!.replace('/nodens/', ''))), name).toBe(
          true,
        );
    }
  });

  it.each([
    { name: 'node-cache-ctr', template: 'node-local', manifest: 'deploy/node-local-dns.yaml' },
    { name: 'node-local-dns-ctr', template: 'redirect', manifest: 'deploy/node-local-dns-lrp.yaml' },
  ])('runs $name as $manifest does, with a log', ({ name, template, manifest }) => {
    expect(read(`deploy/compose/${template}/Corefile.base`).replaceAll('    log\n', '')).toBe(corefileOf(manifest));
    expect(read(`deploy/compose/${template}/Corefile.base`).match(/:53 \{\n {4}log\n/g)).toHaveLength(4);
    const manifestText = read(manifest);
    const { command, read_only: readOnly, environment } = services[name]!;
    const plan = networkPlan(parseNodeCacheFlags(command!.slice(1)));
    expect([plan.link?.name, plan.rules.length]).toEqual(
      template === 'node-local' ? ['nodelocaldns', 24] : [undefined, 0],
    );
    expect([readOnly, manifestText.includes('readOnlyRootFilesystem: true')]).toEqual([true, true]);
    expect(environment!.KUBE_DNS_UPSTREAM_SERVICE_HOST).toBe(
      topology.servicePins.find((service) => service.name === 'kube-dns-upstream')!.clusterIP,
    );
  });

  it('gives the node cache on the node no more rights than its manifest', () => {
    expect([services['node-cache-ctr']!.cap_drop, services['node-cache-ctr']!.cap_add]).toEqual([
      ['ALL'],
      ['NET_ADMIN', 'NET_BIND_SERVICE'],
    ]);
    expect(read('deploy/node-local-dns.yaml')).toContain('add: [NET_ADMIN, NET_BIND_SERVICE]');
  });
});

describe('deploy/compose', () => {
  it('translates the services of the cluster DNS and webpod to their pods', () => {
    const rules = read('deploy/compose/services.nft');
    for (const pod of ['coredns-vvgfm', 'coredns-gbnm8', 'webpod-7p8bn', 'webpod-r4dmh'])
      expect(rules).toContain(`: ${address(pod)}`);
    expect(rules.match(/ip daddr \{ 10\.96\.0\.10, 10\.96\.31\.170 \} (udp|tcp) dport 53/g)).toHaveLength(2);
  });

  it('scrapes every server there may be, by its name in the network', () => {
    const { scrape_configs: jobs } = parse(read('deploy/compose/prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[]; labels: { pod: string; node?: string } }[] }[];
    };
    const targets = jobs.flatMap(({ static_configs: statics }) =>
      statics.map(({ targets: [at], labels }) => [labels.pod, at] as const),
    );
    const port = (name: string): number => (/^(coredns|resolver)/.test(name) ? 9153 : 9253);
    const servers = Object.keys(services).filter((name) => /^(coredns|resolver|node-cache|node-local-dns)/.test(name));
    const where = (name: string): string => services[name]!.network_mode?.replace('service:', '') ?? name;
    expect(Object.fromEntries(targets)).toEqual(
      Object.fromEntries(servers.map((name) => [name, `${where(name)}:${port(name)}`])),
    );
    expect(targets).toHaveLength(servers.length);
  });

  it('has a dashboard of whole panels from the data source that is provisioned', () => {
    const {
      datasources: [source],
    } = parse(read('deploy/compose/grafana/provisioning/datasources/prometheus.yml')) as {
      datasources: [{ uid: string; url: string }];
    };
    expect(source.url).toBe('http://prometheus:9090');
    const { panels } = JSON.parse(read('deploy/compose/grafana/dashboards/dns.json')) as {
      panels: {
        id: number;
        title: string;
        description: string;
        datasource: { uid: string };
        targets: { expr: string; datasource: { uid: string } }[];
      }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.map(({ title }) => title)).toEqual(
      expect.arrayContaining(['Cache hit ratio', 'Latency, 99 of 100', 'What a query costs']),
    );
    for (const { title, description, datasource, targets } of panels) {
      expect([title !== '', description !== '', targets.length > 0], title).toEqual([true, true, true]);
      expect(
        [datasource.uid, ...targets.map((target) => target.datasource.uid)].filter((uid) => uid !== source.uid),
        title,
      ).toEqual([]);
    }
  });

  it('has a Corefile of the resolver that can be read', () => {
    const { blocks } = parseCorefile(
      { name: 'resolver.Corefile', text: read('deploy/compose/resolver.Corefile') },
      { env: {}, cwd: '/', readFile: () => '', glob: () => [] },
    );
    expect(blocks[0]!.directives.map(({ name }) => name)).toEqual(['bind', 'errors', 'log', 'prometheus', 'forward']);
  });
});
