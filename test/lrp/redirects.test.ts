import { describe, expect, it } from 'vitest';
import type { World } from '../../src/datapath/world.js';
import { parsePolicy } from '../../src/lrp/parse.js';
import type { LocalRedirectPolicy } from '../../src/lrp/policy.js';
import { LocalRedirects } from '../../src/lrp/redirects.js';
import type { LrpOptions } from '../../src/lrp/redirects.js';
import { dnsLab, echo, story } from '../datapath/lab.js';

const toPorts = [
  { port: '53', protocol: 'UDP', name: 'dns' },
  { port: '53', protocol: 'TCP', name: 'dns-tcp' },
];
const policy = (name = 'nodelocaldns', spec: object = {}): LocalRedirectPolicy =>
  parsePolicy({
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumLocalRedirectPolicy',
    metadata: { name, namespace: 'kube-system' },
    spec: {
      redirectFrontend: { serviceMatcher: { serviceName: 'kube-dns', namespace: 'kube-system' } },
      redirectBackend: { localEndpointSelector: { matchLabels: { 'k8s-app': 'node-local-dns' } }, toPorts },
      ...spec,
    },
  });
const addressPolicy = (ip: string, name = 'address'): LocalRedirectPolicy =>
  policy(name, { redirectFrontend: { addressMatcher: { ip, toPorts } } });

const cachePod = {
  namespace: 'kube-system',
  name: 'node-local-dns-x',
  node: 'k8s-ctr',
  labels: { 'k8s-app': 'node-local-dns' },
  ip: '172.20.1.50',
};
const ports = [
  { name: 'dns', port: 53, protocol: 'UDP' as const },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' as const },
];

function redirectLab(options: LrpOptions = {}) {
  const made = dnsLab();
  made.world.addPod({ ...cachePod, ports });
  const redirects = new LocalRedirects(made.world, options);
  return { ...made, redirects };
}

/** The translations of a node in the manner of `cilium-dbg service list`. */
const table = (world: World, node = 'k8s-ctr'): string[] =>
  [...ports, { port: 9153, protocol: 'TCP' as const }].map(({ port, protocol }) => {
    const frontend = world.node(node).frontend('10.96.0.10', port, protocol)!;
    return (
      `${frontend.id} ${frontend.ip}:${port}/${protocol} ${frontend.type} ` +
      `${frontend.backends.map((b) => `${b.ip}:${b.port}`).join(' ')}`
    );
  });
const asBefore = [
  '1 10.96.0.10:53/UDP ClusterIP 172.20.1.144:53',
  '2 10.96.0.10:53/TCP ClusterIP 172.20.1.144:53',
  '3 10.96.0.10:9153/TCP ClusterIP 172.20.1.144:9153',
];
const redirected = [
  '1 10.96.0.10:53/UDP LocalRedirect 172.20.1.50:53',
  '2 10.96.0.10:53/TCP LocalRedirect 172.20.1.50:53',
  '3 10.96.0.10:9153/TCP ClusterIP 172.20.1.144:9153',
];

describe('LocalRedirects', () => {
  it('redirects named ports on the node of the backend only, under the numbers of the service', () => {
    const { world, redirects } = redirectLab();
    redirects.apply(policy());
    expect(table(world)).toEqual(redirected);
    expect(table(world, 'k8s-w1')).toEqual(asBefore);
  });

  it('tells each port and why the metrics port is left', () => {
    const { redirects } = redirectLab();
    redirects.apply(policy());
    const [status] = redirects.status('k8s-ctr');
    expect(status).toMatchObject({
      namespace: 'kube-system',
      name: 'nodelocaldns',
      frontendType: 'clusterIP + all svc ports',
      service: 'kube-system/kube-dns',
    });
    expect(
      status?.frontends.map((f) => `${f.port}/${f.protocol} ${f.reason ?? f.backends.map((b) => b.pod).join()}`),
    ).toEqual([
      '53/UDP kube-system/node-local-dns-x',
      '53/TCP kube-system/node-local-dns-x',
      '9153/TCP no backend port named metrics',
    ]);
  });

  it.each([
    { name: 'deletion', act: (l: ReturnType<typeof redirectLab>) => l.redirects.remove('kube-system', 'nodelocaldns') },
    {
      name: 'a backend that is not ready',
      act: (l: ReturnType<typeof redirectLab>) => l.world.setPodReady('kube-system', 'node-local-dns-x', false),
    },
    {
      name: 'a backend that is deleted',
      act: (l: ReturnType<typeof redirectLab>) => l.world.removePod('kube-system', 'node-local-dns-x'),
    },
  ])('restores the service upon $name', ({ act }) => {
    const made = redirectLab();
    made.redirects.apply(policy());
    act(made);
    expect(table(made.world)).toEqual(asBefore);
    expect(made.world.node('k8s-ctr').redirects.size).toBe(0);
  });

  it('takes a backend that comes later', () => {
    const { world } = dnsLab();
    const redirects = new LocalRedirects(world);
    redirects.apply(policy());
    expect(table(world)).toEqual(asBefore);
    world.addPod({ ...cachePod, ports });
    expect(table(world)).toEqual(redirected);
  });

  it('keeps a redirect to nowhere where asked to do as 1.18.0 did', () => {
    const { world, redirects } = redirectLab({ withoutBackends: 'empty' });
    world.setPodReady('kube-system', 'node-local-dns-x', false);
    redirects.apply(policy());
    expect(table(world)[0]).toBe('1 10.96.0.10:53/UDP LocalRedirect ');
    expect(table(world)[2]).toBe(asBefore[2]);
    expect(() => world.pod('default', 'curl-pod').process.udp().connect('10.96.0.10', 53)).toThrow('EHOSTUNREACH');
  });

  it('holds on a node that comes later, too', () => {
    const { world, redirects } = redirectLab({ withoutBackends: 'empty' });
    redirects.apply(policy());
    world.addNode({
      name: 'late',
      interfaces: [{ name: 'eth1', addresses: ['192.168.10.102/24'], segment: 'lan' }],
      podCidr: '172.20.2.0/24',
    });
    expect(table(world, 'late')[0]).toBe('1 10.96.0.10:53/UDP LocalRedirect ');
  });

  it('sends a pod and a program of the node to the local backend', () => {
    const { world, redirects, events } = redirectLab();
    echo(world, 'kube-system', 'node-local-dns-x');
    redirects.apply(policy());
    const pod = world.pod('default', 'curl-pod').process.udp();
    pod.connect('10.96.0.10', 53);
    pod.send(new Uint8Array([1]));
    expect(pod.recv()).toMatchObject({ address: '10.96.0.10', port: 53 });
    expect(story(events)).toContain('curl-pod <> node-local-dns-x:53 post-xlate-fwd');
    const host = world.node('k8s-ctr').process.udp();
    host.sendTo(new Uint8Array([2]), '10.96.0.10', 53);
    expect(host.recv()).toMatchObject({ address: '10.96.0.10', port: 53 });
  });

  it('leaves a connected socket with the backend it has', () => {
    const { world, redirects } = redirectLab();
    echo(world, 'kube-system', 'coredns-674b8bbfcf-vvgfm');
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.connect('10.96.0.10', 53);
    redirects.apply(policy());
    expect(socket.send(new Uint8Array([1])).packet.dst).toBe('172.20.1.144');
  });

  it('ends the UDP sockets of a backend that goes', () => {
    const { world, redirects } = redirectLab();
    redirects.apply(policy());
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.connect('10.96.0.10', 53);
    world.removePod('kube-system', 'node-local-dns-x');
    expect(() => socket.send(new Uint8Array([1]))).toThrow('ECONNABORTED');
  });

  it('tells of a loop before anything runs, and refuses to run it', () => {
    const { world, redirects, events } = redirectLab();
    redirects.apply(policy());
    const ask = {
      namespace: 'kube-system',
      pod: 'node-local-dns-x',
      ip: '10.96.0.10',
      port: 53,
      protocol: 'UDP' as const,
    };
    const text =
      'policy kube-system/nodelocaldns redirects 10.96.0.10:53/UDP to pod ' +
      'kube-system/node-local-dns-x, which asks 10.96.0.10:53/UDP itself: its question would ' +
      'come back to it';
    expect(
      redirects.loops([
        ask,
        { ...ask, ip: '10.96.31.170' },
        { ...ask, pod: 'nobody' },
        { ...ask, namespace: 'default', pod: 'curl-pod' },
      ]),
    ).toMatchObject([{ text }]);
    const socket = world.pod('kube-system', 'node-local-dns-x').process.udp();
    expect(() => socket.sendTo(new Uint8Array(1), '10.96.0.10', 53)).toThrow(
      'ELOOP: policy kube-system/nodelocaldns redirects 10.96.0.10:53/UDP back to its own backend',
    );
    expect(story(events)).toEqual(['loop kube-system/nodelocaldns 10.96.0.10:53/UDP 172.20.1.50:53/UDP']);
  });

  it('leaves backends alone with skipRedirectFromBackend: told, not translated', () => {
    const { world, redirects, events } = redirectLab();
    redirects.apply(policy('nodelocaldns', { skipRedirectFromBackend: true }));
    const outcome = world
      .pod('kube-system', 'node-local-dns-x')
      .process.udp()
      .sendTo(new Uint8Array(1), '10.96.0.10', 53);
    expect(story(events, ['sock'])).toEqual(['node-local-dns-x <> 10.96.0.10:53 pre-xlate-fwd']);
    expect(outcome.packet.dst).toBe('10.96.0.10');
    expect(
      redirects.loops([
        { namespace: 'kube-system', pod: 'node-local-dns-x', ip: '10.96.0.10', port: 53, protocol: 'UDP' },
      ]),
    ).toEqual([]);
  });

  it('redirects an address of its own and gives its number back', () => {
    const { world, redirects } = redirectLab();
    redirects.apply(addressPolicy('169.254.20.10'));
    const frontend = world.node('k8s-ctr').frontend('169.254.20.10', 53, 'UDP');
    expect(frontend).toMatchObject({ id: 4, type: 'LocalRedirect', owner: 'kube-system/address' });
    expect(world.node('k8s-w1').frontend('169.254.20.10', 53, 'UDP')).toBeUndefined();
    redirects.remove('kube-system', 'address');
    expect(world.services.reserveId()).not.toBe(1);
    expect(world.node('k8s-ctr').frontend('169.254.20.10', 53, 'UDP')).toBeUndefined();
  });

  it.each([
    { rules: '1.18' as const, reason: '10.96.0.10 belongs to service kube-system/kube-dns', type: 'ClusterIP' },
    { rules: '1.17' as const, reason: undefined, type: 'LocalRedirect' },
  ])('treats an address of a service by the rules of $rules', ({ rules, reason, type }) => {
    const { world, redirects } = redirectLab({ rules });
    redirects.apply(addressPolicy('10.96.0.10'));
    expect(redirects.status('k8s-ctr')[0]?.reason).toBe(reason);
    expect(world.node('k8s-ctr').frontend('10.96.0.10', 53, 'UDP')?.type).toBe(type);
  });

  it('gives up an address that a service takes later, by the rules of 1.18', () => {
    const { world, redirects } = redirectLab();
    redirects.apply(addressPolicy('10.96.0.77'));
    expect(world.node('k8s-ctr').frontend('10.96.0.77', 53, 'UDP')?.type).toBe('LocalRedirect');
    world.setService({
      namespace: 'default',
      name: 'late',
      clusterIPs: ['10.96.0.77'],
      ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
    });
    expect(world.node('k8s-ctr').frontend('10.96.0.77', 53, 'UDP')?.type).toBe('ClusterIP');
  });

  it('does not redirect to a pod that the agent has lost', () => {
    const { world, redirects } = redirectLab();
    redirects.apply(policy());
    world.setIpam({ mode: 'cluster-pool', clusterPoolCidrs: ['10.50.0.0/16'] });
    world.deleteCiliumNode('k8s-ctr');
    world.restartAgents();
    expect(world.pod('kube-system', 'node-local-dns-x').unmanaged).toBe(true);
    redirects.apply(policy('again'));
    expect(redirects.status('k8s-ctr').flatMap(({ frontends }) => frontends.flatMap((one) => one.backends))).toEqual(
      [],
    );
  });

  it('lets the last of several policies by name win, and the other take over', () => {
    const { world, redirects } = redirectLab();
    world.addPod({ ...cachePod, name: 'other', labels: { app: 'other' }, ip: '172.20.1.51', ports });
    const other = policy('a', {
      redirectBackend: { localEndpointSelector: { matchLabels: { app: 'other' } }, toPorts },
    });
    redirects.apply(policy('b'));
    redirects.apply(other);
    expect(table(world)[0]).toBe(redirected[0]);
    redirects.remove('kube-system', 'b');
    expect(table(world)[0]).toBe('1 10.96.0.10:53/UDP LocalRedirect 172.20.1.51:53');
  });

  it('refuses a second policy and ignores a change by 1.17 rules', () => {
    const { redirects } = redirectLab({ rules: '1.17' });
    expect(redirects.apply(policy('a'))).toBe(true);
    expect(redirects.apply({ ...policy('a'), description: 'x' })).toBe(false);
    expect(() => redirects.apply(policy('b'))).toThrow(
      'a policy for service kube-dns already exists in namespace kube-system: a',
    );
    redirects.apply(addressPolicy('10.0.0.1', 'c'));
    expect(() => redirects.apply(addressPolicy('10.0.0.1', 'd'))).toThrow(
      '10.0.0.1:53/UDP is already redirected by policy kube-system/c',
    );
  });

  it.each([
    {
      name: 'no service',
      change: { redirectFrontend: { serviceMatcher: { serviceName: 'x', namespace: 'kube-system' } } },
      reason: 'service kube-system/x does not exist',
    },
    {
      name: 'a headless service',
      change: { redirectFrontend: { serviceMatcher: { serviceName: 'headless', namespace: 'kube-system' } } },
      reason: 'service kube-system/headless has no ClusterIP',
    },
  ])('says that there is $name', ({ change, reason }) => {
    const { world, redirects } = redirectLab();
    world.setService({
      namespace: 'kube-system',
      name: 'headless',
      clusterIPs: ['None'],
      ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
    });
    redirects.apply(policy('p', change));
    expect(redirects.status('k8s-ctr')[0]).toMatchObject({ reason, frontends: [] });
  });

  it('without SO_NETNS_COOKIE warns by 1.18 rules and refuses by 1.17 rules', () => {
    const skip = policy('p', { skipRedirectFromBackend: true });
    const newer = redirectLab({ netnsCookie: false });
    newer.redirects.apply(skip);
    expect(newer.redirects.status('k8s-ctr')[0]?.warning).toBe(
      'the kernel has no SO_NETNS_COOKIE (5.12): backends are redirected too',
    );
    const older = redirectLab({ netnsCookie: false, rules: '1.17' });
    expect(() => older.redirects.apply(skip)).toThrow(
      'spec.skipRedirectFromBackend: the kernel has no SO_NETNS_COOKIE (5.12)',
    );
    // Who does not ask for it, or has it, is not refused.
    expect(older.redirects.apply(policy('q'))).toBe(true);
    expect(redirectLab({ rules: '1.17' }).redirects.apply(skip)).toBe(true);
  });

  it('keeps addresses to the allowed blocks', () => {
    const { redirects } = redirectLab({ addressCidrs: ['169.254.0.0/16'] });
    redirects.apply(addressPolicy('169.254.20.10'));
    expect(() => redirects.apply(addressPolicy('10.0.0.1', 'b'))).toThrow(
      'spec.redirectFrontend.addressMatcher.ip: 10.0.0.1 is not in the allowed blocks 169.254.0.0/16',
    );
    expect(() => redirectLab({ addressCidrs: ['x'] })).toThrow('addressCidrs[0]: "x" is no address block');
  });

  it('stops following once closed', () => {
    const { world, redirects } = redirectLab();
    redirects.apply(policy());
    redirects.close();
    world.setPodReady('kube-system', 'node-local-dns-x', false);
    expect(table(world)).toEqual(redirected);
  });
});
