import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { subscribe } from '../../../src/plugins/subscribe/setup.js';
import {
  DsoType,
  FrameReader,
  decodeDso,
  dsoTime,
  encodeDso,
  frame,
  isDso,
  pushMessages,
  type DsoMessage,
} from '../../../src/wire/index.js';
import { setup } from '../../support/block.js';
import { Freshness } from './freshness.js';

let world: Freshness;
beforeEach(() => (world = new Freshness()));
afterEach(() => world.stop());

type Answer = (message: DsoMessage, bytes: Buffer) => readonly Uint8Array[];

/** An upstream that does what the test says; returns what it was sent, by connection. */
async function upstream(answer: Answer): Promise<{ asked: number[][] }> {
  const asked: number[][] = [];
  await world.network.listenTcp({ address: '10.0.0.53', port: 53 }, ({ stream }) => {
    const frames = new FrameReader();
    const own: number[] = [];
    asked.push(own);
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      frames.push(chunk);
      for (let bytes = frames.next(); bytes !== undefined; bytes = frames.next()) {
        if (!isDso(bytes)) continue;
        const message = decodeDso(bytes);
        own.push(message.tlvs[0]!.type);
        for (const reply of answer(message, bytes)) stream.write(frame(reply));
      }
    });
  });
  return { asked };
}

const respond = ({ id }: DsoMessage, rcode = 0, tlvs: DsoMessage['tlvs'] = []): Buffer =>
  encodeDso({ id, response: true, rcode, tlvs }, 0);
const accept: Answer = (message) => [respond(message)];
const withHeader = (bytes: Buffer, flags: number): Buffer => {
  const copy = Buffer.from(bytes.subarray(0, 12));
  copy.writeUInt16BE(flags, 2);
  return copy;
};
const unasked = (type: number, data: Uint8Array): Buffer =>
  encodeDso({ id: 0, response: false, rcode: 0, tlvs: [{ type, data }] }, 0);
/** Says yes to both zones, then something else. */
const then =
  (...more: Uint8Array[]): Answer =>
  (message) => [respond(message), ...(message.tlvs[0]!.type === DsoType.SubscribeZone ? more : [])];

const ended = (reason: string): string => `coredns_subscribe_ended_total{reason="${reason}",to="10.0.0.53:53"}`;

describe('an upstream that does not tell of changes', () => {
  it.each<{ name: string; answer: Answer; again?: number }>([
    { name: 'NOTIMP', answer: (_, bytes) => [withHeader(bytes, 0xb004)] },
    { name: 'NOTIMP without its opcode', answer: (_, bytes) => [withHeader(bytes, 0x8004)] },
    { name: 'FORMERR', answer: (_, bytes) => [withHeader(bytes, 0xb001)] },
    { name: 'an operation that it does not know', answer: (message) => [respond(message, 11)] },
    { name: 'no answer', answer: () => [] },
    {
      name: 'a time to come again',
      answer: (message) => [respond(message, 2, [{ type: DsoType.RetryDelay, data: dsoTime(20_000) }])],
      again: 25_000,
    },
  ])('$name: is not asked again on the connection, and seldom on another', async ({ answer, again = 310_000 }) => {
    const { asked } = await upstream(answer);
    await world.startNodes(1);
    await world.pass(10_000);
    expect(asked.map((types) => new Set(types))).toEqual([new Set([DsoType.SubscribeZone])]);
    expect(await world.metric(world.nodes[0]!, ended('refused'))).toBe(1);
    await world.pass(again);
    expect(asked).toHaveLength(2);
    expect(world.log.lines.filter((line) => line.includes('does not tell of changes'))).toHaveLength(1);
  });

  it('is asked again sooner where it cannot be reached', async () => {
    await world.startNodes(1);
    await world.pass(10_000);
    const { asked } = await upstream(accept);
    await world.pass(60_000);
    expect(asked).toHaveLength(1);
  });

  it('that falls silent later is left, and asked anew', async () => {
    let silent = false;
    const { asked } = await upstream((message) => (silent ? [] : [respond(message)]));
    await world.startNodes(1);
    silent = true;
    await world.pass(25_000);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked[0]!.at(-1)).toBe(DsoType.KeepAlive);
  });
});

describe('an upstream that tells what it may not', () => {
  it.each<{ name: string; answer: Answer }>([
    { name: 'changes outside the zones', answer: then(...pushMessages(['example.org.'], 0)) },
    { name: 'half a record', answer: then(unasked(DsoType.Push, Buffer.of(1, 65, 0, 0, 255))) },
    {
      name: 'a record with data that end after the message',
      answer: then(unasked(DsoType.Push, Buffer.from('0000ff0001fffffffe0009', 'hex'))),
    },
    {
      name: 'a compressed name',
      answer: then(unasked(DsoType.Push, Buffer.from('0161c00000ff0001fffffffe0000', 'hex'))),
    },
    {
      name: 'counts of records',
      answer: then(withHeader(unasked(DsoType.Push, Buffer.alloc(0)), 0x3000).fill(1, 4, 6)),
    },
    { name: 'half an operation', answer: then(unasked(DsoType.Push, Buffer.alloc(40)).subarray(0, 20)) },
    {
      name: 'a request',
      answer: then(encodeDso({ id: 5, response: false, rcode: 0, tlvs: [{ type: 1, data: Buffer.alloc(8) }] }, 0)),
    },
    {
      name: 'answers that nobody asked for',
      answer: then(encodeDso({ id: 60_000, response: true, rcode: 0, tlvs: [] }, 0)),
    },
    { name: 'no time at all', answer: then(unasked(DsoType.RetryDelay, Buffer.of(1))) },
    {
      name: 'more changes than there are',
      answer: then(
        ...pushMessages(
          Array.from({ length: 25_000 }, (_, i) => `s${i}.cluster.local.`),
          0,
        ),
      ),
    },
  ])('$name: is left for a while', async ({ answer }) => {
    const { asked } = await upstream(answer);
    await world.startNodes(1);
    await world.pass(10_000);
    expect(asked).toHaveLength(1);
    expect(await world.metric(world.nodes[0]!, ended('misused'))).toBe(1);
  });
});

describe('subscribe', () => {
  it.each([
    { text: 'subscribe {\n settle 1m\n}', error: 'Corefile:3: subscribe: settle: ' },
    { text: 'subscribe {\n to 10.0.0.1\n}', error: "Corefile:3: subscribe: unknown option 'to'" },
    { text: 'subscribe\nsubscribe', error: 'second time' },
  ])('refuses $text', ({ text, error }) => expect(() => setup(subscribe, text)).toThrow(error));

  it('needs upstreams', async () => {
    const { block } = setup(subscribe, 'subscribe');
    await expect(block.run('start')).rejects.toThrow('allowed: forward');
  });
});
