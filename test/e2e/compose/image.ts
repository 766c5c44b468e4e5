import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { VERSION } from '../../../src/lib/package-folder.js';
import type { Engine } from './engine.js';
import { run } from './run.js';

/** Most that the image takes unpacked, in bytes. */
const MOST = 130e6;
const IMAGE = 'localhost/nodens-test:image';
const NOBODY = ['--user=65534:65534', '--read-only'];
const COREFILE = `.:53 {
    hosts {
        192.0.2.7 www.example.test
    }
}
`;
const ASK = `
  const resolver = new (require('node:dns').promises.Resolver)();
  resolver.setServers(['127.0.0.1']);
  resolver.resolve4('www.example.test').then((found) => console.log(found.join()), (error) => console.log(error.code));`;
/** Arguments of the addon's DaemonSet. */
const NODE_CACHE = ['-localip', '169.254.20.10,10.96.0.10', '-conf', '/etc/Corefile', '-upstreamsvc', 'kube-dns'];

/** Tests of the image that is for clusters, in an engine that has started. */
export function testImage(engine: Engine): void {
  const containers: string[] = [];
  let dir: string;

  const client = (...args: string[]): Promise<string> => run([...engine.client, ...args], { timeout: 60_000 });
  /** What a container prints that ends by itself. */
  const once = (options: string[], ...command: string[]): Promise<string> =>
    client('run', '--rm', '--network=none', ...engine.runOptions, ...options, IMAGE, ...command);
  /** Starts a container; resolves with its name when it serves. */
  const serving = async (options: string[], ...command: string[]): Promise<string> => {
    const name = `nodens-test-${process.pid}-${containers.length}`;
    containers.push(name);
    const alone = ['--network=none', `--name=${name}`, `--volume=${dir}:/etc/coredns:ro`, ...engine.runOptions];
    await client('run', '--detach', ...alone, ...options, IMAGE, ...command);
    await expect
      .poll(() => logsOf(name), { timeout: 20_000, interval: 200 })
      .toMatch(new RegExp(`^nodens-${VERSION}$`, 'm'));
    return name;
  };
  const logsOf = (name: string): Promise<string> =>
    run(['sh', '-c', '"$@" 2>&1', 'sh', ...engine.client, 'logs', name], { timeout: 60_000 });
  const node = (name: string, program: string): Promise<string> =>
    client('exec', name, '/usr/local/bin/node', '-e', program);

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-image-'));
    // Nobody reads what is in it.
    chmodSync(dir, 0o755);
    writeFileSync(path.join(dir, 'Corefile'), COREFILE);
    writeFileSync(path.join(dir, 'Corefile.base'), COREFILE.replace('{\n', '{\n    bind __PILLAR__LOCAL__DNS__\n'));
    await engine.makeImage(IMAGE);
  });

  afterEach(async () => {
    for (const name of containers.splice(0)) await client('rm', '--force', name).catch(() => undefined);
  });

  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it(`takes at most ${MOST / 1e6} MB`, async () => {
    const size = Number(await client('image', 'inspect', '--format', '{{.Size}}', IMAGE));
    console.log(`image: ${(size / 1e6).toFixed(1)} MB unpacked`);
    expect(size).toBeGreaterThan(MOST / 2);
    expect(size).toBeLessThanOrEqual(MOST);
  });

  it('binds port 53 as nobody, with the one right that CoreDNS has in its Deployment', async () => {
    const name = await serving(
      [
        ...NOBODY,
        '--cap-drop=ALL',
        '--cap-add=NET_BIND_SERVICE',
        '--security-opt=no-new-privileges',
        '--sysctl=net.ipv4.ip_unprivileged_port_start=1024',
      ],
      '-conf',
      '/etc/coredns/Corefile',
    );
    expect(await node(name, ASK)).toBe('192.0.2.7\n');
    const status = await node(name, `console.log(require('node:fs').readFileSync('/proc/1/status', 'utf8'))`);
    expect(status).toMatch(/^Uid:\t65534\t/m);
    expect(status).toMatch(/^CapEff:\t0{13}400$/m);
    // Without a thread that takes datagrams in another way.
    expect(await logsOf(name)).not.toContain('datagrams are taken as with -io dgram');
  });

  it('starts as nobody where the container has no rights at all', async () => {
    const none = [...NOBODY, '--cap-drop=ALL', '--security-opt=no-new-privileges'];
    expect(await once(none, '-version')).toContain(`nodens-${VERSION}`);
    const unprivileged = [...none, '--sysctl=net.ipv4.ip_unprivileged_port_start=0'];
    const name = await serving(unprivileged, '-conf', '/etc/coredns/Corefile');
    expect(await node(name, ASK)).toBe('192.0.2.7\n');
  });

  it('says what is missing where it may not take port 53', async () => {
    const none = [...NOBODY, '--cap-drop=ALL', '--sysctl=net.ipv4.ip_unprivileged_port_start=1024'];
    await expect(once([...none, `--volume=${dir}:/etc/coredns:ro`], '-conf', '/etc/coredns/Corefile')).rejects.toThrow(
      'ports below 1024 need root or CAP_NET_BIND_SERVICE',
    );
  });

  it.each([
    { name: '/coredns', args: ['-plugins'] },
    { name: '/node-cache', args: ['-plugins'] },
    { name: '/node-cache', args: ['-version'] },
  ])('answers to $name $args', async ({ name, args }) =>
    expect(await once([`--entrypoint=${name}`], ...args)).toMatch(
      args[0] === '-version' ? /^nodens-/m : /^kubernetes$/m,
    ),
  );

  it.each([
    { mode: 'nft', more: [] },
    { mode: 'legacy', more: ['--cap-add=NET_RAW'] },
  ])('sets link and rules as node-cache, by iptables-$mode', async ({ mode, more }) => {
    const name = await serving(
      ['--cap-drop=ALL', '--cap-add=NET_ADMIN', '--cap-add=NET_BIND_SERVICE', ...more],
      ...NODE_CACHE,
      '-iptables-mode',
      mode,
    );
    const rules = async (): Promise<number> =>
      (await client('exec', name, `iptables-${mode}-save`)).split('\n').filter((line) => line.includes('NodeLocal'))
        .length;
    await expect.poll(rules, { timeout: 20_000, interval: 200 }).toBe(24);
    expect(await client('exec', name, 'ip', '-br', 'addr', 'show', 'nodelocaldns')).toContain('169.254.20.10/32');
    expect(await node(name, ASK.replace('127.0.0.1', '169.254.20.10'))).toBe('192.0.2.7\n');
    expect(await logsOf(name)).not.toContain('[ERROR]');
  });

  it('says what it is made of, and has no shell and no package manager', async () => {
    const list = `console.log(JSON.stringify([
      JSON.parse(fs.readFileSync('/nodens/sbom.cdx.json')), fs.readdirSync('/var/lib/dpkg/status.d'),
      ['/bin/sh', '/usr/bin/apt', '/usr/bin/dpkg', '/usr/bin/env', '/var/lib/apt', '/usr/local/bin/npm'].filter(fs.existsSync)]))`;
    const [sbom, packages, found] = JSON.parse(await once(['--entrypoint=/usr/local/bin/node'], '-e', list)) as [
      { bomFormat: string; components: { name: string; version: string; purl: string }[] },
      string[],
      string[],
    ];
    expect([sbom.bomFormat, found]).toEqual(['CycloneDX', []]);
    const names = sbom.components.map(({ name }) => name);
    for (const name of ['node', 'libc6', 'iptables', 'nftables', 'iproute2', 'koffi', 'prom-client'])
      expect(names).toContain(name);
    expect(sbom.components.filter(({ purl }) => purl.startsWith('pkg:deb/')).map(({ name }) => name)).toEqual(packages);
    expect(sbom.components.filter(({ version }) => !/^\d/.test(version))).toEqual([]);
  });
}
