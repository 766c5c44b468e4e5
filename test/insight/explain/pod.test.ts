import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podDns, type ClusterDns, type ReadApi } from '../../../src/insight/explain/pod-dns.js';
import { explainForPod, podText } from '../../../src/insight/explain/pod-lookup.js';
import { liveText } from '../../../src/insight/explain/live.js';
import { explainAt } from '../../../src/insight/explain/route.js';
import { realClock } from '../../../src/lib/clock.js';
import { seededRandom } from '../../../src/lib/random.js';
import { Server } from '../../../src/server/server.js';
import { Flag, decodeMessage, typeFromName } from '../../../src/wire/index.js';
import { POD_API } from './pod-api.js';

const reading =
  (objects: Readonly<Record<string, unknown>>): ReadApi =>
  (path) =>
    Promise.resolve(objects[path]);
const NOTHING: ClusterDns = { servers: [], domain: undefined };

describe('the DNS of a pod', () => {
  const without = (...paths: string[]): Record<string, unknown> =>
    Object.fromEntries(Object.entries(POD_API).filter(([path]) => !paths.includes(path)));
  const CONFIGZ = '/api/v1/nodes/node-1/proxy/configz';

  it('is what its kubelet writes, with the redirects of its node', async () => {
    const dns = await podDns(reading(POD_API), 'shop', 'web', NOTHING);
    expect(dns).toMatchObject({ ip: '10.1.2.3', node: 'node-1' });
    expect(dns.resolvConf).toMatchObject({
      servers: ['10.96.0.10'],
      searches: ['shop.svc.corp.local', 'svc.corp.local', 'corp.local'],
      options: ['ndots:2'],
    });
    expect(dns.redirects).toEqual([
      '10.96.0.10: policy kube-system/nodelocaldns redirects to kube-system/dns-1 (10.1.2.9)',
    ]);
    expect(dns.assumed).toEqual(['the host’s own resolv.conf is not known: nothing of it is taken']);
  });

  it('is taken from the service where the kubelet may not be asked, and says so', async () => {
    const dns = await podDns(reading(without(CONFIGZ)), 'shop', 'web', NOTHING);
    expect(dns.resolvConf).toMatchObject({
      servers: ['10.96.0.10'],
      searches: expect.arrayContaining(['cluster.local']) as string[],
    });
    expect(dns.assumed.slice(0, 2)).toEqual([
      'the kubelet’s clusterDomain may not be read: cluster.local',
      'the kubelet’s clusterDNS may not be read: 10.96.0.10 of kube-system/kube-dns',
    ]);
  });

  it('is what is said on the command line, before all else', async () => {
    const dns = await podDns(reading(POD_API), 'shop', 'web', { servers: ['169.254.20.10'], domain: 'other.local' });
    expect(dns.resolvConf.servers).toEqual(['169.254.20.10']);
    expect(dns.resolvConf.searches).toContain('other.local');
    expect(dns.redirects).toEqual([]);
  });

  it('tells why a policy does not apply', async () => {
    const dns = await podDns(reading({ ...POD_API, '/api/v1/pods': { items: [] } }), 'shop', 'web', NOTHING);
    expect(dns.redirects).toEqual([
      '10.96.0.10: policy kube-system/nodelocaldns does not apply on node-1: no local pod is selected',
    ]);
  });

  const POLICIES = '/apis/cilium.io/v2/ciliumlocalredirectpolicies';
  it.each([
    { ip: '10.96.0.10', want: ['10.96.0.10: policy kube-system/by-address redirects to kube-system/dns-1 (10.1.2.9)'] },
    { ip: '10.96.0.11', want: [] },
  ])('is redirected by a policy for its nameserver’s address: $ip', async ({ ip, want }) => {
    const toPorts = [
      { port: '53', name: 'dns', protocol: 'UDP' },
      { port: '53', name: 'dns-tcp', protocol: 'TCP' },
    ];
    const policy = {
      metadata: { namespace: 'kube-system', name: 'by-address' },
      spec: {
        redirectFrontend: { addressMatcher: { ip, toPorts } },
        redirectBackend: { localEndpointSelector: { matchLabels: { 'k8s-app': 'node-local-dns' } }, toPorts },
      },
    };
    const dns = await podDns(reading({ ...POD_API, [POLICIES]: { items: [policy] } }), 'shop', 'web', NOTHING);
    expect(dns.redirects).toEqual(want);
  });

  it('is not to be had for a pod that is not there', () =>
    expect(podDns(reading({}), 'shop', 'web', NOTHING)).rejects.toThrow('-pod: there is no pod shop/web'));
});

describe('a lookup of a pod', () => {
  let server: Server;
  beforeAll(async () => {
    server = await Server.create({
      corefile:
        'corp.local {\n hosts {\n 10.96.5.5 api.shop.svc.corp.local\n }\n}\n. {\n hosts {\n 192.0.2.1 www.example.org\n }\n}\n',
    });
  });
  afterAll(() => server.stop());

  it('shows the plugins that had a part in it, and counts the others', async () => {
    const explanation = await explainAt(server, {
      name: 'api.shop.svc.corp.local.',
      type: 1,
      client: '192.0.2.7',
      transport: 'tcp',
    });
    const text = liveText(explanation);
    expect(text).toMatch(/^api\.shop\.svc\.corp\.local\. A as 192\.0\.2\.7 by TCP at [^\n]*: block corp\.local\. /);
    expect(text).toMatch(/\n {2}hosts {2}/);
    expect(text).not.toContain('that had no part in it');
  });

  it('is put to the server with an OPT record, as extended errors are told to no others', async () => {
    const { message } = await explainAt(server, { name: 'www.example.org.', type: 1, client: '::1', transport: 'udp' });
    const told = decodeMessage(Buffer.from(message!, 'base64'));
    expect([told.rcode, told.edns, told.flags & Flag.RD]).toEqual([
      0,
      { udpSize: 1232, version: 0, do: false, options: [] },
      Flag.RD,
    ]);
  });

  it.each([
    {
      asked: 'api.shop',
      steps: [
        'api.shop.shop.svc.corp.local.: search shop.svc.corp.local',
        'api.shop.svc.corp.local.: search svc.corp.local',
      ],
      outcome: 'api.shop.svc.corp.local has 10.96.5.5',
      // A block without another plugin says SERVFAIL for what is not in its hosts, and glibc asks once more.
      queries: 6,
    },
    {
      asked: 'www.example.org',
      steps: ['www.example.org.: the name as it stands'],
      outcome: 'www.example.org has 192.0.2.1',
      queries: 2,
    },
  ])('$asked: what each step costs', async ({ asked, steps, outcome, queries }) => {
    const pod = await podDns(reading(POD_API), 'shop', 'web', NOTHING);
    const explanation = await explainForPod(
      pod,
      asked,
      'glibc',
      (name, type) => explainAt(server, { name, type: typeFromName(type)!, client: pod.ip, transport: 'udp' }),
      { clock: realClock, random: seededRandom(1) },
    );
    expect(explanation.steps.map(({ name, why }) => `${name}: ${why}`)).toEqual(steps);
    expect(explanation).toMatchObject({ outcome, found: true, cost: { queries } });
    expect(
      explanation.steps
        .at(-1)!
        .queries.map(({ type, result }) => `${type} ${result}`)
        .sort(),
    ).toEqual(['A NOERROR', 'AAAA NODATA']);
    const text = podText(explanation);
    for (const [i, step] of explanation.steps.entries())
      expect(text).toContain(`\n${i + 1}. ${step.name}  (${step.why})\n`);
    expect(text).toContain('shop/web (10.1.2.3 on node-1) looks up');
    expect(text).toContain(`cost: ${queries} queries, ${2 * queries} packets`);
  });
});
