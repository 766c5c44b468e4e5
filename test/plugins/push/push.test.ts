import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Duplex } from 'node:stream';
import {
  DsoType,
  FrameReader,
  decodeDso,
  dsoTime,
  encodeDso,
  encodeName,
  namesOfPush,
  rcodeName,
} from '../../../src/wire/index.js';
import { push } from '../../../src/plugins/push/setup.js';
import { setup } from '../../support/block.js';
import { query } from '../../support/dns.js';
import { frame } from '../../../src/wire/index.js';
import { namespace, service } from '../../support/kube.js';
import { CLUSTER, Freshness } from '../subscribe/freshness.js';

let world: Freshness;
beforeEach(() => (world = new Freshness([namespace('default')])));
afterEach(() => world.stop());

/** A client that does what the test says. */
class Peer {
  readonly got: string[] = [];
  closed = false;
  private readonly frames = new FrameReader();

  private constructor(private readonly stream: Duplex) {
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      this.frames.push(chunk);
      for (let bytes = this.frames.next(); bytes !== undefined; bytes = this.frames.next()) this.got.push(told(bytes));
    });
    stream.on('end', () => (this.closed = true));
  }

  static async open(): Promise<Peer> {
    let peer: Peer | undefined;
    void world.network.connectTcp({ address: '10.0.0.53', port: 53 }).then(({ stream }) => (peer = new Peer(stream)));
    await world.pass(5);
    return peer!;
  }

  leave(): void {
    this.stream.destroy();
  }

  async send(...messages: Uint8Array[]): Promise<void> {
    for (const message of messages) this.stream.write(frame(message));
    await world.pass(5);
  }
}

/** `ID RCODE` of an answer, the names of a push, `query` for an answer to a query. */
function told(bytes: Buffer): string {
  if (((bytes[2]! >> 3) & 15) !== 6) return `query ${rcodeName(bytes[3]! & 15)}`;
  const { id, rcode, tlvs } = decodeDso(bytes);
  const parts = tlvs.map(({ type, data }) =>
    type === DsoType.Push ? namesOfPush(data).join(' ') : `${type}:${Buffer.from(data).toString('hex')}`,
  );
  return [...(id === 0 ? ['push'] : [id, rcodeName(rcode)]), ...parts].join(' ');
}

const request = (type: number, data: Uint8Array = Buffer.alloc(0), id = 7): Buffer =>
  encodeDso({ id, response: false, rcode: 0, tlvs: [{ type, data }] }, 0);
const subscribe = (zone: string, id = 7): Buffer => request(DsoType.SubscribeZone, encodeName(zone), id);
const KEEP = Buffer.concat([dsoTime(1), dsoTime(2)]);
const keepAlive = request(DsoType.KeepAlive, KEEP);
const at = (name: string) => service(name, { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'] });
const counted = (bytes: Buffer): Buffer => {
  bytes[5] = 1;
  return bytes;
};

describe('push', () => {
  it.each([
    { name: 'a zone', send: subscribe('cluster.local.'), got: ['7 NOERROR'] },
    { name: 'a zone in capitals', send: subscribe('CLUSTER.local.'), got: ['7 NOERROR'] },
    { name: 'a part of one', send: subscribe('default.svc.cluster.local.'), got: ['7 NOERROR'] },
    { name: 'all zones', send: subscribe('.'), got: ['7 NOERROR'] },
    { name: 'a zone of others', send: subscribe('example.org.'), got: ['7 NOTAUTH'] },
    { name: 'no name', send: request(DsoType.SubscribeZone, Buffer.of(3, 65)), got: ['7 FORMERR'] },
    {
      name: 'more than a name',
      send: request(DsoType.SubscribeZone, Buffer.concat([encodeName('a.'), Buffer.of(0)])),
      got: ['7 FORMERR'],
    },
    { name: 'a compressed name', send: request(DsoType.SubscribeZone, Buffer.of(0xc0, 0)), got: ['7 FORMERR'] },
    { name: 'no operation', send: encodeDso({ id: 7, response: false, rcode: 0, tlvs: [] }, 0), got: ['7 FORMERR'] },
    { name: 'an operation that is not known', send: request(0x40), got: ['7 DSOTYPENI'] },
    { name: 'signs of life', send: keepAlive, got: ['7 NOERROR 1:00003a9800003a98'] },
    { name: 'a sign of life of another length', send: request(DsoType.KeepAlive), got: [], closed: true },
    { name: 'an operation without an answer', send: request(0x41, Buffer.alloc(0), 0), got: [], closed: true },
    {
      name: 'a response',
      send: encodeDso({ id: 7, response: true, rcode: 0, tlvs: [] }, 0),
      got: [],
      closed: true,
    },
    { name: 'a message that counts records', send: counted(subscribe('cluster.local.')), got: [], closed: true },
    {
      name: 'an operation that is cut short',
      send: subscribe('cluster.local.').subarray(0, 20),
      got: [],
      closed: true,
    },
    { name: 'half a header of one', send: subscribe('cluster.local.').subarray(0, 14), got: [], closed: true },
  ])('answers $name', async ({ send, got, closed = false }) => {
    await world.startCluster();
    const peer = await Peer.open();
    await peer.send(send);
    expect({ got: peer.got, closed: peer.closed }).toEqual({ got, closed });
  });

  it('tells of changes within the zone, gathered, beside answers to queries', async () => {
    await world.startCluster();
    const peer = await Peer.open();
    await peer.send(subscribe('default.svc.cluster.local.'));
    world.source.apply(at('a'));
    await world.pass(5);
    for (const name of ['b', 'c', 'b']) world.source.apply(service(name, { clusterIP: '10.96.0.9', clusterIPs: [] }));
    await peer.send(query('a.default.svc.cluster.local.').bytes);
    await world.pass(30);
    expect(peer.got).toEqual([
      '7 NOERROR',
      'push a.default.svc.cluster.local.',
      'query NOERROR',
      'push b.default.svc.cluster.local. c.default.svc.cluster.local.',
    ]);
  });

  it('counts subscriptions, changes and messages, and forgets who has left', async () => {
    await world.startCluster();
    const counts = () =>
      Promise.all(
        ['entries', 'changes_total', 'messages_total', 'refused_total'].map((name) =>
          world.metric(world.cluster!, `coredns_push_${name}`),
        ),
      );
    // Each changes a name and that of its address.
    const one = (name: string, ip: string) => service(name, { clusterIP: ip, clusterIPs: [ip] });
    const [first, second] = [await Peer.open(), await Peer.open()];
    await first.send(subscribe('cluster.local.'), subscribe('default.svc.cluster.local.', 8), subscribe('org.', 9));
    await second.send(subscribe('cluster.local.'));
    expect(await counts()).toEqual([3, 0, 0, 1]);
    world.source.apply(one('a', '10.96.0.21'));
    await world.pass(30);
    expect(await counts()).toEqual([3, 2, 3, 1]);
    first.leave();
    await world.pass(5);
    expect(await counts()).toEqual([1, 2, 3, 1]);
    world.source.apply(one('b', '10.96.0.22'));
    await world.pass(30);
    expect(await counts()).toEqual([1, 4, 4, 1]);
    second.leave();
    await world.pass(5);
    world.source.apply(one('c', '10.96.0.23'));
    await world.pass(30);
    expect(await counts()).toEqual([0, 4, 4, 1]);
  });

  it.each([
    { count: 1024, told: 1024 },
    { count: 1025, told: 1 },
  ])('tells of $count names that change at once as of $told', async ({ count, told: names }) => {
    await world.startCluster();
    const peer = await Peer.open();
    await peer.send(subscribe('cluster.local.'));
    world.source.apply(at('first'));
    await world.pass(5);
    for (let i = 0; i < count; i++) world.source.apply(at(`n${i}`));
    await world.pass(40);
    expect(peer.got.slice(2).flatMap((line) => line.split(' ').slice(1))).toHaveLength(names);
  });

  it('a block without it knows no stateful operations', async () => {
    world.clusterText = CLUSTER.replace(/push \{[^}]*\}/, '');
    await world.startCluster();
    const peer = await Peer.open();
    await peer.send(subscribe('cluster.local.'));
    // As CoreDNS answers, which repeats nothing of it.
    expect(peer.got).toEqual(['7 NOTIMP']);
  });

  it('tells those only that it is to tell', async () => {
    world.clusterText = CLUSTER.replace('to *', 'to 192.0.2.0/24');
    await world.startCluster();
    const peer = await Peer.open();
    await peer.send(subscribe('cluster.local.'));
    expect(peer.got).toEqual(['7 REFUSED']);
  });

  it('has room for so many', async () => {
    world.clusterText = CLUSTER.replace('to *', 'to *\n    subscriptions 1');
    await world.startCluster();
    const [first, second] = [await Peer.open(), await Peer.open()];
    await first.send(subscribe('cluster.local.'), subscribe('cluster.local.', 8));
    await second.send(subscribe('cluster.local.'));
    expect([first.got, second.got]).toEqual([['7 NOERROR', '8 NOERROR'], ['7 SERVFAIL 2:0000ea60']]);
  });

  it('keeps to so many zones on a connection', async () => {
    await world.startCluster();
    const peer = await Peer.open();
    await peer.send(...Array.from({ length: 17 }, (_, i) => subscribe(`ns${i}.svc.cluster.local.`, i + 1)));
    expect(peer.got.map((line) => line.split(' ')[1])).toEqual([...Array<string>(16).fill('NOERROR'), 'SERVFAIL']);
  });

  it.each([
    { name: 'a subscriber that is silent', send: subscribe('cluster.local.'), after: 45_000, closed: true },
    { name: 'one that gives signs of life', send: subscribe('cluster.local.'), after: 30_000, closed: false },
    { name: 'who has subscribed to nothing', send: keepAlive, after: 15_000, closed: true },
  ])('$name: closed $closed', async ({ send, after, closed }) => {
    await world.startCluster();
    const peer = await Peer.open();
    await peer.send(send);
    await world.pass(after);
    expect(peer.closed).toBe(closed);
  });

  it('a subscriber that takes nothing costs a bound, and hears that everything may have changed', async () => {
    await world.startCluster();
    const peer = await Peer.open();
    await peer.send(subscribe('cluster.local.'));
    // Nothing is taken: the network does not carry it.
    world.network.hold = true;
    for (let i = 0; i < 5000; i++) {
      world.source.apply(service(`slow${i}`, { clusterIP: '10.96.0.9', clusterIPs: [] }));
      if (i % 50 === 0) await world.pass(25);
    }
    expect(await world.metric(world.cluster!, 'coredns_push_behind_total')).toBe(1);
    world.network.hold = false;
    await world.pass(100);
    expect(peer.got.at(-1)).toBe('push cluster.local.');
  });

  it.each([
    { text: 'push', error: "Corefile:2: push: 'to' is required" },
    { text: 'push {\n to here\n}', error: "Corefile:3: push: to: got 'here'" },
    { text: 'push {\n to * \n subscriptions 0\n}', error: 'subscriptions: ' },
    { text: 'push {\n from *\n}', error: 'from' },
  ])('refuses $text', ({ text, error }) => expect(() => setup(push, text)).toThrow(error));

  it('needs a source of changes', async () => {
    const { block } = setup(push, 'push {\n to *\n}');
    await expect(block.run('start')).rejects.toThrow('allowed: kubernetes');
  });
});
