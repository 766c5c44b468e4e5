import { describe, expect, it } from 'vitest';
import { startMonitor } from '../../src/observe/cilium/monitor.js';
import { startTcpdump, tcpdumpLines } from '../../src/observe/tcpdump/tcpdump.js';
import { restartedCluster } from './cluster.js';
import type { Cluster } from './cluster.js';
import { curlOnce, sameNode } from './same-node.js';
import { maskNumbers, maskPorts, recorded } from './transcript.js';

const noTime = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/^[\d:.]+ /, ''));

describe('tcpdump-same-node', () => {
  /**
   * Initial sequence numbers and timestamps are drawn or read from a clock, so they are masked like times; relative
   * numbers are compared.
   */
  const form = (lines: readonly string[]): string[] =>
    maskPorts(noTime(lines)).map((line) =>
      line.replace(/TS val \d+ ecr \d+/, 'TS').replace(/(seq|ack) \d{6,}/g, '$1 N'),
    );
  const [client, server] = recorded('tcpdump-same-node')
    .join('\n')
    .split(/^## lxc of the (?:client|server)\n/m)
    .slice(1)
    .map((part) => part.trimEnd().split('\n'));

  it.each([
    { name: 'lxc of the client', device: 'lxc93b551d233cf', want: client! },
    { name: 'lxc of the server', device: 'lxc49626b6ed5ee', want: server! },
  ])('$name', ({ name, device, want }) => {
    const lab = sameNode();
    const lines: string[] = [];
    startTcpdump(lab.world, ['-i', device], {
      netns: lab.world.node('kind-worker').netns,
      onLine: (line) => lines.push(line),
    });
    curlOnce(lab);
    lab.clock.advance(5_200);
    lab.world.runTimers();
    // The server's kernel asks for its neighbour too, after the recording had ended.
    const shown = name.endsWith('server') ? lines.filter((line) => !line.includes('ARP')) : lines;
    expect(form(shown)).toEqual(form(want));
  });

  it('shows both directions inside the pod, and nothing on eth0 of the node', () => {
    const lab = sameNode();
    curlOnce(lab);
    const { world, events } = lab;
    expect(
      tcpdumpLines(['-i', 'eth0', '-nn', 'tcp'], world.pod('default', 'client').netns, events).map(
        (line) => / IP ([\d.]+)\.\d+ >/.exec(line)![1],
      ),
    ).toContain('10.244.1.182');
    expect(tcpdumpLines(['-i', 'eth0'], world.node('kind-worker').netns, events)).toEqual([]);
  });
});

describe('cilium-monitor', () => {
  it('tells of new states and flags only', () => {
    const lab = sameNode();
    const lines: string[] = [];
    startMonitor(lab.world, 'kind-worker', ['--to', '2543'], (line) => lines.push(line));
    curlOnce(lab);
    startMonitor(lab.world, 'kind-worker', ['--to', '359'], (line) => lines.push(line));
    const first = lines.length;
    expect(first).toBe(3);
    const second = sameNode();
    startMonitor(second.world, 'kind-worker', ['--to', '359'], (line) => lines.push(line));
    curlOnce(second);
    // The flow number is a hash over the addresses and the client's port, so it varies with the port.
    const form = (text: readonly string[]): string[] =>
      maskNumbers(maskPorts(text), 'FLOW', /flow (0x[\da-f]+)/).map((line) =>
        line.replace(/PORT\d/, 'PORT').replace(/FLOW\d/, 'FLOW'),
      );
    expect(form(lines)).toEqual(form(recorded('cilium-monitor')));
  });
});

describe('tcpdump-masquerade', () => {
  const parts = recorded('tcpdump-masquerade')
    .join('\n')
    .split('\n\n')
    .map((part) => part.split('\n'));
  const form = (lines: readonly string[]): string[] => maskPorts(noTime(lines));

  function curl(cluster: Cluster, address: string): void {
    const { world } = cluster;
    const listener = world
      .host('router')
      .process.listen('', 80, (socket) =>
        socket.handle({ onData: () => socket.write(new Uint8Array(256)), onEnd: () => socket.end() }),
      );
    world.pod('default', 'curl-pod').process.connect(address, 80, {
      onConnect: (socket) => socket.write(new Uint8Array(75)),
      onData: (socket) => socket.end(),
    });
    listener.close();
  }

  function lab(config: Parameters<typeof restartedCluster>[0] = {}): Cluster {
    const cluster = restartedCluster(config);
    cluster.world.removePod('default', 'curl-pod');
    cluster.pod('curl', 'curl-pod', 'k8s-ctr', '172.20.1.205');
    cluster.fresh();
    return cluster;
  }
  const seen = (cluster: Cluster): string[] =>
    form(
      tcpdumpLines(['-i', 'eth1', 'tcp', 'port', '80', '-nnq'], cluster.world.node('k8s-ctr').netns, cluster.events),
    );
  const agent = { ipMasqAgent: { nonMasqueradeCIDRs: ['10.10.1.0/24', '10.10.2.0/24'] } };

  it('masqueraded to the address of the node', () => {
    const cluster = lab();
    curl(cluster, '10.10.2.200');
    // The recording began after the SYN had left.
    expect(seen(cluster).slice(1)).toEqual(form(parts[0]!));
  });

  it('not masqueraded, without a way back: the SYN is sent again after a second', () => {
    const cluster = lab(agent);
    curl(cluster, '10.10.1.200');
    cluster.clock.advance(1_000);
    cluster.world.runTimers();
    expect(seen(cluster)).toEqual(form(parts[1]!));
  });

  it('not masqueraded, with routes on the router', () => {
    const cluster = lab(agent);
    cluster.world.addRoute('router', { to: '172.20.1.0/24', via: '192.168.10.100' });
    cluster.world.addRoute('router', { to: '172.20.0.0/24', via: '192.168.10.101' });
    curl(cluster, '10.10.1.200');
    expect(seen(cluster)).toEqual(form(parts[2]!));
  });
});
