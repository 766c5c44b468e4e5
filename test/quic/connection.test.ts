import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import type { Endpoint } from '../../src/net/network.js';
import { QuicConnection, type ConnectionReader, type QuicStream } from '../../src/quic/connection.js';
import { QuicEndpoint } from '../../src/quic/endpoint.js';
import { RetryTokens } from '../../src/quic/retry-tokens.js';
import type { QuicConfig } from '../../src/quic/library.js';
import { FakeQuicLibrary, FakeQuicState, longPacket, shortPacket } from '../support/fake-quic.js';

const CLIENT = { address: '192.0.2.9', port: 4000 };
const WAY = { from: { host: '192.0.2.9', port: 4000 }, to: { host: '127.0.0.1', port: 853 } };
const MIB = 1 << 20;
const turn = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** A connection, and what comes of it. */
class World {
  readonly clock = new ManualClock();
  readonly state = new FakeQuicState();
  readonly events: string[] = [];
  readonly sent: string[] = [];
  readonly streams: QuicStream[] = [];
  onData: (stream: QuicStream) => void = () => undefined;
  arrived: () => ConnectionReader | undefined = () => this.reader;
  readonly reader: ConnectionReader = {
    opened: (stream) => {
      this.streams.push(stream);
      const say = (text: string): void => void this.events.push(`${this.streams.indexOf(stream)} ${text}`);
      return {
        data: (chunk) => {
          say(chunk.toString());
          this.onData(stream);
        },
        end: () => say('end'),
        closed: () => say('closed'),
      };
    },
    closed: () => void this.events.push('closed'),
  };
  readonly connection = new QuicConnection(this.state, ['id'], CLIENT, CLIENT, {
    clock: this.clock,
    send: (packet, to) => void this.sent.push(`${packet.toString()} to ${to.address}`),
    arrived: () => {
      this.events.push('arrived');
      return this.arrived();
    },
    gone: () => void this.events.push('gone'),
  });

  constructor(established = true) {
    this.state.established = established;
  }

  /** A packet of so many bytes comes. */
  take(size = 100): this {
    this.connection.receive(Buffer.alloc(size), WAY);
    return this;
  }
}

describe('a connection over QUIC', () => {
  it('is there when its handshake is through, once', () => {
    const world = new World(false);
    world.state.arrive(0, 'early');
    world.take();
    expect(world.events).toEqual([]);
    world.state.established = true;
    world.take().take();
    expect(world.events).toEqual(['arrived', '0 early']);
    expect(world.state.ways).toEqual([WAY, WAY, WAY]);
  });

  it('reads what comes on streams to their ends', () => {
    const world = new World();
    world.state.arrive(0, 'one');
    world.state.arrive(0, 'two');
    world.state.arrive(4, 'three', true);
    world.take();
    world.state.arrive(0, '', true);
    world.take();
    expect(world.events).toEqual(['arrived', '0 one', '0 two', '1 three', '1 end', '0 end']);
  });

  it('sends answers of one turn together, and the ends of their streams', async () => {
    const world = new World();
    for (const id of [0, 4]) world.state.arrive(id, 'q', true);
    world.take();
    const asked = world.state.asked;
    for (const stream of world.streams) stream.end(Buffer.from('answer'));
    expect(world.sent).toEqual([]);
    await turn();
    expect(world.sent).toEqual(['stream 0 to 192.0.2.9', 'stream 4 to 192.0.2.9']);
    expect(world.state.asked - asked).toBe(1);
    expect([...world.state.streams.values()].map(({ sent, ended }) => [sent, ended])).toEqual([
      ['answer', true],
      ['answer', true],
    ]);
    expect(world.events.slice(-2)).toEqual(['0 closed', '1 closed']);
    // The next turn has a packet of its own.
    world.state.arrive(8, 'q', true);
    world.take();
    world.streams[2]!.end(Buffer.from('answer'));
    await turn();
    expect(world.sent.at(-1)).toBe('stream 8 to 192.0.2.9');
  });

  it('sends the rest of an answer when the client has room for it', () => {
    const world = new World();
    const stream = world.state.arrive(0, 'q', true);
    stream.room = 3;
    world.take();
    world.streams[0]!.end(Buffer.from('answer'));
    expect([stream.sent, stream.ended, world.events.at(-1)]).toEqual(['ans', false, '0 end']);
    stream.room = 10;
    world.state.writable_ = [0, 400];
    world.take();
    expect([stream.sent, stream.ended, world.events.at(-1)]).toEqual(['answer', true, '0 closed']);
    // It is over: nothing more is tried.
    world.streams[0]!.end(Buffer.from('again'));
    world.streams[0]!.advance();
    expect([stream.sent, stream.shut]).toEqual(['answer', []]);
  });

  it.each([
    { name: 'before it is answered', answered: false },
    { name: 'in the middle of its answer', answered: true },
  ])('ends a stream that the client wants nothing of, $name', ({ answered }) => {
    const world = new World();
    const stream = world.state.arrive(0, 'q', true);
    stream.room = 1;
    world.take();
    if (answered) world.streams[0]!.end(Buffer.from('answer'));
    world.state.writable_ = [0];
    world.take();
    expect(stream.shut).toEqual([]);
    stream.isStopped = true;
    world.state.writable_ = [0];
    world.take();
    expect([stream.shut, world.events.slice(3)]).toEqual([['0: 0', '1: 0'], ['0 closed']]);
  });

  it('ends a stream that the client takes back', async () => {
    const world = new World();
    const stream = world.state.arrive(0, 'q');
    world.take();
    stream.isReset = true;
    world.state.packets.push('reset');
    world.take();
    expect([stream.shut, world.events]).toEqual([
      ['0: 0', '1: 0'],
      ['arrived', '0 q', '0 closed'],
    ]);
    world.streams[0]!.end(Buffer.from('answer'));
    await turn();
    expect(stream.sent).toBe('');
  });

  it('breaks a stream off, and says so at the end of the turn', async () => {
    const world = new World();
    const stream = world.state.arrive(0, 'q', true);
    world.take();
    world.streams[0]!.reset(7);
    world.state.packets.push('reset');
    expect([stream.shut, world.sent]).toEqual([['0: 7', '1: 7'], []]);
    await turn();
    expect([world.sent, world.events.slice(3)]).toEqual([['reset to 192.0.2.9'], ['0 closed']]);
  });

  it('takes what comes behind an answer, and keeps nothing of it', () => {
    const world = new World();
    world.state.arrive(0, 'q');
    world.take();
    world.streams[0]!.end(Buffer.from('answer'));
    world.state.arrive(0, 'more', true);
    world.take();
    expect(world.state.stream(0).chunks).toEqual([]);
    expect(world.events).toEqual(['arrived', '0 q', '0 closed']);
    // Its number is forgotten: a stream of that number is another one.
    world.state.arrive(0, 'new', true);
    world.take();
    expect(world.events.slice(3)).toEqual(['1 new', '1 end']);
  });

  it.each([
    { name: 'answered, then ended', end: false },
    { name: 'ended, then answered', end: true },
  ])('knows a stream no more that is $name', ({ end }) => {
    const world = new World();
    const stream = world.state.arrive(0, 'q', end);
    world.take();
    stream.end = false;
    world.streams[0]!.end(Buffer.from('answer'));
    if (!end) {
      world.state.arrive(0, '', true);
      world.take();
    }
    stream.end = false;
    world.state.arrive(0, 'other');
    world.take();
    expect([world.streams.length, world.events.at(-1)]).toEqual([2, '1 other']);
  });

  describe('bears so much talk that is no query', () => {
    const closed = (world: World): boolean => world.sent.includes('close application 4 to 192.0.2.9');

    it.each([
      { name: 'a MiB', before: [] as number[], size: MIB, want: false },
      { name: 'and no byte more', before: [], size: MIB + 1, want: true },
      { name: 'in all', before: [MIB], size: 1, want: true },
    ])('$name', ({ before, size, want }) => {
      const world = new World();
      before.forEach((each) => world.take(each));
      world.take(size);
      expect([closed(world), world.events.includes('gone')]).toEqual([want, want]);
    });

    it('and as much as queries bring', () => {
      const world = new World();
      for (let i = 0; i < 3; i++) {
        world.state.arrive(0, Buffer.alloc(1000));
        world.take(1000);
      }
      world.take(MIB);
      expect(closed(world)).toBe(false);
      world.connection.answered();
      world.take(256);
      expect(closed(world)).toBe(false);
      world.take(1);
      expect(closed(world)).toBe(true);
    });

    it('of which nothing is saved up', () => {
      const world = new World();
      world.connection.answered();
      world.take(MIB);
      expect(closed(world)).toBe(false);
      world.take(1);
      expect(closed(world)).toBe(true);
    });
  });

  it('is closed with a code, behind its answers, and once', async () => {
    const world = new World();
    world.state.arrive(0, 'q', true);
    world.state.arrive(4, 'r');
    world.take();
    world.streams[0]!.end(Buffer.from('answer'));
    world.connection.close(3);
    world.connection.close(2);
    await turn();
    expect(world.sent).toEqual(['stream 0 to 192.0.2.9', 'close application 3 to 192.0.2.9']);
    expect(world.events.slice(4)).toEqual(['0 closed', 'closed', '1 closed', 'gone']);
    expect(world.clock.pending).toBe(0);
  });

  it.each(['closed', 'draining'] as const)('is over when the library has it %s', (how) => {
    const world = new World();
    world.take();
    world.state.wait = 100;
    world.state[how] = true;
    world.take();
    expect(world.events).toEqual(['arrived', 'closed', 'gone']);
    expect(world.clock.pending).toBe(0);
  });

  it('that is closed at its arrival opens no streams', () => {
    const world = new World();
    world.arrived = () => {
      world.connection.close(0);
      return undefined;
    };
    world.state.arrive(0, 'q');
    world.take();
    expect([world.events, world.streams]).toEqual([['arrived', 'gone'], []]);
  });

  it('that is closed for what comes on a stream looks at no other', () => {
    const world = new World();
    world.onData = () => world.connection.close(2);
    for (const id of [0, 4]) world.state.arrive(id, 'bad');
    world.take();
    expect(world.streams).toHaveLength(1);
    expect(world.sent).toEqual(['close application 2 to 192.0.2.9']);
  });

  it('takes a packet that the library refuses', () => {
    const world = new World();
    world.connection.receive(Buffer.from([0xff]), WAY);
    expect(world.events).toEqual(['arrived']);
  });

  describe('is woken', () => {
    it('three seconds after its beginning, and given up, where the handshake is not through', () => {
      const world = new World(false);
      world.clock.advance(500);
      world.state.wait = 1000;
      world.take();
      world.clock.advance(1000);
      expect([world.state.timeouts, world.events]).toEqual([1, []]);
      world.state.wait = null;
      world.clock.advance(1000);
      world.clock.advance(499);
      expect(world.events).toEqual([]);
      world.state.wait = 1000;
      world.clock.advance(501);
      expect([world.events, world.clock.pending]).toEqual([['gone'], 0]);
    });

    it('when the library wants it, and not otherwise', () => {
      const world = new World();
      world.take();
      expect(world.clock.pending).toBe(0);
      world.state.wait = 500;
      world.take();
      world.clock.advance(100);
      world.state.wait = 200;
      world.take();
      world.clock.advance(199);
      expect([world.state.timeouts, world.clock.pending]).toEqual([0, 1]);
      world.state.wait = null;
      world.state.packets.push('ping');
      world.clock.advance(1);
      expect([world.state.timeouts, world.clock.pending, world.sent]).toEqual([1, 0, ['ping to 192.0.2.9']]);
      world.clock.advance(10_000);
      expect([world.state.timeouts, world.events]).toEqual([1, ['arrived']]);
    });

    it('as early as it was said first', () => {
      const world = new World();
      world.state.wait = 200;
      world.take();
      world.state.wait = 500;
      world.take();
      world.clock.advance(200);
      expect(world.state.timeouts).toBe(1);
      world.clock.advance(500);
      expect(world.state.timeouts).toBe(2);
    });
  });
});

describe('packets at an address', () => {
  interface Place {
    readonly library: FakeQuicLibrary;
    readonly endpoint: QuicEndpoint;
    readonly clock: ManualClock;
    readonly sent: string[];
    readonly accepted: QuicConnection[];
  }
  const place = (config: () => QuicConfig | undefined = () => ({}) as QuicConfig): Place => {
    const library = new FakeQuicLibrary();
    const clock = new ManualClock();
    const sent: string[] = [];
    const accepted: QuicConnection[] = [];
    const send = (packet: Buffer, to: Endpoint): void => void sent.push(`${packet.toString()} to ${to.address}`);
    const accept = (connection: QuicConnection): undefined => void accepted.push(connection);
    return { library, clock, sent, accepted, endpoint: new QuicEndpoint({ library, clock, config, send, accept }) };
  };
  const many = ({ endpoint }: Place, count: number): void => {
    for (let i = 0; i < count; i++) endpoint.receive(longPacket(`other-${i}`), { ...CLIENT, port: 10_000 + i });
  };

  it('begin a connection, and belong to it by either id', () => {
    const at = place();
    at.endpoint.receive(longPacket('first'), CLIENT, { address: '203.0.113.1', port: 1 });
    const [{ id, firstId, local, remote, state }] = at.library.accepted as [(typeof at.library.accepted)[0]];
    expect([id.length, firstId, local, remote]).toEqual([20, null, WAY.to, WAY.from]);
    at.endpoint.receive(longPacket('first'), CLIENT);
    at.endpoint.receive(longPacket(id, { size: 60 }), CLIENT);
    at.endpoint.receive(shortPacket(id, 22), CLIENT);
    expect([state.received, state.ways[0], at.endpoint.open, at.library.accepted.length]).toEqual([4, WAY, 1, 1]);
    // From elsewhere they are nobody's.
    at.endpoint.receive(shortPacket(id), { ...CLIENT, port: 4001 });
    at.endpoint.receive(shortPacket(id), { ...CLIENT, address: '192.0.2.8' });
    expect(state.received).toBe(4);
    state.established = true;
    at.endpoint.receive(shortPacket(id), CLIENT);
    expect(at.accepted.map(({ client, remote: from }) => [client.address, from])).toEqual([['203.0.113.1', CLIENT]]);
    at.accepted[0]!.close(0);
    expect(at.endpoint.open).toBe(0);
    at.endpoint.receive(shortPacket(id), CLIENT);
    expect(state.received).toBe(5);
  });

  it.each([
    { from: '2001:db8::1', host: '2001:db8::1', own: '::1' },
    { from: 'fe80::1%eth0', host: 'fe80::1', own: '::1' },
  ])('from $from have ends of one family', ({ from, host, own }) => {
    const at = place();
    at.endpoint.receive(longPacket('first'), { address: from, port: 9 });
    const [{ local, remote }] = at.library.accepted as [(typeof at.library.accepted)[0]];
    expect([local, remote]).toEqual([
      { host: own, port: 853 },
      { host, port: 9 },
    ]);
  });

  const id21 = Buffer.alloc(21, 'x');
  it.each([
    { name: 'nothing', packet: Buffer.alloc(0) },
    { name: 'a head without an id', packet: Buffer.alloc(20, 0x40) },
    { name: 'one of no connection', packet: Buffer.alloc(1300, 0x40) },
    { name: 'a first one that is too short', packet: longPacket('first', { size: 1199 }) },
    { name: 'an id that is too long', packet: longPacket(id21) },
    { name: 'noise', packet: longPacket('first', { type: 0x81 }) },
    { name: 'another kind', packet: longPacket('first', { type: 0xc2 }) },
    { name: 'an id that is cut short', packet: Buffer.from(longPacket('x'.repeat(20)).subarray(0, 25)) },
  ])('begin nothing: $name', ({ packet }) => {
    const at = place();
    at.endpoint.receive(packet, CLIENT);
    expect([at.endpoint.open, at.sent, at.library.accepted]).toEqual([0, [], []]);
  });

  it.each([
    { name: 'the longest id', packet: longPacket('x'.repeat(20)) },
    { name: 'none', packet: longPacket('') },
  ])('begin a connection with $name', ({ packet }) => {
    const at = place();
    at.endpoint.receive(packet, CLIENT);
    expect(at.endpoint.open).toBe(1);
  });

  it('of an unknown version are told of those there are', () => {
    const at = place();
    at.endpoint.receive(longPacket('first', { version: 9, type: 0xc2 }), CLIENT);
    expect([at.endpoint.open, at.sent]).toEqual([0, ['versions to client from first to 192.0.2.9']]);
  });

  it('begin nothing where there is no certificate yet, nor after the end', () => {
    const without = place(() => undefined);
    without.endpoint.receive(longPacket('first'), CLIENT);
    expect([without.endpoint.open, without.library.accepted]).toEqual([0, []]);
    const at = place();
    at.endpoint.receive(longPacket('first'), CLIENT);
    at.endpoint.receive(longPacket('second'), CLIENT);
    at.library.accepted[1]!.state.established = true;
    at.endpoint.receive(longPacket('second'), CLIENT);
    at.endpoint.close();
    // Those that are through stay.
    expect([at.endpoint.open, at.sent]).toEqual([1, ['close application 0 to 192.0.2.9']]);
    at.endpoint.receive(longPacket('third'), CLIENT);
    expect(at.library.accepted).toHaveLength(2);
  });

  it('have to show with the 101st handshake that answers reach them', () => {
    const at = place();
    many(at, 99);
    at.endpoint.receive(longPacket('last'), CLIENT);
    expect([at.endpoint.open, at.sent]).toEqual([100, []]);
    at.endpoint.receive(longPacket('first'), CLIENT);
    expect([at.endpoint.open, at.sent]).toEqual([100, ['retry to client from first in 1 to 192.0.2.9']]);
    const [{ token, id }] = at.library.retries as [(typeof at.library.retries)[0]];
    expect(id).toHaveLength(20);
    at.endpoint.receive(longPacket(id, { token }), CLIENT);
    const [accepted] = at.library.accepted.slice(100);
    expect([at.endpoint.open, accepted!.id, accepted!.firstId]).toEqual([101, id, Buffer.from('first')]);
    at.endpoint.receive(shortPacket(id), CLIENT);
    expect(accepted!.state.received).toBe(2);
    // A handshake that is through makes room.
    for (const i of [0, 1]) at.library.accepted[i]!.state.established = true;
    for (const i of [0, 1]) at.endpoint.receive(longPacket(`other-${i}`), { ...CLIENT, port: 10_000 + i });
    at.endpoint.receive(longPacket('next'), CLIENT);
    expect([at.endpoint.open, at.sent.length]).toEqual([102, 1]);
  });

  it('of a thousand handshakes and one end the oldest', () => {
    const at = place();
    many(at, 100);
    for (let i = 0; i < 901; i++) {
      at.endpoint.receive(longPacket(`asked-${i}`), CLIENT);
      const { token, id } = at.library.retries[i]!;
      if (i === 900)
        expect([at.endpoint.open, at.sent.some((text) => text.startsWith('close'))]).toEqual([1000, false]);
      at.endpoint.receive(longPacket(id, { token }), CLIENT);
    }
    expect([at.endpoint.open, at.sent.at(-1)]).toEqual([1000, 'close application 0 to 192.0.2.9']);
  });
});

describe('a token', () => {
  const FIRST = Buffer.from('first');
  it.each<{
    name: string;
    change?: (token: Buffer) => Buffer;
    client?: Partial<Endpoint>;
    after?: number;
    ok: boolean;
  }>([
    { name: 'holds', ok: true },
    { name: 'holds for ten seconds', after: 10_000, ok: true },
    { name: 'and no longer', after: 10_001, ok: false },
    { name: 'holds at its address alone', client: { address: '192.0.2.10' }, ok: false },
    { name: 'holds at its port alone', client: { port: 4001 }, ok: false },
    { name: 'holds as it is', change: (token) => Buffer.from(token).fill(1, 0, 1), ok: false },
    { name: 'has a whole head', change: (token) => token.subarray(0, 37), ok: false },
    { name: 'is not made up', change: () => Buffer.alloc(38), ok: false },
  ])('$name', ({ change = (token) => token, client, after = 0, ok }) => {
    const clock = new ManualClock(123_456);
    const tokens = new RetryTokens(clock);
    const token = tokens.mint(FIRST, CLIENT);
    expect(token).toHaveLength(6 + 5 + 32);
    clock.advance(after);
    expect(tokens.firstId(change(token), { ...CLIENT, ...client })).toEqual(ok ? FIRST : undefined);
    expect(new RetryTokens(clock).firstId(token, CLIENT)).toBeUndefined();
  });

  it('for a client that chose no id is as good', () => {
    const tokens = new RetryTokens(new ManualClock());
    expect(tokens.firstId(tokens.mint(Buffer.alloc(0), CLIENT), CLIENT)).toEqual(Buffer.alloc(0));
  });
});
