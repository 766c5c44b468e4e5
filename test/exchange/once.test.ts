import { describe, expect, it } from 'vitest';
import { exchangeOnce, type OnceOptions } from '../../src/exchange/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { realClock } from '../../src/lib/clock.js';
import { secureRandom, seededRandom } from '../../src/lib/random.js';
import { decodeMessage } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { FakeNetwork, elapse } from '../support/fake-network.js';
import { FakeUpstream, goodReply, type Asked } from '../support/fake-upstream.js';

const AT = { address: '10.0.0.1', port: 53 };
const { bytes } = query('www.example.org.', 'A', { id: 4660 });

async function once(
  options: Partial<OnceOptions>,
  prepare: (network: FakeNetwork) => void,
  answer?: (asked: Asked) => void,
): Promise<{ result: string; network: FakeNetwork; clock: ManualClock; id: number | undefined }> {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  prepare(network);
  if (answer !== undefined) (await new FakeUpstream(network, AT).start()).answer = answer;
  let id: number | undefined;
  let result = 'pending';
  void exchangeOnce(network, clock, seededRandom(3), bytes, AT, { timeoutMs: 1000, ...options }).then(
    (reply) => {
      id = reply.readUInt16BE(0);
      result = `rcode ${decodeMessage(reply).rcode}`;
    },
    (error: Error) => (result = error.message),
  );
  await elapse(clock, 1100);
  return { result, network, clock, id };
}

const nothing = (): void => undefined;
const good = (asked: Asked): void => asked.reply(goodReply(asked.message));

describe('exchangeOnce', () => {
  it.each<{
    name: string;
    options?: Partial<OnceOptions>;
    prepare?: (network: FakeNetwork) => void;
    answer?: (asked: Asked) => void;
    want: string;
  }>([
    { name: 'a reply over UDP', answer: good, want: 'rcode 0' },
    { name: 'a reply over TCP', options: { transport: 'tcp' }, answer: good, want: 'rcode 0' },
    {
      name: 'garbage and then a reply over UDP',
      answer(asked) {
        asked.reply(Buffer.concat([goodReply(asked.message).subarray(0, 33), Buffer.alloc(30, 0xff)]));
        good(asked);
      },
      want: 'rcode 0',
    },
    {
      name: 'another question and then a reply',
      answer(asked) {
        asked.reply(goodReply(asked.message, { question: [{ name: 'evil.', type: 1, class: 1 }] }));
        good(asked);
      },
      want: 'rcode 0',
    },
    {
      name: 'another id, and then a reply at another port',
      answer(asked) {
        if (asked.from.port > 40_000) good(asked);
        else asked.reply(goodReply({ ...asked.message, id: asked.message.id ^ 1 }, { rcode: 3 }));
      },
      want: 'rcode 0',
    },
    {
      name: 'garbage over TCP',
      options: { transport: 'tcp' },
      answer: (asked) => asked.reply(Buffer.concat([goodReply(asked.message).subarray(0, 33), Buffer.alloc(30, 0xff)])),
      want: 'compression pointer that does not lead back at octet 33',
    },
    { name: 'silence over UDP', answer: nothing, want: 'read udp 127.0.0.1:40000->10.0.0.1:53: i/o timeout' },
    {
      name: 'silence over TCP',
      options: { transport: 'tcp' },
      answer: nothing,
      want: 'read tcp 127.0.0.1:40000->10.0.0.1:53: i/o timeout',
    },
    {
      name: 'a connection that does not open',
      options: { transport: 'tcp' },
      prepare: (network) => void network.black.add('10.0.0.1'),
      want: 'dial tcp 10.0.0.1:53: i/o timeout',
    },
    { name: 'nobody there', want: 'read udp 127.0.0.1:40000->10.0.0.1:53: read: connection refused' },
    {
      name: 'a signal that is aborted already',
      options: { signal: AbortSignal.abort(new Error('stopped')) },
      answer: good,
      want: 'stopped',
    },
  ])('$name', async ({ options = {}, prepare = nothing, answer, want }) => {
    const { result, network, clock, id } = await once(options, prepare, answer);
    expect(result).toBe(want);
    if (want.startsWith('rcode')) expect(id).toBe(4660);
    expect(network.udpSockets).toBe(answer === undefined ? 0 : 1);
    expect(network.streams.size).toBe(0);
    await elapse(clock, 20);
    expect(clock.pending).toBe(0);
  });

  it('ends when its signal is aborted', async () => {
    const clock = new ManualClock();
    const network = new FakeNetwork(clock);
    await new FakeUpstream(network, AT).start();
    network.fate = () => 'drop';
    const stop = new AbortController();
    const asked = exchangeOnce(network, clock, seededRandom(3), bytes, AT, { timeoutMs: 1000, signal: stop.signal });
    const failed = expect(asked).rejects.toThrow('stopped');
    await elapse(clock, 100);
    stop.abort(new Error('stopped'));
    await failed;
    expect(network.udpSockets).toBe(1);
    expect(clock.pending).toBe(0);
  });
});

describe('over real sockets', () => {
  const network = new HostNetwork();
  const ask = async (transport: 'udp' | 'tcp', answer?: (asked: Asked) => void): Promise<string> => {
    const server = await new FakeUpstream(network, { address: '127.0.0.1', port: 0 }).start();
    if (answer !== undefined) server.answer = answer;
    else server.stop();
    try {
      const reply = await exchangeOnce(network, realClock, secureRandom, bytes, server.at, {
        timeoutMs: 2000,
        transport,
      });
      return `rcode ${decodeMessage(reply).rcode}`;
    } catch (error) {
      return (error as Error).message.replace(/127\.0\.0\.1:\d+/g, 'HERE');
    } finally {
      if (answer !== undefined) server.stop();
    }
  };

  it.each<{ name: string; transport: 'udp' | 'tcp'; answer?: (asked: Asked) => void; want: string }>([
    { name: 'a reply over UDP', transport: 'udp', answer: good, want: 'rcode 0' },
    { name: 'a reply over TCP', transport: 'tcp', answer: good, want: 'rcode 0' },
    { name: 'a refused datagram', transport: 'udp', want: 'read udp HERE->HERE: read: connection refused' },
    { name: 'a refused connection', transport: 'tcp', want: 'dial tcp HERE: connect: connection refused' },
    {
      name: 'a connection closed without a reply',
      transport: 'tcp',
      answer: (asked) => void asked.connection!.stream.end(),
      want: 'EOF',
    },
    {
      name: 'a reset',
      transport: 'tcp',
      answer: (asked) => void (asked.connection!.stream as unknown as { resetAndDestroy(): void }).resetAndDestroy(),
      want: 'read tcp HERE->HERE: read: connection reset by peer',
    },
  ])('$name', async ({ transport, answer, want }) => expect(await ask(transport, answer)).toBe(want));
});
