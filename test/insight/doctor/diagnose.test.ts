import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../src/insight/doctor/diagnose.js';
import type { NodeFacts } from '../../../src/insight/doctor/facts.js';
import { socketsIn } from '../../../src/insight/doctor/kernel-files.js';
import { doctorExitCode, doctorJson, doctorText } from '../../../src/insight/doctor/page.js';
import { SYMPTOMS } from '../../../src/insight/doctor/symptom.js';
import {
  ALL,
  ALL6,
  CONNTRACK_HEAD,
  HEALTHY,
  LOCAL,
  SERVER,
  STUB,
  counters,
  snmpWith,
  tcpFile,
  udpFile,
} from './healthy.js';

interface Row {
  readonly name: string;
  readonly facts: Partial<NodeFacts>;
  /** `NAME: TEXT` of each symptom. */
  readonly want: readonly string[];
}

const stub = { udp: udpFile([LOCAL], [STUB]), tcp: tcpFile(LOCAL, STUB) };
const conntrack = (failed: string, drop = '00000000') =>
  counters({ conntrack: `${CONNTRACK_HEAD}\n0 0 0 0 0 ${failed} ${drop} 0\n0 0 0 0 0 00000001 00000000 0\n` });

const ROWS: readonly Row[] = [
  { name: 'nothing', facts: {}, want: [] },
  {
    name: 'no resolv.conf',
    facts: { resolvConf: undefined },
    want: ['resolv-conf-unreadable: there is no /etc/resolv.conf'],
  },
  {
    name: 'a nameserver that is a name',
    facts: { resolvConf: 'nameserver dns.example\n' },
    want: [expect.stringContaining('resolv-conf-unreadable: resolv.conf:1: nameserver:') as string],
  },
  {
    name: 'four nameservers',
    facts: { resolvConf: 'nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n' },
    want: ['resolv-conf-too-many: 4 nameservers'],
  },
  {
    name: 'five search domains',
    facts: { resolvConf: 'search a.x b.x c.x d.x e.x\nnameserver 10.96.0.10\noptions ndots:5\n' },
    want: ['resolv-conf-search: 5 search domains and ndots 5: up to 12 queries for a name outside'],
  },
  {
    name: 'five search domains, for names without dots only',
    facts: { resolvConf: 'search a.x b.x c.x d.x e.x\nnameserver 10.96.0.10\n' },
    want: [],
  },
  {
    name: 'five search domains, and an option of another name above one',
    facts: { resolvConf: 'search a.x b.x c.x d.x e.x\nnameserver 10.96.0.10\noptions ndots:1 timeout:5\n' },
    want: [],
  },
  {
    name: 'five search domains, and ndots just above one',
    facts: { resolvConf: 'search a.x b.x c.x d.x e.x\nnameserver 10.96.0.10\noptions ndots:2\n' },
    want: ['resolv-conf-search: 5 search domains and ndots 2: up to 12 queries for a name outside'],
  },
  {
    name: 'a nameserver of this host where nobody is',
    facts: { resolvConf: 'nameserver 127.0.0.53\n' },
    want: ['resolver-is-nobody: nameserver 127.0.0.53'],
  },
  { name: 'a nameserver of this host', facts: { resolvConf: 'nameserver 127.0.0.53\n', sockets: stub }, want: [] },
  {
    name: 'a resolver whose upstream is itself',
    facts: { resolvConf: 'nameserver 127.0.0.53\n', sockets: stub, upstreamConf: 'nameserver 169.254.20.10\n' },
    want: ['query-loop: its upstream 169.254.20.10 is an address of this host where port 53 is listened at'],
  },
  {
    name: 'a server that is silent',
    facts: { servers: [{ ...SERVER, udp: undefined, tcp: undefined }] },
    want: ['server-silent: 10.96.0.10 does not answer'],
  },
  {
    name: 'a server that is silent over UDP',
    facts: { servers: [{ ...SERVER, udp: undefined }] },
    want: ['udp-silent: 10.96.0.10 answers over TCP in 0.9 ms, and not over UDP'],
  },
  {
    name: 'a server that is silent over TCP',
    facts: { servers: [{ ...SERVER, port: 1053, tcp: undefined }] },
    want: ['tcp-silent: 10.96.0.10:1053 answers over UDP, and not over TCP'],
  },
  {
    name: 'large answers that do not arrive',
    facts: { servers: [{ ...SERVER, large: { size: 1700, udp: 'none' } }] },
    want: ['large-answers-lost: an answer of 1700 bytes from 10.96.0.10 does not arrive in fragments over UDP'],
  },
  {
    name: 'large answers that are truncated, as they may be',
    facts: { servers: [{ ...SERVER, large: { size: 1700, udp: 'truncated' } }] },
    want: [],
  },
  {
    name: 'a server that fails',
    facts: { servers: [{ ...SERVER, udp: { time: 1, rcode: 2 } }] },
    want: ['server-fails: 10.96.0.10 answers SERVFAIL'],
  },
  {
    name: 'a slow server',
    facts: { servers: [{ ...SERVER, udp: { time: 812, rcode: 0 } }] },
    want: ['server-slow: 10.96.0.10 took 812 ms'],
  },
  {
    name: 'a clock that is behind',
    facts: { now: Date.UTC(2020, 0, 1) },
    want: [
      'clock-wrong: this host has 2020-01-01 00:00, the signatures are valid from 2026-11-01 00:00 to 2026-12-01 00:00',
    ],
  },
  {
    name: 'a full table of connections',
    facts: { conntrack: { count: 250_000, max: 262_144 } },
    want: ['conntrack-full: 250000 of 262144 connections'],
  },
  {
    name: 'a table of connections that was full',
    facts: { counters: [conntrack('00000000', '0000000a'), conntrack('00000000', '0000000a')] },
    want: [
      'conntrack-full: 10 packets dropped for want of room since the start, none just now',
      'conntrack-races: 1 connections that could not be entered since the start, none just now',
    ],
  },
  {
    name: 'races',
    facts: { counters: [conntrack('00000010'), conntrack('00000014')] },
    want: ['conntrack-races: 21 connections that could not be entered since the start, 4 of them just now'],
  },
  {
    name: 'datagrams without room, more than a few',
    facts: { counters: [snmpWith('1000000 5 0 1000000 2000 0'), snmpWith('1000000 5 0 1000000 2000 0')] },
    want: ['datagrams-dropped: 2000 datagrams without room in a socket since the start, none just now'],
  },
  {
    name: 'datagrams without room, few and long ago',
    facts: { counters: [snmpWith('1000000 5 0 1000000 20 0'), snmpWith('1000000 5 0 1000000 20 0')] },
    want: [],
  },
  {
    name: 'datagrams without room, few and now',
    facts: { counters: [snmpWith('1000000 5 0 1000000 20 0'), snmpWith('1000000 5 0 1000000 23 0')] },
    want: ['datagrams-dropped: 23 datagrams without room in a socket since the start, 3 of them just now'],
  },
  {
    name: 'datagrams without room, one of them now',
    facts: { counters: [snmpWith('1000000 5 0 1000000 20 0'), snmpWith('1000000 5 0 1000000 21 0')] },
    want: ['datagrams-dropped: 21 datagrams without room in a socket since the start, 1 of them just now'],
  },
  {
    name: 'as many datagrams without room as may be, of both versions of IP',
    facts: { counters: [snmpWith('1000000 5 0 1000000 100 0'), snmpWith('1000000 5 0 1000000 100 0')] },
    want: [],
  },
  {
    name: 'one datagram more that could not be sent than may be',
    facts: { counters: [snmpWith('1000000 5 0 1000000 0 101'), snmpWith('1000000 5 0 1000000 0 101')] },
    want: ['datagrams-dropped: 101 datagrams that could not be sent since the start, none just now'],
  },
  {
    name: 'as many fragments without the others as may be',
    facts: { counters: [snmpWith('1 0 0 1 0 0', '100 40 1'), snmpWith('1 0 0 1 0 0', '100 40 1')] },
    want: [],
  },
  {
    name: 'one fragment more without the others than may be',
    facts: { counters: [snmpWith('1 0 0 1 0 0', '100 40 2'), snmpWith('1 0 0 1 0 0', '100 40 2')] },
    want: ['fragments-failed: 2 packets that could not be put together since the start, none just now'],
  },
  {
    name: 'a table of connections that is nearly full',
    facts: { conntrack: { count: 90, max: 100 } },
    want: ['conntrack-full: 90 of 100 connections'],
  },
  { name: 'a table of connections with room', facts: { conntrack: { count: 89, max: 100 } }, want: [] },
  {
    name: 'queries without room at a server of this host',
    facts: { counters: [counters(), counters({ udp: udpFile([LOCAL, 7]) })] },
    want: ['datagrams-dropped: 7 queries without room in a socket of port 53 since the start, 7 of them just now'],
  },
  {
    name: 'one query without room, some time ago',
    facts: { counters: [counters({ udp: udpFile([LOCAL, 1]) }), counters({ udp: udpFile([LOCAL, 1]) })] },
    want: ['datagrams-dropped: 1 queries without room in a socket of port 53 since the start, none just now'],
  },
  {
    name: 'few of many packets that the kernel did not get to, some time ago',
    facts: {
      counters: [counters({ softnet: '000f4240 00000010 0\n' }), counters({ softnet: '000f4240 00000010 0\n' })],
    },
    want: [],
  },
  {
    name: 'packets that the kernel did not get to',
    facts: {
      counters: [counters({ softnet: '000f4240 00001000 0\n' }), counters({ softnet: '000f4240 00001000 0\n' })],
    },
    want: ['packets-dropped: 4096 packets dropped before the kernel looked at them since the start, none just now'],
  },
  {
    name: 'fragments that do not arrive',
    facts: { counters: [snmpWith('1 0 0 1 0 0', '100 40 60'), snmpWith('1 0 0 1 0 0', '100 40 60')] },
    want: ['fragments-failed: 60 packets that could not be put together since the start, none just now'],
  },
  {
    name: 'a link that is too narrow',
    facts: {
      mtus: new Map([
        ['lo', 65_536],
        ['eth0', 1000],
        ['unused', 500],
      ]),
    },
    want: ['mtu-too-small: eth0 has an MTU of 1000 bytes'],
  },
  {
    name: 'links of two sizes',
    facts: {
      mtus: new Map([
        ['eth0', 9001],
        ['nodelocaldns', 1500],
      ]),
    },
    want: ['mtu-differs: eth0 9001, nodelocaldns 1500'],
  },
  {
    name: 'a listener without TCP',
    facts: { sockets: { udp: udpFile([LOCAL]), tcp: tcpFile() } },
    want: ['listener-without-tcp: 169.254.20.10 port 53'],
  },
  {
    name: 'a listener at all addresses beside one at some',
    facts: { sockets: { udp: udpFile([LOCAL], [ALL]), tcp: tcpFile(LOCAL), tcp6: tcpFile(ALL6) } },
    want: ['listener-hidden: all addresses, and 169.254.20.10 apart'],
  },
  {
    name: 'a service without endpoints',
    facts: {
      rules: `${HEALTHY.rules}-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns has no endpoints" -m udp --dport 53 -j REJECT\n`,
    },
    want: [
      'rules-refuse: -A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns has no endpoints" -m udp --dport 53 -j REJECT',
    ],
  },
  {
    name: 'a rule of nft that drops',
    facts: { rules: `${HEALTHY.rules}ip daddr 10.0.0.1 udp dport { 53, 5353 } counter drop\n` },
    want: ['rules-refuse: ip daddr 10.0.0.1 udp dport { 53, 5353 } counter drop'],
  },
  {
    name: 'a node cache without rules',
    facts: { rules: '' },
    want: ['rules-missing: nodelocaldns holds 169.254.20.10'],
  },
  {
    name: 'a node cache with rules for another address, and others for its own',
    facts: {
      rules:
        '-A OUTPUT -d 169.254.20.11/32 -p udp --dport 53 -j NOTRACK\n-A OUTPUT -d 169.254.20.10/32 -p udp -j ACCEPT\n',
    },
    want: ['rules-missing: nodelocaldns holds 169.254.20.10'],
  },
  {
    name: 'the narrowest link that IPv6 may have',
    facts: { mtus: new Map(['eth0', 'nodelocaldns'].map((device) => [device, 1280])) },
    want: [],
  },
  { name: 'a server that is nearly slow', facts: { servers: [{ ...SERVER, udp: { time: 500, rcode: 0 } }] }, want: [] },
  {
    name: 'the largest answer of one packet that does not arrive',
    facts: { servers: [{ ...SERVER, large: { size: 1472, udp: 'none' } }] },
    want: ['large-answers-lost: an answer of 1472 bytes from 10.96.0.10 does not arrive in one packet over UDP'],
  },
  { name: 'signatures in their last moment', facts: { now: Date.UTC(2026, 11, 1) }, want: [] },
  { name: 'signatures in their first moment', facts: { now: Date.UTC(2026, 10, 1) }, want: [] },
  {
    name: 'a clock that is ahead',
    facts: { now: Date.UTC(2026, 11, 1) + 60_000 },
    want: [
      'clock-wrong: this host has 2026-12-01 00:01, the signatures are valid from 2026-11-01 00:00 to 2026-12-01 00:00',
    ],
  },
  { name: 'just as many ports as are enough', facts: { portRange: '1 10000' }, want: [] },
  { name: 'a port less', facts: { portRange: '1 9999' }, want: ['ports-few: 9999 ports, 1 to 9999'] },
  { name: 'no range of ports', facts: { portRange: undefined }, want: [] },
  { name: 'half a range of ports', facts: { portRange: '9' }, want: [] },
  { name: 'a range of ports that is none', facts: { portRange: 'x 9' }, want: [] },
  { name: 'few ports', facts: { portRange: '60000 60999' }, want: ['ports-few: 1000 ports, 60000 to 60999'] },
  {
    name: 'one socket for all addresses, over UDP and TCP',
    facts: { sockets: { udp: udpFile([ALL]), tcp: tcpFile(ALL) } },
    want: [],
  },
  {
    name: 'fragments of both versions of IP that were not put together',
    facts: {
      counters: [
        snmpWith('1000000 5 0 1000000 0 0', '0 0 0'),
        {
          ...snmpWith('1000000 5 0 1000000 0 0', '100 90 7'),
          snmp6: 'Udp6InDatagrams 500\nUdp6RcvbufErrors 0\nIp6ReasmReqds 100\nIp6ReasmFails 5\n',
        },
      ],
    },
    want: [expect.stringMatching(/^fragments-failed: 12 /) as string],
  },
  {
    name: 'several things, the worst first',
    facts: {
      rules: undefined,
      resolvConf: 'search a.x b.x c.x d.x e.x\nnameserver 10.96.0.10\noptions ndots:5\n',
      servers: [{ ...SERVER, udp: undefined, tcp: undefined }],
    },
    want: [
      'server-silent: 10.96.0.10 does not answer',
      'resolv-conf-search: 5 search domains and ndots 5: up to 12 queries for a name outside',
      'facts-missing: rules (iptables-save, nft)',
    ],
  },
  {
    name: 'no rights',
    facts: { rules: undefined, conntrack: undefined },
    want: ['facts-missing: rules (iptables-save, nft), conntrack'],
  },
];

const told = (facts: Partial<NodeFacts>): string[] =>
  diagnose({ ...HEALTHY, ...facts }).map(({ name, text }) => `${name}: ${text}`);

describe('a node with', () => {
  it.each(ROWS)('$name', ({ facts, want }) => expect(told(facts)).toEqual(want));
  it('anything that has a name has a row', () => {
    const seen = new Set(ROWS.flatMap(({ facts }) => diagnose({ ...HEALTHY, ...facts }).map(({ name }) => name)));
    expect(Object.keys(SYMPTOMS).filter((name) => !seen.has(name as keyof typeof SYMPTOMS))).toEqual([]);
  });
});

describe('addresses of the kernel', () => {
  it.each([
    { text: LOCAL, want: '169.254.20.10' },
    { text: ALL6, want: '::' },
    { text: '0000000000000000FFFF00000A14FEA9:0035', want: '169.254.20.10' },
    { text: 'B80D0120000000000000000001000000:0035', want: '2001:db8::1' },
  ])('$text is $want', ({ text, want }) =>
    expect(socketsIn(udpFile([text])).map(({ address }) => address)).toEqual([want]),
  );
  it('connected sockets are none that take queries', () =>
    expect(socketsIn(`head\n 0: ${LOCAL} 0500000A:0035 01 0:0 0:0 0 0 0 1 2 0 0`)).toEqual([]));
});

describe('the page', () => {
  const facts: NodeFacts = {
    ...HEALTHY,
    servers: [{ ...SERVER, tcp: undefined }],
    portRange: '60000 60999',
    rules: undefined,
  };
  const symptoms = diagnose(facts);
  it('shows what there is, then what is wrong', () => {
    const text = doctorText(facts, symptoms);
    expect(text).toContain('server       10.96.0.10:53  UDP 0.4 ms, TCP silent, 1139 bytes over UDP: whole\n');
    expect(text).toContain('conntrack    1000 of 262144\n');
    expect(text).toContain('\nwarning: 1000 ports, 60000 to 60999 [ports-few]\n    Few ports are left');
  });
  it.each([
    { name: 'what listens there', sockets: HEALTHY.sockets, want: '169.254.20.10' },
    {
      name: 'each address once',
      sockets: { udp: udpFile([LOCAL], [STUB], [LOCAL]) },
      want: '169.254.20.10, 127.0.0.53',
    },
    {
      name: 'nobody, where another port is listened at',
      sockets: { udp: udpFile(['0A14FEA9:0036']) },
      want: 'nothing listens',
    },
  ])('shows of port 53 $name', ({ sockets, want }) =>
    expect(doctorText({ ...HEALTHY, sockets }, [])).toContain(`\nport 53      ${want}\n`),
  );
  it('says so where nothing is', () => expect(doctorText(HEALTHY, [])).toMatch(/\n\nnothing found\n$/));
  it('is JSON for programs, a member a line', () =>
    expect(doctorJson(facts, [])).toMatch(/^\{\n {2}"servers": \[\n {4}\{/));
  it('is JSON for programs', () =>
    expect(JSON.parse(doctorJson(facts, symptoms))).toMatchObject({
      symptoms: [{ name: 'tcp-silent' }, { name: 'ports-few', urgency: 'warning' }, { name: 'facts-missing' }],
    }));
  it.each([
    { name: 'nothing', facts: {}, want: 0 },
    { name: 'a note', facts: { rules: undefined }, want: 0 },
    { name: 'a warning', facts: { portRange: '1 2' }, want: 1 },
    { name: 'what breaks lookups', facts: { resolvConf: undefined }, want: 2 },
  ])('exit code for $name is $want', ({ facts, want }) =>
    expect(doctorExitCode(diagnose({ ...HEALTHY, ...facts }))).toBe(want),
  );
});
