import type { CounterFiles, NodeFacts, ServerFacts } from '../../../src/insight/doctor/facts.js';

/** A server that answers as it should. */
export const SERVER: ServerFacts = {
  address: '10.96.0.10',
  port: 53,
  udp: { time: 0.4, rcode: 0 },
  tcp: { time: 0.9, rcode: 0 },
  large: { size: 1139, udp: 'whole' },
  signatures: { from: Date.UTC(2026, 10, 1), until: Date.UTC(2026, 11, 1) },
};

/** Files of sockets as the kernel prints them: `ADDRESS:PORT` in its hexadecimal form, and datagrams dropped. */
export const udpFile = (...rows: readonly (readonly [local: string, drops?: number])[]): string =>
  [
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops',
    ...rows.map(
      ([local, drops = 0], i) =>
        `  ${i}: ${local} ${'0'.repeat(local.length - 5)}:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 ${drops}`,
    ),
  ].join('\n');

export const tcpFile = (...locals: readonly string[]): string =>
  [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    ...locals.map(
      (local, i) =>
        `   ${i}: ${local} ${'0'.repeat(local.length - 5)}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0`,
    ),
  ].join('\n');

/** 169.254.20.10, 127.0.0.53 and all addresses, port 53. */
export const LOCAL = '0A14FEA9:0035';
export const STUB = '3500007F:0035';
export const ALL = '00000000:0035';
export const ALL6 = '00000000000000000000000000000000:0035';

const snmp = (udp: string, ip = '0 0 0'): string =>
  `Ip: ReasmReqds ReasmOKs ReasmFails\nIp: ${ip}\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\nUdp: ${udp}\n`;

export const CONNTRACK_HEAD = 'entries  searched found new invalid insert_failed drop early_drop';

export const counters = (over: Partial<CounterFiles> = {}): CounterFiles => ({
  snmp: snmp('1000000 5 0 1000000 0 0'),
  snmp6: 'Udp6InDatagrams                 \t500\nUdp6RcvbufErrors                \t0\n',
  softnet: '000f4240 00000000 00000000 00000000\n000f4240 00000000 00000001 00000000\n',
  conntrack: `${CONNTRACK_HEAD}\n00000010 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n`,
  udp: udpFile([LOCAL]),
  udp6: udpFile(),
  ...over,
});

export const snmpWith = (udp: string, ip?: string): CounterFiles => counters({ snmp: snmp(udp, ip) });

/** The node of a cluster, with a node cache, on which nothing is wrong. */
export const HEALTHY: NodeFacts = {
  resolvConf:
    'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
  upstreamConf: undefined,
  addresses: [
    { device: 'lo', address: '127.0.0.1' },
    { device: 'eth0', address: '10.0.0.5' },
    { device: 'nodelocaldns', address: '169.254.20.10' },
  ],
  mtus: new Map([
    ['lo', 65_536],
    ['eth0', 1500],
    ['nodelocaldns', 1500],
  ]),
  sockets: { udp: udpFile([LOCAL]), tcp: tcpFile(LOCAL) },
  counters: [counters(), counters()],
  conntrack: { count: 1000, max: 262_144 },
  portRange: '32768\t60999\n',
  rules: '-A PREROUTING -d 169.254.20.10/32 -p udp -m udp --dport 53 -j NOTRACK\n',
  servers: [SERVER],
  now: Date.UTC(2026, 10, 21),
};
