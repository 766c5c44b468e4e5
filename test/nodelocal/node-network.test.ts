import { beforeEach, describe, expect, it } from 'vitest';
import { Metrics } from '../../src/metrics/metrics.js';
import type { Endpoint } from '../../src/net/network.js';
import { parseNodeCacheFlags } from '../../src/nodelocal/flags.js';
import { setupErrors } from '../../src/nodelocal/metrics.js';
import { NodeNetwork } from '../../src/nodelocal/node-network.js';
import { Report } from '../../src/nodelocal/report.js';
import type { RunResult } from '../../src/nodelocal/run.js';
import { TestLog } from '../support/block.js';
import { FakeNode, insertArgs } from './fake-node.js';
import { ADDED, SAVED } from './recorded.js';

const TWO = ['-localip', '169.254.20.10,10.96.0.10'];

let node: FakeNode;
let others: Endpoint[];
let log: TestLog;
let errors: ReturnType<typeof setupErrors>;

beforeEach(() => {
  node = new FakeNode();
  others = [];
  log = new TestLog();
  errors = setupErrors(new Metrics());
});

function network(...args: string[]): NodeNetwork {
  return new NodeNetwork(parseNodeCacheFlags(args), {
    run: node.run,
    report: new Report(log, errors),
    placesOfOthers: () => others,
  });
}

/** As a start does it, and the first check after it. */
async function setUp(...args: string[]): Promise<NodeNetwork> {
  const made = network(...args);
  await made.setUpLink();
  await made.sync();
  return made;
}

const counts = (): Record<string, number> =>
  Object.fromEntries(
    Object.entries(errors)
      .filter(([, { value }]) => value > 0)
      .map(([type, { value }]) => [type, value]),
  );
const failure = (stderr: string, code = 1): RunResult => ({ code, stdout: '', stderr });

describe('the link', () => {
  it('is made with its addresses, and left down as node-cache leaves it', async () => {
    await network(...TWO).setUpLink();
    expect(node.link('nodelocaldns')).toEqual({
      name: 'nodelocaldns',
      type: 'dummy',
      up: false,
      addresses: ['169.254.20.10/32', '10.96.0.10/32'],
      mac: '6e:6f:64:65:6e:73',
    });
    expect(log.lines).toEqual(['[INFO] Added interface - nodelocaldns']);
  });

  it('is brought up for an IPv6 address, which is not checked for doubles', async () => {
    await network('-localip', '169.254.20.10,fd00::10').setUpLink();
    expect(node.changes()).toEqual([
      'ip link add nodelocaldns address 6e:6f:64:65:6e:73 type dummy',
      'ip addr add 169.254.20.10/32 dev nodelocaldns',
      'ip addr add fd00::10/128 dev nodelocaldns nodad',
      'ip link set nodelocaldns up',
    ]);
  });

  it('is a bridge where the kernel knows no dummy', async () => {
    node.types = ['bridge'];
    await network(...TWO).setUpLink();
    expect(node.link('nodelocaldns')).toMatchObject({
      type: 'bridge',
      addresses: ['169.254.20.10/32', '10.96.0.10/32'],
    });
    expect(log.lines).toEqual([
      '[WARNING] this kernel knows no links of type dummy: nodelocaldns is a bridge without ports instead, which holds the addresses as well',
      '[INFO] Added interface - nodelocaldns',
    ]);
    expect(counts()).toEqual({});
  });

  it('is left alone when it is there', async () => {
    const made = network('-localip', '169.254.20.10,fd00::10');
    await made.setUpLink();
    node.changes();
    await made.setUpLink();
    await made.sync();
    expect(node.changes().filter((line) => line.startsWith('ip '))).toEqual([]);
  });

  it('gets back an address that was lost', async () => {
    const made = await setUp(...TWO);
    node.link('nodelocaldns')!.addresses.pop();
    await made.sync();
    expect(node.link('nodelocaldns')!.addresses).toEqual(['169.254.20.10/32', '10.96.0.10/32']);
  });

  it('comes back when somebody took it away', async () => {
    const made = await setUp(...TWO);
    await node.run('ip', ['link', 'del', 'nodelocaldns']);
    await made.sync();
    expect(node.link('nodelocaldns')!.addresses).toEqual(['169.254.20.10/32', '10.96.0.10/32']);
  });

  it('loses the addresses of a predecessor with other flags', async () => {
    await network('-localip', '169.254.20.10,10.96.0.11,fd00::11').setUpLink();
    await network(...TWO).setUpLink();
    expect(node.link('nodelocaldns')!.addresses.sort()).toEqual(['10.96.0.10/32', '169.254.20.10/32']);
    expect(log.lines.at(-1)).toBe(
      '[INFO] Removing address fd00::11 from interface nodelocaldns, which is none of -localip',
    );
  });

  it('is not made when that is not wanted', async () => {
    await (await setUp(...TWO, '-setupinterface=false', '-setupiptables=false')).removeLink();
    expect(node.commands).toEqual([]);
  });

  it.each([
    {
      name: 'cannot be looked at',
      failing: 'ip -d -j',
      count: { interface_check: 1 },
      line: '[ERROR] Error checking dummy device nodelocaldns - ip -d -j addr show: no (exit 1)',
    },
    {
      name: 'cannot be made',
      failing: 'ip link add',
      count: { interface_add: 1 },
      line: '[ERROR] Failed to add non-existent interface nodelocaldns: ip link add nodelocaldns address 6e:6f:64:65:6e:73 type dummy: no (exit 1)',
    },
    {
      name: 'takes no address',
      failing: 'ip addr add 10',
      count: { interface_add: 1 },
      line: '[ERROR] Failed to add an address of interface nodelocaldns: ip addr add 10.96.0.10/32 dev nodelocaldns: no (exit 1)',
    },
  ])('that $name is counted and told', async ({ failing, count, line }) => {
    node.failing = { [failing]: failure('no\n') };
    await network(...TWO).setUpLink();
    expect(counts()).toEqual(count);
    expect(log.lines).toContain(line);
  });

  it('is removed; one that is gone already is no fault', async () => {
    const made = network(...TWO);
    await made.setUpLink();
    await made.removeLink();
    expect(node.link('nodelocaldns')).toBeUndefined();
    await made.removeLink();
    expect(counts()).toEqual({});
  });

  it('that cannot be removed is counted', async () => {
    const made = network(...TWO);
    await made.setUpLink();
    node.failing = { 'ip link del': failure('Operation not permitted') };
    await made.removeLink();
    expect(log.lines.slice(1)).toEqual(['[ERROR] Failed to remove interface nodelocaldns: Operation not permitted']);
    expect(counts()).toEqual({ interface_check: 1 });
  });
});

describe('a link that no node cache made', () => {
  const FOREIGN = {
    name: 'nodelocaldns',
    type: 'vlan',
    up: true,
    addresses: ['192.0.2.7/24'],
    mac: '02:00:00:00:00:07',
  };

  it.each([
    { name: 'of another kind', link: FOREIGN, kind: 'vlan' },
    { name: 'that is a device', link: { ...FOREIGN, type: '' }, kind: 'a device' },
    { name: 'that is a dummy with another address', link: { ...FOREIGN, type: 'dummy' }, kind: 'dummy' },
    { name: 'that is a dummy without addresses', link: { ...FOREIGN, type: 'dummy', addresses: [] }, kind: 'dummy' },
  ])('$name is never touched, and that is told', async ({ link, kind }) => {
    node.links.push({ ...link });
    const made = await setUp(...TWO, '-setupiptables=false');
    await made.removeLink();
    expect([node.link('nodelocaldns'), node.changes()]).toEqual([link, []]);
    expect(counts()).toEqual({ interface_check: 2 });
    expect(log.lines[0]).toBe(
      `[ERROR] Interface nodelocaldns was not made by a node cache (${kind}): it is left as it is; -interfacename takes a name of its own, and -setupinterface=false addresses that are there`,
    );
  });

  it('is served at where it holds the addresses, and stays', async () => {
    const link = { ...FOREIGN, addresses: ['192.0.2.7/24', '169.254.20.10/32', '10.96.0.10/32'] };
    node.links.push({ ...link });
    await (await setUp(...TWO, '-setupiptables=false')).removeLink();
    expect([node.link('nodelocaldns'), counts()]).toEqual([link, {}]);
  });

  it('but another program for the same addresses is taken over', async () => {
    node.links.push({ ...FOREIGN, type: 'dummy', addresses: ['169.254.20.10/32'] });
    const made = await setUp(...TWO);
    expect(node.link('nodelocaldns')!.addresses).toEqual(['169.254.20.10/32', '10.96.0.10/32']);
    await made.removeLink();
    expect(node.link('nodelocaldns')).toBeUndefined();
  });
});

describe('what another instance relies on', () => {
  it('stays of the link: addresses at which it listens', async () => {
    await network('-localip', '169.254.20.10,10.96.0.11,10.96.0.12').setUpLink();
    others = [{ address: '10.96.0.11', port: 53 }];
    await network(...TWO).setUpLink();
    expect(node.link('nodelocaldns')!.addresses.sort()).toEqual(['10.96.0.10/32', '10.96.0.11/32', '169.254.20.10/32']);
  });

  it('stays of the rules: those for its health port', async () => {
    await setUp(...TWO, '-health-port', '8181');
    others = [
      { address: '169.254.20.10', port: 53 },
      { address: '169.254.20.10', port: 8181 },
    ];
    await setUp(...TWO);
    expect(node.saved().filter((line) => line.includes('8181'))).toHaveLength(4);
  });
});

describe('iptables of the host', () => {
  const HINT = 'KUBE-IPTABLES-HINT';
  const rule = '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT';

  it.each<{
    name: string;
    chains?: Record<string, string[]>;
    rules?: Record<string, number>;
    flags?: string[];
    want: string;
    said?: string;
  }>([
    {
      name: "by the kubelet's hint",
      chains: { 'iptables-legacy': [HINT] },
      want: 'iptables-legacy',
      said: 'Using iptables-legacy, which holds the rules of kubelet',
    },
    {
      name: "by the kubelet's canary, of IPv6",
      chains: { 'ip6tables-legacy': ['KUBE-KUBELET-CANARY'] },
      want: 'iptables-legacy',
      said: 'Using iptables-legacy, which holds the rules of kubelet',
    },
    {
      name: 'by the kubelet before kube-proxy',
      chains: { 'iptables-nft': ['KUBE-SERVICES'], 'iptables-legacy': [HINT] },
      want: 'iptables-legacy',
      said: 'Using iptables-legacy, which holds the rules of kubelet',
    },
    {
      name: 'by kube-proxy before the number of rules',
      chains: { 'iptables-nft': ['KUBE-SERVICES'] },
      rules: { 'iptables-legacy': 3 },
      want: 'iptables-nft',
      said: 'Using iptables-nft, which holds the rules of kube-proxy',
    },
    {
      name: 'by the number of rules',
      rules: { 'iptables-legacy': 3, 'iptables-nft': 1 },
      want: 'iptables-legacy',
      said: 'Using iptables-legacy, which holds 3 rules, iptables-nft 1',
    },
    { name: 'that holds nothing', want: 'iptables' },
    {
      name: 'that the flags name',
      chains: { 'iptables-nft': [HINT] },
      flags: ['-iptables-mode', 'legacy'],
      want: 'iptables-legacy',
    },
  ])('$name is the one whose rules are changed', async ({ chains = {}, rules = {}, flags = [], want, said }) => {
    for (const [command, list] of Object.entries(chains)) node.chains.set(command, list);
    for (const [command, count] of Object.entries(rules))
      for (let i = 0; i < count; i++) await node.run(command, insertArgs('filter', rule));
    const made = await setUp(...TWO, ...flags);
    expect(node.saved(want).filter((line) => line.includes('NodeLocal'))).toEqual(SAVED);
    expect(log.lines.filter((line) => line.includes('Using'))).toEqual(said === undefined ? [] : [`[INFO] ${said}`]);
    node.commands.length = 0;
    await made.removeRules();
    expect(node.saved(want).filter((line) => line.includes('NodeLocal'))).toEqual([]);
    expect(node.commands).toEqual([`${want}-save -t raw`, `${want}-save -t filter`, `${want}-restore -w 5 --noflush`]);
  });
});

describe('iptables-legacy that may not be read', () => {
  const DENIED = 'iptables-save v1.8.9 (legacy): Cannot initialize: Permission denied (you must be root)\n';

  it('is told and counted, as rules may be in vain', async () => {
    node.failing = { 'iptables-legacy-save': failure(DENIED) };
    await setUp(...TWO);
    expect(counts()).toEqual({ iptables: 1 });
    expect(log.lines).toContain(
      `[ERROR] Error listing rules of iptables-legacy, which a host that has them needs: ${DENIED.trim()}; the container needs CAP_NET_RAW as well`,
    );
  });

  it('is nothing to tell where the kubelet uses iptables-nft', async () => {
    node.failing = { 'iptables-legacy-save': failure(DENIED) };
    node.chains.set('iptables-nft', ['KUBE-KUBELET-CANARY']);
    await setUp(...TWO);
    expect(counts()).toEqual({});
  });
});

describe('rules by iptables', () => {
  it('are set, and removed, by one command', async () => {
    const made = await setUp(...TWO);
    expect(node.changes().filter((line) => line.startsWith('iptables'))).toEqual(['iptables-restore -w 5 --noflush']);
    await made.removeRules();
    expect(node.changes()).toEqual(['iptables-restore -w 5 --noflush']);
  });

  it('end up in the order of a real node, and are told as there', async () => {
    await setUp(...TWO);
    expect(node.saved()).toEqual(SAVED);
    expect(log.lines.filter((line) => line.includes('Added back'))).toEqual(ADDED.map((line) => `[INFO] ${line}`));
    expect(node.saved('ip6tables')).toEqual([]);
  });

  it('wait for the lock of xtables', async () => {
    await setUp(...TWO);
    expect(node.commands.filter((line) => / -[ICD] /.test(line) && !line.startsWith('iptables -w 5 '))).toEqual([]);
  });

  it('are set for each family by its own program', async () => {
    await setUp('-localip', '169.254.20.10,fd00::10');
    expect([node.saved().length, node.saved('ip6tables').length]).toEqual([12, 12]);
  });

  it('are not asked for where the family is not wanted', async () => {
    await setUp(...TWO);
    expect(node.commands.filter((line) => /^ip6tables(?!-(nft|legacy)-save$)/.test(line))).toEqual([]);
  });

  it('cost two commands a check when nothing is missing', async () => {
    const made = await setUp(...TWO);
    node.commands.length = 0;
    await made.sync();
    expect(node.commands).toEqual(['iptables-save -t raw', 'iptables-save -t filter', 'ip -d -j addr show']);
  });

  it('come back one by one', async () => {
    const made = await setUp(...TWO);
    node.rules.get('iptables raw PREROUTING')!.splice(1, 1);
    log.lines.length = 0;
    await made.sync();
    expect(log.lines).toEqual([
      '[INFO] Added back nodelocaldns rule - {raw PREROUTING [-p tcp -d 10.96.0.10 --dport 53 -j NOTRACK -m comment --comment NodeLocal DNS Cache: skip conntrack]}',
    ]);
    expect(node.saved().sort()).toEqual([...SAVED].sort());
  });

  it.each([
    { name: 'in words of its own', listedAs: (line: string) => line.replace('-m udp ', '') },
    {
      name: 'with the target that NOTRACK has become',
      listedAs: (line: string) => line.replace('-j NOTRACK', '-j CT --notrack'),
    },
  ])('of a version that lists them $name are not doubled', async ({ listedAs }) => {
    node.listedAs = listedAs;
    await (await setUp(...TWO)).sync();
    expect(node.saved()).toEqual(SAVED);
  });

  it('left by a killed predecessor are recognised', async () => {
    await setUp(...TWO);
    node.changes();
    await setUp(...TWO);
    expect(node.changes()).toEqual([]);
    expect(node.saved()).toEqual(SAVED);
  });

  it('that a predecessor doubled become single', async () => {
    await setUp(...TWO);
    await node.run('iptables', insertArgs('raw', SAVED[0]!));
    await setUp(...TWO);
    expect(node.saved()).toEqual(SAVED);
  });

  it('of a predecessor with another health port go', async () => {
    await setUp(...TWO, '-health-port', '8181');
    await setUp(...TWO);
    expect(node.saved().sort()).toEqual([...SAVED].sort());
  });

  it('for an address that nobody holds any more go', async () => {
    await setUp('-localip', '169.254.20.10,10.96.0.11');
    await setUp(...TWO);
    expect(node.saved().filter((line) => line.includes('10.96.0.11'))).toEqual([]);
    expect(log.lines.filter((line) => line.includes('left-over'))).toHaveLength(12);
  });

  it('of another node cache, with a link of its own, stay', async () => {
    await setUp('-localip', '169.254.20.11', '-interfacename', 'other');
    await setUp(...TWO);
    expect(node.saved().filter((line) => line.includes('169.254.20.11'))).toHaveLength(12);
  });

  it('of another node cache stay where links cannot be listed', async () => {
    await setUp('-localip', '169.254.20.11', '-interfacename', 'other');
    node.failing = { 'ip -d -j': failure('no') };
    await network(...TWO).sync();
    expect(node.saved().filter((line) => line.includes('169.254.20.11'))).toHaveLength(12);
  });

  it('of others stay', async () => {
    const foreign = '-A INPUT -p tcp -m tcp --dport 53 -j DROP';
    await node.run('iptables', insertArgs('filter', foreign));
    await (await setUp(...TWO)).removeRules();
    expect(node.saved()).toEqual([foreign]);
  });

  it('of others for an address that no link holds stay at the start', async () => {
    const foreign = '-A PREROUTING -d 10.96.0.99/32 -p udp -m udp --dport 53 -j NOTRACK';
    await node.run('iptables', insertArgs('raw', foreign));
    await setUp(...TWO);
    expect(node.saved()).toContain(foreign);
  });

  it('are removed where they are listed by the target that NOTRACK has become', async () => {
    node.listedAs = (line) => line.replace('-j NOTRACK', '-j CT --notrack');
    await (await setUp(...TWO)).removeRules();
    expect(node.saved()).toEqual([]);
  });

  it('of a predecessor are recognised where they are listed by the target that NOTRACK has become', async () => {
    await setUp(...TWO);
    node.listedAs = (line) => line.replace('-j NOTRACK', '-j CT --notrack');
    node.commands.length = 0;
    await setUp(...TWO);
    // Nor is the kernel asked for each of them, which is done for words that are not known.
    expect(node.commands.filter((line) => line.includes(' -C '))).toEqual([]);
    expect(node.changes()).toEqual([]);
  });

  it('are not added while those that are there cannot be listed', async () => {
    node.failing = { 'iptables-save': failure('no') };
    await network(...TWO).sync();
    expect(node.changes().filter((line) => line.startsWith('iptables'))).toEqual([]);
  });

  it('are removed however often they are there', async () => {
    const made = await setUp(...TWO);
    await node.run('iptables', insertArgs('raw', SAVED[0]!));
    await made.removeRules();
    expect(node.saved()).toEqual([]);
  });

  it('stay away after their removal', async () => {
    const made = await setUp(...TWO);
    await made.removeRules();
    await made.sync();
    expect(node.saved()).toEqual([]);
  });

  it('are removed after a check that is under way', async () => {
    const made = network(...TWO);
    void made.sync();
    await made.removeRules();
    expect(node.saved()).toEqual([]);
  });

  const HELD =
    'Another app is currently holding the xtables lock; still 5s 0us time ahead to have a chance to grab the lock...';
  it.each([
    {
      name: 'listing',
      failing: 'iptables-save -t filter',
      stderr: 'no',
      count: { iptables: 1 },
      line: '[ERROR] Error listing iptables rules of table filter, error - iptables-save -t filter: no (exit 1)',
    },
    {
      name: 'adding',
      failing: 'iptables -w 5 -t raw -I PREROUTING -d 10.96.0.10/32 -p udp',
      stderr: 'no chain',
      count: { iptables: 1 },
      line: '[ERROR] Error checking/adding iptables rule {raw PREROUTING [-p udp -d 10.96.0.10 --dport 53 -j NOTRACK -m comment --comment NodeLocal DNS Cache: skip conntrack]}, error - iptables -w 5 -t raw -I PREROUTING -d 10.96.0.10/32 -p udp -m udp --dport 53 -m comment --comment NodeLocal DNS Cache: skip conntrack -j NOTRACK: no chain (exit 1)',
    },
  ])('fail to be set: $name', async ({ failing, stderr, count, line }) => {
    node.failing = { [failing]: failure(stderr) };
    await network(...TWO).sync();
    expect(counts()).toEqual(count);
    expect(log.lines).toContain(line);
  });

  it('held up by the lock are counted apart, and not tried again before the next check', async () => {
    node.failing = { 'iptables-restore': failure(HELD, 4) };
    const made = network(...TWO);
    await made.sync();
    expect([counts(), node.changes().filter((line) => line.startsWith('iptables')).length]).toEqual([
      { iptables_lock: 1 },
      1,
    ]);
    node.failing = {};
    await made.sync();
    expect(node.saved()).toEqual(SAVED);
  });

  it('that are in the way of each other are set one by one', async () => {
    node.failing = { 'iptables -w 5 -t raw -I OUTPUT': failure('no chain') };
    await network(...TWO).sync();
    expect(counts()).toEqual({ iptables: 12 });
    expect(node.saved()).toHaveLength(12);
  });

  it('that cannot be removed are counted', async () => {
    const made = await setUp(...TWO);
    node.failing = { 'iptables -w 5 -t filter -D INPUT -d 10.96.0.10/32 -p udp': failure('no') };
    await made.removeRules();
    expect(counts()).toEqual({ iptables: 1 });
    expect(node.saved()).toEqual([SAVED[16]]);
  });

  it('are neither set nor removed when that is not wanted', async () => {
    await (await setUp(...TWO, '-setupiptables=false')).removeRules();
    expect(node.commands.filter((line) => line.includes('tables'))).toEqual([]);
  });
});

describe('rules by nft', () => {
  const NFT = [...TWO, '-backend', 'nft'];
  const TABLE = 'nodens-nodelocaldns';

  it('stand in a table of their own, and are told as those of iptables', async () => {
    await setUp(...NFT);
    expect(node.tables.get(TABLE)).toHaveLength(24);
    expect(node.tables.get(TABLE)![0]).toBe(
      'raw_prerouting NodeLocal DNS Cache: skip conntrack, udp to 10.96.0.10 port 53',
    );
    expect(log.lines.filter((line) => line.includes('Added back')).sort()).toEqual(
      ADDED.map((line) => `[INFO] ${line}`).sort(),
    );
    expect(node.commands.some((line) => line.startsWith('iptables'))).toBe(false);
  });

  it('cost one command a check when nothing is missing', async () => {
    const made = await setUp(...NFT);
    node.commands.length = 0;
    await made.sync();
    expect(node.commands).toEqual([`nft -j list table inet ${TABLE}`, 'ip -d -j addr show']);
  });

  it.each([
    { name: 'one is missing', change: (rules: string[]) => void rules.pop() },
    {
      name: 'there is one more',
      change: (rules: string[]) =>
        void rules.push('raw_output NodeLocal DNS Cache: skip conntrack, udp to 10.96.0.11 port 53'),
    },
  ])('are all put in place anew when $name', async ({ change }) => {
    const made = await setUp(...NFT);
    const whole = [...node.tables.get(TABLE)!];
    change(node.tables.get(TABLE)!);
    await made.sync();
    expect(node.tables.get(TABLE)).toEqual(whole);
  });

  it('go with their table; one that is gone already is no fault', async () => {
    const made = await setUp(...NFT);
    await made.removeRules();
    expect([...node.tables]).toEqual([]);
    await made.removeRules();
    expect(counts()).toEqual({});
  });

  it.each([
    {
      name: 'listed',
      failing: 'nft -j list',
      line: `[ERROR] Error checking/adding nft table ${TABLE}, error - nft -j list table inet ${TABLE}: Operation not permitted (exit 1)`,
    },
    {
      name: 'set',
      failing: 'nft -f',
      line: `[ERROR] Error checking/adding nft table ${TABLE}, error - nft -f -: Operation not permitted (exit 1)`,
    },
    {
      name: 'removed',
      failing: 'nft delete',
      line: `[ERROR] Failed deleting nft table ${TABLE}, error - Operation not permitted`,
    },
  ])('that cannot be $name are counted', async ({ failing, line }) => {
    node.failing = { [failing]: failure('Operation not permitted\n') };
    await (await setUp(...NFT)).removeRules();
    expect(counts()).toEqual({ iptables: 1 });
    expect(log.lines).toContain(line);
  });
});
