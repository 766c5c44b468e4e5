import { describe, expect, it } from 'vitest';
import { DROP, Query, QueryContext, Reply, type Outcome } from '../../../src/chain/index.js';
import type { Network } from '../../../src/net/network.js';
import { loop } from '../../../src/plugins/loop/setup.js';
import { setup, type TestBlock } from '../../support/block.js';
import { SERVER, client, query, reply } from '../../support/dns.js';

/** What stands at the other end of a probe: gets the query's bytes, may answer by `deliver` or fail by `refuse`. */
type Listener = (
  bytes: Buffer,
  probe: { port: number; deliver: (bytes: Buffer) => void; refuse: (error: Error) => void },
) => void;

/** A network whose UDP sockets lead to `listener`, each from a port of its own. */
class ProbeNetwork {
  readonly targets: { address: string; port: number }[] = [];
  open = 0;
  /** What opening a socket fails with. */
  fails: Error | undefined;
  constructor(public listener: Listener) {}

  readonly network: Network = {
    connectUdp: (to, deliver, refuse) => {
      this.targets.push(to);
      if (this.fails) return Promise.reject(this.fails);
      const port = 50000 + this.targets.length;
      this.open++;
      return Promise.resolve({
        local: { address: '127.0.0.1', port },
        send: (bytes) => this.listener(Buffer.from(bytes), { port, deliver, refuse }),
        close: () => void this.open--,
      });
    },
    bindUdp: () => Promise.reject(new Error('loop opens one kind of socket')),
    listenTcp: () => Promise.reject(new Error('loop opens one kind of socket')),
    connectTcp: () => Promise.reject(new Error('loop opens one kind of socket')),
    interfaces: () => [],
  };
}

/** A query as it would come in, with these bytes, from this port. */
const incoming = (bytes: Buffer, port: number, address = '127.0.0.1'): Query =>
  new Query(bytes, new QueryContext({ ...client(), remote: { address, port } }, 0));

/** The bytes back as a response. */
function response(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[2]! |= 0x80;
  return copy;
}

interface Made {
  block: TestBlock;
  net: ProbeNetwork;
  ask: (asked: Query, next?: (asked: Query) => Outcome) => Outcome;
}
function made(listener: Listener = () => undefined, zones?: string[]): Made {
  const net = new ProbeNetwork(listener);
  const { block, ask } = setup(loop, 'loop', { network: net.network, ...(zones ? { zones } : {}) });
  return { block, net, ask: (asked, next = () => reply()) => ask(asked, next) as Outcome };
}

describe('loop', () => {
  it.each([
    { name: 'the root', zones: ['.'], tail: '' },
    { name: 'the first of several zones', zones: ['cluster.local.', 'in-addr.arpa.'], tail: 'cluster.local.' },
  ])('asks for two numbers below $name', async ({ zones, tail }) => {
    const asked: Query[] = [];
    const { block } = made((bytes) => void asked.push(incoming(bytes, 1)), zones);
    await block.run('serving');
    await block.clock.advanceAsync(0);
    expect(asked).toHaveLength(1);
    expect(asked[0]!.name).toMatch(new RegExp(`^\\d{1,19}\\.\\d{1,19}\\.${tail}$`));
    expect({ type: asked[0]!.typeName, rd: asked[0]!.recursionDesired, edns: asked[0]!.hasEdns }).toEqual({
      type: 'HINFO',
      rd: true,
      edns: false,
    });
    await block.run('stop');
  });

  it.each([
    { name: 'its own address', address: '10.96.0.10', to: '10.96.0.10' },
    { name: 'the loopback, listening on all addresses', address: '', to: '127.0.0.1' },
    { name: 'the loopback, listening on all IPv4 addresses', address: '0.0.0.0', to: '127.0.0.1' },
    { name: 'the IPv6 loopback, listening on all IPv6 addresses', address: '::', to: '::1' },
  ])('asks $name', async ({ address, to }) => {
    const { block, net } = made();
    block.served = [{ ...SERVER, address, port: 1053 }, SERVER];
    await block.run('serving');
    expect(net.targets).toEqual([{ address: to, port: 1053 }]);
    await block.run('stop');
  });

  it('is done with the first reply, whatever that says', async () => {
    let probe: Buffer | undefined;
    const { block, net, ask } = made((bytes, { port, deliver }) => {
      probe = bytes;
      expect(ask(incoming(bytes, port))).toBeInstanceOf(Reply);
      const wrongId = response(bytes);
      wrongId[0]! ^= 1;
      deliver(wrongId);
      deliver(bytes);
      deliver(Buffer.alloc(4));
      setImmediate(() => deliver(response(bytes)));
    });
    await block.run('serving');
    await block.clock.advanceAsync(60_000);
    expect(net.targets).toHaveLength(1);
    expect(net.open).toBe(0);
    expect(block.clock.pending).toBe(0);
    for (let port = 1; port < 6; port++) expect(ask(incoming(probe!, port))).toBeInstanceOf(Reply);
    expect(block.fatals).toEqual([]);
  });

  const silent: { name: string; listener: Listener; fails?: Error; tries: number }[] = [
    { name: 'no reply', listener: () => undefined, tries: 10 },
    { name: 'a refusal', listener: (_bytes, { refuse }) => refuse(new Error('read ECONNREFUSED')), tries: 30 },
    { name: 'a socket that does not open', listener: () => undefined, fails: new Error('EADDRNOTAVAIL'), tries: 30 },
  ];
  it.each(silent)('tries again for 30 seconds after $name', async ({ listener, fails, tries }) => {
    const { block, net } = made(listener);
    net.fails = fails;
    await block.run('serving');
    await block.clock.advanceAsync(60_000);
    expect(net.targets).toHaveLength(tries);
    expect(net.open).toBe(0);
    expect(block.clock.pending).toBe(0);
    expect(block.fatals).toEqual([]);
  });

  it('does not take its own second try for a loop', async () => {
    let count = 0;
    const { block, ask } = made((bytes, { port, deliver }) => {
      ask(incoming(bytes, port));
      if (++count === 2) deliver(response(bytes));
    });
    await block.run('serving');
    await block.clock.advanceAsync(10_000);
    expect(count).toBe(2);
    expect(block.fatals).toEqual([]);
  });

  it('does not take its first try for a loop that arrives after the second was sent', async () => {
    const tries: Query[] = [];
    const { block, ask } = made((bytes, { port, deliver }) => {
      tries.push(incoming(bytes, port));
      if (tries.length < 2) return;
      for (const asked of tries) ask(asked);
      deliver(response(bytes));
    });
    await block.run('serving');
    await block.clock.advanceAsync(10_000);
    expect(new Set(tries.map(({ client }) => client.remote.port)).size).toBe(2);
    expect(block.fatals).toEqual([]);
  });

  const text = (source: string, target: string, zone: string, qname: string): string =>
    `plugin/loop: Loop (${source} -> ${target}) detected for zone "${zone}", see "Troubleshooting" in the manual page of loop. Query: "HINFO ${qname}"`;

  it.each([
    {
      name: 'from another port',
      arrivals: [
        [0, '127.0.0.1'],
        [41000, '127.0.0.1'],
      ],
      source: '127.0.0.1:41000',
    },
    {
      name: 'from another address',
      arrivals: [
        [0, '127.0.0.1'],
        [53, '2001:db8::1'],
      ],
      source: '[2001:db8::1]:53',
    },
    {
      name: 'from two places beyond an address translation',
      arrivals: [
        [7, '10.0.0.1'],
        [8, '10.0.0.1'],
      ],
      source: '10.0.0.1:8',
    },
    {
      name: 'a third time from the same place',
      arrivals: [
        [7, '10.0.0.1'],
        [7, '10.0.0.1'],
        [7, '10.0.0.1'],
      ],
      source: '10.0.0.1:7',
    },
  ] as { name: string; arrivals: [number, string][]; source: string }[])(
    'ends the process when the query comes in $name',
    async ({ arrivals, source }) => {
      const outcomes: Outcome[] = [];
      let qname = '';
      let copy: Query | undefined;
      const { block, ask } = made(
        (bytes, probe) => {
          // Port 0 stands for the probe's own.
          for (const [port, address] of arrivals) outcomes.push(ask(incoming(bytes, port || probe.port, address)));
          qname = incoming(bytes, 1).name;
          copy = incoming(bytes, 9);
        },
        ['cluster.local.'],
      );
      await block.run('serving');
      await block.clock.advanceAsync(60_000);
      expect(block.fatals).toEqual([text(source, '127.0.0.1:53', 'cluster.local.', qname)]);
      expect(outcomes.map((outcome) => outcome === DROP)).toEqual(arrivals.map((_, i) => i === arrivals.length - 1));
      // What still goes round while the process ends is left to die.
      expect(ask(copy!)).toBe(DROP);
      expect(block.fatals).toHaveLength(1);
    },
  );

  it('names the port alone for a server on all addresses', async () => {
    const { block, ask } = made((bytes, { port }) => {
      ask(incoming(bytes, port));
      ask(incoming(bytes, 41000));
    });
    block.served = [{ ...SERVER, address: '::', port: 1053 }];
    await block.run('serving');
    await block.clock.advanceAsync(0);
    expect(block.fatals[0]).toContain('Loop (127.0.0.1:41000 -> :1053) detected for zone "."');
  });

  it('finds a server that forwards to itself, as soon as the query is back', async () => {
    let depth = 0;
    const { block, ask } = made((bytes, { port }) => {
      const forward = (asked: Query): Outcome => ask(incoming(asked.bytes, 41000 + depth++), forward);
      ask(incoming(bytes, port), forward);
    });
    await block.run('serving');
    await block.clock.advanceAsync(0);
    expect(depth).toBe(1);
    expect(block.fatals).toHaveLength(1);
  });

  it.each([
    { name: 'other types', asked: query('www.example.org.', 'A') },
    { name: 'HINFO queries for other names', asked: query('www.example.org.', 'HINFO') },
  ])('lets $name pass', ({ asked }) => {
    const { block, ask } = made();
    const answer = reply();
    for (let i = 0; i < 5; i++) expect(ask(asked, () => answer)).toBe(answer);
    expect(block.fatals).toEqual([]);
  });

  it('stops with its configuration', async () => {
    const { block, net } = made();
    await block.run('serving');
    await block.clock.advanceAsync(500);
    await block.run('stop');
    await block.clock.advanceAsync(60_000);
    expect(net.targets).toHaveLength(1);
    expect(net.open).toBe(0);
    expect(block.clock.pending).toBe(0);
  });

  it('does nothing where nothing is listened at', async () => {
    const { block, net } = made();
    block.served = [];
    await block.run('serving');
    expect(net.targets).toEqual([]);
  });

  it.each([
    {
      name: 'an argument',
      text: 'loop extra',
      error: "Corefile:2: loop: got 1 argument ('extra'), allowed: no argument",
    },
    { name: 'a block', text: 'loop {\n}', error: 'Corefile:2: loop: got a block in { }, allowed: none' },
    {
      name: 'a second time',
      text: 'loop\nloop',
      error:
        'Corefile:3: loop: got it a second time in this server block, allowed: once; the first stands at Corefile:2',
    },
  ])('refuses $name', ({ text: corefile, error }) => {
    expect(() => setup(loop, corefile)).toThrow(error);
  });
});
