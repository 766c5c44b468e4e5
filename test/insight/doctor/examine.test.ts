import { describe, expect, it } from 'vitest';
import { examine } from '../../../src/insight/doctor/examine.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { FakeNetwork, elapse } from '../../support/fake-network.js';

/** What a host says whose files and programs say this. */
async function facts(
  files: Readonly<Record<string, string | undefined>>,
  programs: Readonly<Record<string, string | undefined>> = {},
) {
  const clock = new ManualClock();
  const sources = {
    clock,
    // Nobody answers there.
    network: new FakeNetwork(clock),
    readFile: (path: string) => files[path],
    list: (path: string) => (path === '/sys/class/net' ? ['eth0', 'lo'] : []),
    run: (program: string, ...args: string[]) => programs[[program, ...args].join(' ')],
  };
  const options = { servers: [], name: 'a.', timeout: 1000, watch: 2000, resolvConf: '/etc/resolv.conf' };
  const found = examine(sources, options);
  await elapse(clock, 2000);
  return found;
}

describe('what is looked at of a host', () => {
  const TABLE = 'table ip filter {\n  chain x {\n  }\n}\n';
  const OWN = 'table inet own {\n}\n';
  const nft = (text: string) => ({ 'nft list ruleset': text });
  it.each([
    { name: 'no program', programs: {}, want: undefined },
    { name: 'nft alone', programs: nft(TABLE + OWN), want: TABLE + OWN },
    { name: 'iptables alone', programs: { 'iptables-save': '-A 4' }, want: '-A 4' },
    { name: 'both versions', programs: { 'iptables-save': '-A 4', 'ip6tables-save': '-A 6' }, want: '-A 4\n-A 6' },
    { name: 'both kinds', programs: { 'iptables-save': '-A 4', ...nft(TABLE + OWN) }, want: `-A 4\n${OWN}` },
    { name: 'version 6 and nft', programs: { 'ip6tables-save': '-A 6', ...nft(TABLE + OWN) }, want: `-A 6\n${OWN}` },
  ])('rules: $name', async ({ programs, want }) => expect((await facts({}, programs)).rules).toBe(want));

  const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack_';
  it.each([
    { name: 'both', files: { [`${CONNTRACK}count`]: '7', [`${CONNTRACK}max`]: '9' }, want: { count: 7, max: 9 } },
    { name: 'no count', files: { [`${CONNTRACK}max`]: '9' }, want: undefined },
    { name: 'no limit', files: { [`${CONNTRACK}count`]: '7' }, want: undefined },
  ])('connections: $name', async ({ files, want }) => expect((await facts(files)).conntrack).toEqual(want));

  it('its files', async () => {
    const found = await facts({
      '/etc/resolv.conf': 'search a\n',
      '/run/systemd/resolve/resolv.conf': 'search b\n',
      '/sys/class/net/eth0/mtu': '1500',
      '/sys/class/net/lo/mtu': '65536',
      '/proc/net/udp': 'u',
      '/proc/net/udp6': 'u6',
      '/proc/net/tcp': 't',
      '/proc/net/tcp6': 't6',
      '/proc/net/snmp': 's',
      '/proc/net/snmp6': 's6',
      '/proc/net/softnet_stat': 'n',
      '/proc/net/stat/nf_conntrack': 'c',
      '/proc/sys/net/ipv4/ip_local_port_range': '1 2',
    });
    const counters = { snmp: 's', snmp6: 's6', softnet: 'n', conntrack: 'c', udp: 'u', udp6: 'u6' };
    expect(found).toEqual({
      resolvConf: 'search a\n',
      upstreamConf: 'search b\n',
      addresses: new FakeNetwork().interfaces(),
      mtus: new Map([
        ['eth0', 1500],
        ['lo', 65_536],
      ]),
      sockets: { udp: 'u', udp6: 'u6', tcp: 't', tcp6: 't6' },
      counters: [counters, counters],
      conntrack: undefined,
      portRange: '1 2',
      rules: undefined,
      servers: [expect.objectContaining({ address: '127.0.0.1', port: 53 }) as object],
      now: expect.any(Number) as number,
    });
  });
});
