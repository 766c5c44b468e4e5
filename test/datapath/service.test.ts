import { describe, expect, it } from 'vitest';
import {
  AffinityTable,
  chooseAtSocket,
  maglevTable,
  usableBackends,
} from '../../src/datapath/loadbalancer/backend-choice.js';
import type { Backend, BackendState, Frontend } from '../../src/datapath/loadbalancer/service.js';
import { ServiceTable } from '../../src/datapath/loadbalancer/service-table.js';
import { seededRandom } from '../../src/lib/random.js';
import { dnsLab, echo, story } from './lab.js';

const backend = (id: number, state: BackendState = 'active', node = 'a'): Backend => ({
  id,
  ip: `10.0.0.${id}`,
  port: 53,
  protocol: 'UDP',
  node,
  state,
});
const frontend = (backends: readonly Backend[], change: Partial<Frontend> = {}): Frontend => ({
  id: 1,
  revNat: 1,
  ip: '10.96.0.10',
  port: 53,
  protocol: 'UDP',
  type: 'ClusterIP',
  owner: 'a/b',
  portName: '',
  backends,
  affinity: undefined,
  localOnly: false,
  ...change,
});
const one = new Uint8Array([1]);

describe('the choice of a backend', () => {
  it.each([
    { name: 'active before terminating', states: ['active', 'terminating'], want: [1] },
    { name: 'terminating when nothing else is left', states: ['terminating', 'quarantined'], want: [1] },
    { name: 'never quarantined or in maintenance', states: ['quarantined', 'maintenance'], want: [] },
  ] as { name: string; states: BackendState[]; want: number[] }[])('$name', ({ states, want }) => {
    expect(usableBackends(frontend(states.map((state, i) => backend(i + 1, state))), 'a').map((b) => b.id)).toEqual(
      want,
    );
  });

  it('stays on the node with local traffic policy', () => {
    const both = [backend(1), backend(2, 'active', 'b')];
    expect(usableBackends(frontend(both, { localOnly: true }), 'b').map((b) => b.id)).toEqual([2]);
  });

  it('goes by cookie for UDP, so that a socket keeps its backend', () => {
    const random = seededRandom(1);
    const all = [1, 2, 3].map((id) => backend(id));
    expect([6, 7, 8, 6].map((cookie) => chooseAtSocket(all, 'UDP', cookie, random).id)).toEqual([1, 2, 3, 1]);
    expect(new Set(Array.from({ length: 40 }, () => chooseAtSocket(all, 'TCP', 6, random).id)).size).toBe(3);
  });

  it('keeps a client with its backend for the time of the affinity', () => {
    const table = new AffinityTable();
    const all = [backend(1), backend(2)];
    const sticky = frontend(all, { affinity: 10 });
    table.set('c', sticky, all[1]!, 100);
    expect(table.get('c', sticky, all, 105)?.id).toBe(2);
    expect(table.get('c', sticky, all, 114)?.id).toBe(2);
    expect(table.get('c', sticky, [all[0]!], 115)).toBeUndefined();
    table.set('c', sticky, all[1]!, 100);
    expect(table.get('c', sticky, all, 110)).toBeUndefined();
    expect(table.get('c', frontend(all), all, 100)).toBeUndefined();
  });

  it('fills a Maglev table evenly and moves few slots when a backend goes', () => {
    const all = [1, 2, 3, 4, 5].map((id) => backend(id));
    const before = maglevTable(all, 1021);
    const counts = all.map((_, i) => before.filter((slot) => slot === i).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    const after = maglevTable(all.slice(0, 4), 1021);
    const moved = before.filter((slot, i) => slot !== 4 && slot !== after[i]).length;
    expect(moved).toBeLessThan(1021 / 5);
  });
});

describe('ServiceTable', () => {
  const dns = {
    namespace: 'kube-system',
    name: 'kube-dns',
    clusterIPs: ['10.96.0.10'],
    ports: [{ name: 'dns', port: 53, protocol: 'UDP' as const }],
  };

  it('numbers ports in order, keeps the number over a change, and takes a pinned one', () => {
    const table = new ServiceTable();
    table.set(dns);
    table.set({ ...dns, name: 'b', clusterIPs: ['10.96.0.11'], ports: [{ ...dns.ports[0]!, id: 17 }] });
    table.set(dns);
    expect(table.frontends().map((f) => `${f.id} ${f.ip}`)).toEqual(['1 10.96.0.10', '17 10.96.0.11']);
  });

  it('passes over numbers that were pinned', () => {
    const table = new ServiceTable();
    for (const id of [1, 2])
      table.set({ ...dns, name: `pinned-${id}`, clusterIPs: [`10.96.0.${id}`], ports: [{ ...dns.ports[0]!, id }] });
    table.set(dns);
    table.set({ ...dns, name: 'next', clusterIPs: ['10.96.0.11'] });
    expect(table.frontends().map((f) => f.id)).toEqual([1, 2, 3, 4]);
  });

  it('keeps the number of a service over a change of its backends', () => {
    const table = new ServiceTable();
    table.set(dns);
    table.setBackends('kube-system', 'kube-dns', []);
    const ports = [{ ...dns.ports[0]!, id: 1 }];
    expect(() => table.set({ ...dns, name: 'b', clusterIPs: ['10.96.0.11'], ports })).toThrow(
      'service number 1 is taken',
    );
  });

  it('has no frontend for a headless service', () => {
    const table = new ServiceTable();
    table.set({ ...dns, clusterIPs: ['None'] });
    expect(table.frontends()).toEqual([]);
  });

  it('ignores backends of a service that is not there', () => {
    const table = new ServiceTable();
    table.setBackends('a', 'b', []);
    expect([table.specs(), table.remove('a', 'b')]).toEqual([[], false]);
  });

  it.each([
    {
      name: 'an address twice',
      spec: { ...dns, name: 'x' },
      error: 'services.kube-system/x.clusterIPs: 10.96.0.10 port 53/UDP belongs to kube-system/kube-dns',
    },
    {
      name: 'a bad address',
      spec: { ...dns, name: 'x', clusterIPs: ['x'] },
      error: 'services.kube-system/x.clusterIPs[0]: "x" is no IP address',
    },
    {
      name: 'a bad port',
      spec: { ...dns, name: 'x', ports: [{ name: '', port: 0, protocol: 'UDP' as const }] },
      error: 'services.kube-system/x.ports[0].port: port 0 is not in 1 to 65535',
    },
    {
      name: 'a bad node port',
      spec: { ...dns, name: 'x', clusterIPs: ['10.96.0.11'], ports: [{ ...dns.ports[0]!, nodePort: 70_000 }] },
      error: 'ports[0].nodePort: port 70000 is not in 1 to 65535',
    },
    { name: 'no name', spec: { ...dns, name: '' }, error: 'services.kube-system/.name: a service needs a name' },
    {
      name: 'unnamed ports',
      spec: { ...dns, name: 'x', ports: [{ ...dns.ports[0]!, name: '' }, dns.ports[0]!] },
      error: 'services.kube-system/x.ports[0].name: ports need names when there are several',
    },
    {
      name: 'a port name twice',
      spec: { ...dns, name: 'x', ports: [dns.ports[0]!, { ...dns.ports[0]!, port: 54 }] },
      error: 'services.kube-system/x.ports[1].name: there are two ports named "dns"',
    },
    {
      name: 'a taken number',
      spec: { ...dns, name: 'x', clusterIPs: ['10.96.0.11'], ports: [{ ...dns.ports[0]!, id: 1 }] },
      error: 'services.kube-system/x.ports[0].id: service number 1 is taken',
    },
    {
      name: 'an affinity of a week',
      spec: { ...dns, name: 'x', affinity: 604_800 },
      error: 'services.kube-system/x.affinity: got 604800, want 1 to 86400 seconds',
    },
  ])('refuses $name', ({ spec, error }) => {
    const table = new ServiceTable();
    table.set(dns);
    expect(() => table.set(spec)).toThrow(error);
  });
});

describe('per-packet translation (socketLB.hostNamespaceOnly)', () => {
  it.each(['random', 'maglev'] as const)(
    'by %s: no socket event, a service entry, and the reply from the service',
    (loadBalancing) => {
      const { world, events, clock } = dnsLab({ socketLb: 'host-only', loadBalancing });
      echo(world, 'kube-system', 'coredns-674b8bbfcf-vvgfm');
      const socket = world.pod('default', 'curl-pod').process.udp();
      socket.connect('10.96.0.10', 53);
      socket.send(one);
      socket.send(one);
      expect(socket.recv()).toMatchObject({ address: '10.96.0.10', port: 53 });
      expect(story(events, ['sock'])).toEqual([]);
      const node = world.node('k8s-ctr');
      expect(
        node.conntrack
          .list(node.uptime(clock.now()))
          .map((e) => `${e.direction} ${e.dst}:${e.dport} ${e.revNat}`)
          .sort(),
      ).toEqual(['IN 172.20.1.144:53 0', 'OUT 172.20.1.144:53 1', 'SVC 10.96.0.10:53 1']);
    },
  );

  it('drops with reason 158, and refuses, without a backend', () => {
    const { world, events } = dnsLab({ socketLb: 'host-only' });
    world.setBackends('kube-system', 'kube-dns', []);
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.connect('10.96.0.10', 53);
    expect(socket.send(one)).toMatchObject({ verdict: 'dropped', reason: 'Service backend not found' });
    expect(story(events, ['drop'])).toEqual(['curl-pod:a <> 10.96.0.10:53 drop 158']);
    expect(() => socket.send(one)).toThrow('ECONNREFUSED');
  });
});

describe('node ports and kube-proxy', () => {
  const web = {
    namespace: 'default',
    name: 'web',
    type: 'NodePort' as const,
    clusterIPs: ['10.96.5.5'],
    ports: [{ name: '', port: 80, protocol: 'UDP' as const, nodePort: 30_053 }],
  };

  it('a node port is translated at the socket on any node address', () => {
    const { world } = dnsLab();
    world.setService(web);
    world.setBackends('default', 'web', [{ portName: '', ip: '172.20.1.144', port: 53, protocol: 'UDP' }]);
    echo(world, 'kube-system', 'coredns-674b8bbfcf-vvgfm');
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.sendTo(one, '192.168.10.101', 30_053);
    expect(socket.recv()).toMatchObject({ address: '192.168.10.101', port: 30_053 });
    expect(world.node('k8s-ctr').frontend('10.0.0.1', 30_053, 'UDP')).toBeUndefined();
  });

  it('a program of the node goes through the rules of kube-proxy when the hook is off', () => {
    const { world, events } = dnsLab({ socketLb: 'off', kubeProxy: true, installNoConntrackRules: false });
    echo(world, 'kube-system', 'coredns-674b8bbfcf-vvgfm');
    const socket = world.node('k8s-ctr').process.udp();
    socket.connect('10.96.0.10', 53);
    expect(socket.send(one).packet.dst).toBe('172.20.1.144');
    expect(socket.recv()).toMatchObject({ address: '10.96.0.10', port: 53 });
    expect(story(events, ['sock'])).toEqual([]);
  });
});
