import { describe, expect, it } from 'vitest';
import { FlowRing } from '../../src/observe/hubble/flow-ring.js';
import { Hubble } from '../../src/observe/hubble/hubble.js';
import { HubbleMetrics } from '../../src/observe/hubble/metrics.js';
import { parseHubbleArgs } from '../../src/observe/hubble/options.js';
import { rfc3339 } from '../../src/observe/hubble/json.js';
import { stamp } from '../../src/observe/hubble/format.js';
import { COREDNS, observed } from './lab.js';

function hubble(config = {}) {
  const lab = observed(config);
  const observer = new Hubble(lab.world, () => lab.clock.now());
  return { ...lab, observer };
}

/** What happened at which point: short enough to read in a table. */
const points = (lines: readonly string[]): string[] =>
  lines.map((line) => / ((?:to|from|pre|post)-[a-z-]+|[A-Z][a-z]+ [a-z ]+) [A-Z]+ \(/.exec(line)![1]!);

describe('the compact form', () => {
  it('is padded, in UTC, with identities by number or name', () => {
    const { observer, ask } = hubble();
    ask();
    expect(observer.observe(['--port', '53'])[0]).toBe(
      'Jul 30 00:00:00.000: default/curl-pod (ID:5580) <> 10.96.0.10:53 (world) pre-xlate-fwd TRACED (UDP)',
    );
  });

  it.each([
    { time: Date.UTC(2025, 7, 2, 6, 7, 50, 429), want: 'Aug  2 06:07:50.429' },
    { time: Date.UTC(2025, 11, 31, 23, 59, 59, 999.9), want: 'Dec 31 23:59:59.999' },
  ])('writes $want', ({ time, want }) => expect(stamp(time)).toBe(want));

  it('names the node, or prints addresses alone, when asked to', () => {
    const { observer, ask } = hubble();
    ask();
    expect(
      observer
        .observe(['--type', 'trace', '--print-node-name', '--first', '1', '--numeric'])[0]!
        .replace(/\.236:\d+/, '.236:P'),
    ).toBe(
      'Jul 30 00:00:00.000 [k8s-ctr]: 172.20.1.236:P (ID:5580) -> 172.20.1.144:53 (ID:28565) to-endpoint FORWARDED (UDP)',
    );
  });
});

describe('flows of several nodes', () => {
  it('are in order of time', () => {
    const { world, clock, observer } = hubble();
    world.addPod({ namespace: 'default', name: 'far', node: 'k8s-w1', ip: '172.20.0.9' });
    for (const name of ['far', 'curl-pod', 'far', 'curl-pod']) {
      world.pod('default', name).process.udp().sendTo(new Uint8Array(1), '10.10.1.200', 53);
      clock.advance(1000);
    }
    const lines = observer.observe(['--from-pod', 'default/', '--to-port', '53', '--print-node-name', '--numeric']);
    expect(lines.map((line) => line.slice(13, 30).replace(/:.*/, ''))).toEqual([
      '00.000 [k8s-w1]',
      '01.000 [k8s-ctr]',
      '02.000 [k8s-w1]',
      '03.000 [k8s-ctr]',
    ]);
  });
});

describe('filters', () => {
  const FWD = ['pre-xlate-fwd', 'post-xlate-fwd'];
  const all = [...FWD, 'to-endpoint', 'pre-xlate-rev', 'to-endpoint', 'pre-xlate-rev', 'post-xlate-rev'];
  it.each([
    { name: 'none', args: [], want: all },
    { name: 'a pod by prefix', args: ['--pod', 'curl'], want: all },
    { name: 'a pod of another namespace', args: ['--pod', 'kube-system/curl'], want: [] },
    {
      name: 'all pods of a namespace',
      args: ['--pod', 'kube-system/'],
      want: all.filter((_, i) => i !== 0 && i !== 6),
    },
    { name: 'from a pod', args: ['--from-pod', 'kube-system/coredns'], want: ['to-endpoint', 'pre-xlate-rev'] },
    { name: 'to a pod', args: ['--to-pod', 'kube-system/coredns', '--type', 'trace'], want: ['to-endpoint'] },
    { name: 'a port', args: ['--port', '53', '--verdict', 'TRACED'], want: ['pre-xlate-fwd', 'pre-xlate-rev'] },
    { name: 'to a port', args: ['--to-port', '53'], want: [...FWD, 'to-endpoint'] },
    {
      name: 'two verdicts',
      args: ['--verdict', 'translated', '--verdict', 'DROPPED'],
      want: ['post-xlate-fwd', 'post-xlate-rev'],
    },
    { name: 'a protocol', args: ['--protocol', 'tcp'], want: [] },
    { name: 'DNS as seen by a proxy', args: ['--protocol', 'dns'], want: [] },
    { name: 'a type', args: ['-t', 'trace-sock'], want: all.filter((point) => point !== 'to-endpoint') },
    { name: 'a point', args: ['--type', 'trace:to-endpoint'], want: ['to-endpoint', 'to-endpoint'] },
    { name: 'a point that did not occur', args: ['--type', 'trace:to-network'], want: [] },
    { name: 'L7', args: ['--type', 'l7'], want: [] },
    { name: 'an address', args: ['--ip', '10.96.0.10'], want: ['pre-xlate-fwd', 'post-xlate-rev'] },
    { name: 'a block', args: ['--from-ip', '172.20.1.144/32'], want: ['to-endpoint', 'pre-xlate-rev'] },
    { name: 'an identity', args: ['--identity', '28565', '--type', 'trace'], want: ['to-endpoint', 'to-endpoint'] },
    { name: 'an identity by name', args: ['--to-identity', 'world'], want: ['pre-xlate-fwd'] },
    { name: 'a label', args: ['--from-label', 'app=curl', '--type', 'trace'], want: ['to-endpoint'] },
    {
      name: 'a label with its source',
      args: ['--label', 'k8s:k8s-app=kube-dns', '--type', 'trace'],
      want: ['to-endpoint', 'to-endpoint'],
    },
    { name: 'a namespace', args: ['-n', 'default', '--type', 'trace'], want: ['to-endpoint', 'to-endpoint'] },
    { name: 'a service', args: ['--service', 'kube-system/kube-dns'], want: ['pre-xlate-fwd', 'post-xlate-rev'] },
    { name: 'a node', args: ['--node-name', 'k8s-w*'], want: [] },
    { name: 'not', args: ['--not', '--type', 'trace-sock'], want: ['to-endpoint', 'to-endpoint'] },
    { name: 'the last ones', args: ['--last', '2'], want: ['pre-xlate-rev', 'post-xlate-rev'] },
    { name: 'the first ones', args: ['--first', '2'], want: FWD },
    { name: 'none of the last', args: ['--last', '0'], want: [] },
    { name: 'flags of TCP', args: ['--tcp-flags', 'SYN'], want: [] },
    { name: 'since', args: ['--since', '2s'], want: all },
    { name: 'until a moment before', args: ['--until', '2025-07-29T00:00:00Z'], want: [] },
  ])('$name', ({ args, want }) => {
    const { observer, ask } = hubble();
    ask();
    expect(points(observer.observe(args))).toEqual(want);
  });

  it.each([
    { args: ['--prot', '53'], error: 'hubble observe: unknown option --prot' },
    { args: ['webpod'], error: 'hubble observe: unexpected argument "webpod": options start with --' },
    { args: ['--port'], error: 'hubble observe: option --port needs a value' },
    {
      args: ['--port', 'dns'],
      error: 'hubble observe: invalid argument "dns" for "--port": want a port number from 0 to 65535',
    },
    { args: ['--to-port=70000'], error: 'invalid argument "70000" for "--to-port"' },
    { args: ['--pod', '/'], error: 'invalid argument "/" for "--pod": want [NAMESPACE/]POD-PREFIX' },
    { args: ['--ip', '10.0.0'], error: 'invalid argument "10.0.0" for "--ip": want an IP address or CIDR' },
    {
      args: ['--identity', 'moon'],
      error: 'invalid argument "moon" for "--identity": want a number or one of unknown, host, world',
    },
    { args: ['--verdict', 'LOST'], error: 'invalid argument "LOST" for "--verdict": want one of FORWARDED, DROPPED' },
    { args: ['--protocol', 'quic'], error: 'invalid argument "quic" for "--protocol": want one of tcp, udp' },
    { args: ['--type', 'flow'], error: 'invalid argument "flow" for "--type": want one of capture, drop' },
    {
      args: ['--type', 'trace:to-moon'],
      error: 'invalid argument "trace:to-moon" for "--type": the points of trace are to-endpoint',
    },
    { args: ['--tcp-flags', 'SYN,XX'], error: 'invalid argument "SYN,XX" for "--tcp-flags"' },
    { args: ['--label', ','], error: 'invalid argument "," for "--label": want KEY[=VALUE]' },
    { args: ['-o', 'yaml'], error: 'invalid output format "yaml": want one of compact, table, dict, json, jsonpb' },
    { args: ['--last', '-3'], error: 'invalid argument "-3" for "--last": want a whole number' },
    { args: ['--since', 'yesterday'], error: 'invalid argument "yesterday" for "--since": want a duration' },
    { args: ['--numeric=maybe'], error: 'invalid argument "maybe" for "--numeric": want true or false' },
    { args: ['--not'], error: '--not must be followed by the filter that it negates' },
    { args: ['--first', '1', '--last', '1'], error: 'cannot set both --first and --last' },
    { args: ['--first', '1', '-f'], error: 'cannot set both --first and --follow' },
    { args: ['--first', '1', '--all'], error: 'cannot set both --first and --all' },
    { args: ['--last', '1', '--all'], error: 'cannot set both --last and --all' },
  ])('refuses $args', ({ args, error }) => expect(() => parseHubbleArgs(args, 0)).toThrow(error));
});

describe('how much is shown and kept', () => {
  it('the last 20 of each node by default, everything with --all', () => {
    const { observer, ask } = hubble();
    for (let i = 0; i < 5; i++) ask();
    expect(observer.observe([])).toHaveLength(20);
    expect(observer.observe(['--all'])).toHaveLength(35);
  });

  it('a full ring gives up its oldest', () => {
    const lab = observed();
    const observer = new Hubble(lab.world, () => lab.clock.now(), { capacity: 3 });
    lab.ask();
    expect(points(observer.observe(['--all']))).toEqual(['to-endpoint', 'pre-xlate-rev', 'post-xlate-rev']);
    lab.clock.advance(1000);
    expect(observer.status()).toEqual([
      'Healthcheck (via localhost:4245): Ok',
      'Current/Max Flows: 3/6 (50.00%)',
      'Flows/s: 7.00',
      'Connected Nodes: 2/2',
    ]);
    expect(() => new FlowRing(0)).toThrow('a ring holds at least 1 flow, got 0');
    const kept = (capacity: number, count: number): unknown[] => {
      const ring = new FlowRing(capacity);
      for (let i = 1; i <= count; i++) ring.push(i as never);
      return ring.list();
    };
    expect([kept(1, 2), kept(3, 2), kept(3, 3), kept(3, 4), kept(3, 6)]).toEqual([
      [2],
      [1, 2],
      [1, 2, 3],
      [2, 3, 4],
      [4, 5, 6],
    ]);
  });

  it('follows until it is stopped, after the last ones that were asked for', () => {
    const { observer, ask } = hubble();
    ask();
    const lines: string[] = [];
    const stop = observer.follow(['-f', '--last', '1', '--type', 'trace'], (line) => lines.push(line));
    ask();
    stop();
    ask();
    expect(points(lines)).toEqual(['to-endpoint', 'to-endpoint', 'to-endpoint']);
    observer.close();
    ask();
    expect(observer.observe(['--all'])).toHaveLength(21);
  });
});

describe('other forms', () => {
  it('table', () => {
    const { observer, ask } = hubble();
    ask();
    expect(observer.observe(['-o', 'table', '--last', '1', '--type', 'trace-sock'])).toEqual([
      'TIMESTAMP             SOURCE          DESTINATION        TYPE             VERDICT      SUMMARY',
      'Jul 30 00:00:00.000   10.96.0.10:53   default/curl-pod   post-xlate-rev   TRANSLATED   UDP',
    ]);
    expect(observer.observe(['-o', 'table', '--protocol', 'tcp'])).toEqual([]);
  });

  it('dict', () => {
    const { observer, ask } = hubble();
    ask();
    const lines = observer.observe(['-o', 'dict', '--first', '2', '--print-node-name']);
    expect(lines.slice(0, 8)).toEqual([
      '  TIMESTAMP: Jul 30 00:00:00.000',
      '       NODE: k8s-ctr',
      '     SOURCE: default/curl-pod',
      'DESTINATION: 10.96.0.10:53',
      '       TYPE: pre-xlate-fwd',
      '    VERDICT: TRACED',
      '    SUMMARY: UDP',
      '------------',
    ]);
  });

  it('json: one object a line, what is zero left out, 64-bit numbers as text', () => {
    const { observer, ask } = hubble();
    ask();
    const [sock, trace] = observer
      .observe(['-o', 'json', '--first', '3'])
      .map((line) => JSON.parse(line) as { flow: Record<string, unknown>; node_name: string; time: string })
      .filter((_, i) => i !== 1);
    expect(sock!.flow).toMatchObject({
      Type: 'SOCK',
      event_type: { type: 7, sub_type: 1 },
      sock_xlate_point: 'SOCK_XLATE_POINT_PRE_DIRECTION_FWD',
      destination: { identity: 2, labels: ['reserved:world'] },
      destination_service: { name: 'kube-dns', namespace: 'kube-system' },
      verdict: 'TRACED',
    });
    expect(sock!.flow['socket_cookie']).toMatch(/^\d+$/);
    expect(sock!.flow).not.toHaveProperty('is_reply');
    expect(trace).toMatchObject({
      node_name: 'default/k8s-ctr',
      time: '2025-07-30T00:00:00Z',
      flow: {
        Type: 'L3_L4',
        event_type: { type: 4 },
        is_reply: false,
        trace_observation_point: 'TO_ENDPOINT',
        traffic_direction: 'INGRESS',
        IP: { source: '172.20.1.236', destination: '172.20.1.144', ipVersion: 'IPv4' },
        source: { identity: 5580, pod_name: 'curl-pod', namespace: 'default', cluster_name: 'default' },
        Summary: 'UDP',
      },
    });
    expect(trace!.flow['event_type']).not.toHaveProperty('sub_type');
    expect(trace!.flow['uuid']).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/);
  });

  it('json tells the address that masquerading gave', () => {
    const { observer, world } = hubble();
    world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(4), '10.0.2.3', 53);
    const line = JSON.parse(observer.observe(['-o', 'json', '--type', 'trace:to-network'])[0]!) as { flow: unknown };
    expect(line.flow).toMatchObject({
      IP: { source: '172.20.1.236', source_xlated: '10.0.2.15' },
      event_type: { type: 4, sub_type: 11 },
    });
  });

  it('json names the reason of a drop', () => {
    const { observer, world } = hubble({ ctWhenFull: 'fail', ctAnyMax: 1 });
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.sendTo(new Uint8Array(1), '172.20.1.144', 53);
    socket.sendTo(new Uint8Array(1), '172.20.1.144', 54);
    const line = JSON.parse(observer.observe(['-o', 'json', '--verdict', 'DROPPED', '--last', '1'])[0]!) as {
      flow: unknown;
    };
    expect(line.flow).toMatchObject({
      verdict: 'DROPPED',
      drop_reason: 155,
      drop_reason_desc: 'CT_MAP_INSERTION_FAILED',
      event_type: { type: 1, sub_type: 155 },
    });
    expect(observer.observe(['--verdict', 'DROPPED', '--last', '1'])[0]).toMatch(
      / <> kube-system\/coredns.* CT: Map insertion failed DROPPED \(UDP\)$/,
    );
  });

  it.each([
    { time: 0, want: '1970-01-01T00:00:00Z' },
    { time: 1500.25, want: '1970-01-01T00:00:01.500250Z' },
    { time: 1500, want: '1970-01-01T00:00:01.500Z' },
  ])('writes $want', ({ time, want }) => expect(rfc3339(time)).toBe(want));
});

describe('what is kept', () => {
  it('is nothing before anything happened', () => {
    const { observer } = hubble();
    expect(observer.status()).toEqual([
      'Healthcheck (via localhost:4245): Ok',
      'Current/Max Flows: 0/8,190 (0.00%)',
      'Flows/s: 0.00',
      'Connected Nodes: 2/2',
    ]);
    expect(observer.listNodes().map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
      'NAME | STATUS | AGE | FLOWS/S | CURRENT/MAX-FLOWS',
      'k8s-w1 | Connected | 0s | 0.00 | 0/4,095 ( | 0.00%)',
      'k8s-ctr | Connected | 0s | 0.00 | 0/4,095 ( | 0.00%)',
    ]);
  });

  it('is read after its end, and nothing more comes', () => {
    const { observer, ask } = hubble();
    let flows = 0;
    observer.onFlow(() => flows++);
    ask();
    const before = [flows, observer.observe([]).length];
    observer.close();
    ask();
    expect([flows, observer.observe([]).length]).toEqual(before);
    expect(flows).toBeGreaterThan(0);
  });
});

describe('HubbleMetrics', () => {
  async function scrape(
    enabled: readonly string[],
    act: (lab: ReturnType<typeof observed>) => void,
  ): Promise<string[]> {
    const lab = observed({ ctWhenFull: 'fail', ctAnyMax: 4 });
    const metrics = new HubbleMetrics(enabled);
    new Hubble(lab.world, () => lab.clock.now(), { onFlow: (flow) => metrics.take(flow) });
    act(lab);
    return (await metrics.text()).split('\n').filter((line) => line.startsWith('hubble_'));
  }

  it('flow and drop', async () => {
    const lines = await scrape(['flow', 'drop:labelsContext=source_pod'], (lab) => {
      lab.ask();
      for (let i = 0; i < 3; i++) lab.ask();
    });
    expect(lines).toContain(
      'hubble_flows_processed_total{protocol="UDP",subtype="to-endpoint",type="Trace",verdict="FORWARDED"} 4',
    );
    expect(lines).toContain(
      'hubble_drop_total{protocol="UDP",reason="CT_MAP_INSERTION_FAILED",source_pod="curl-pod"} 2',
    );
  });

  it('tcp: flags of forwarded segments', async () => {
    const lines = await scrape(['tcp'], ({ world }) => {
      world.pod('kube-system', COREDNS).process.listen('', 80, () => undefined);
      world.pod('default', 'curl-pod').process.connect('172.20.1.144', 80, { onConnect: (socket) => socket.end() });
    });
    expect(lines).toEqual([
      'hubble_tcp_flags_total{family="IPv4",flag="FIN"} 1',
      'hubble_tcp_flags_total{family="IPv4",flag="SYN"} 1',
      'hubble_tcp_flags_total{family="IPv4",flag="SYN-ACK"} 1',
    ]);
  });

  it('dns stays empty without an L7 proxy', async () => {
    expect(await scrape(['dns:query;ignoreAAAA'], (lab) => lab.ask())).toEqual([]);
  });

  it.each([
    { enabled: 'http', error: 'hubble metrics: unknown metric "http": want one of dns, drop, tcp, flow' },
    { enabled: 'tcp:query', error: 'metric tcp: unknown option "query"' },
    { enabled: 'dns:answers', error: 'metric dns: unknown option "answers"' },
    {
      enabled: 'flow:labelsContext=source_moon',
      error: 'metric flow: unknown context label "source_moon": want some of source_ip',
    },
  ])('refuses $enabled', ({ enabled, error }) => expect(() => new HubbleMetrics([enabled])).toThrow(error));
});
