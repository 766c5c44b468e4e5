import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { Query, Reply } from '../../../src/chain/index.js';
import { HostNetwork } from '../../../src/net/host-network.js';
import { forward } from '../../../src/plugins/forward/setup.js';
import { Flag, decodeMessage, encodeMessage, rcodeName, type Message, type Rr } from '../../../src/wire/index.js';
import { encodeToFit } from '../../support/fitted.js';
import { setup, type TestBlock } from '../../support/block.js';
import { context, query, reply, texts, type QuestionOptions } from '../../support/dns.js';
import { exampleUpstream } from '../../support/example-upstream.js';
import { FakeUpstream, type Asked } from '../../support/fake-upstream.js';

type Records = string[] | { count: number; first: string; last: string };

interface Recorded {
  set: string;
  option: string;
  counts: { udp: number; tcp: number };
  cases: (QuestionOptions & {
    qname: string;
    type: string;
    want: { rcode: string; flags: string; answer?: Records; authority?: Records };
  })[];
}

const SETS = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Recorded[];

/** The rules that the recording was made with; over UDP a reply that is too long goes out truncated and empty. */
function answer({ bytes, protocol, reply: send }: Asked): void {
  const asked = new Query(bytes, context({ transport: protocol }));
  const made =
    asked.name === 'text.example.org.'
      ? reply({ answer: [`${asked.name} 300 IN TXT ${'x'.repeat(200)}`] })
      : asked.name === 'refused.example.org.'
        ? reply({ rcode: 5 })
        : exampleUpstream(asked);
  if (!(made instanceof Reply)) return;
  const whole = encodeMessage(made.messageFor(asked));
  send(
    protocol === 'udp' && whole.length > asked.maxSize
      ? encodeMessage(Reply.empty(0, Flag.RA | Flag.TC).messageFor(asked))
      : whole,
  );
}

const section = (records: readonly Rr[]): Records | undefined => {
  const lines = texts(records);
  return lines.length > 5
    ? { count: lines.length, first: lines[0]!, last: lines.at(-1)! }
    : lines.length > 0
      ? lines
      : undefined;
};

const flagsOf = ({ flags }: Message): string =>
  (['QR', 'AA', 'TC', 'RD', 'RA', 'AD', 'CD'] as const)
    .filter((name) => flags & Flag[name])
    .join(',')
    .toLowerCase();

/** Over sockets of this machine, as the recording was made. */
describe.each(SETS)('recorded set $set', ({ option, counts, cases }) => {
  let server: FakeUpstream | undefined;
  let block: TestBlock | undefined;
  afterEach(async () => {
    await block?.run('stop');
    server?.stop();
  });

  it('is answered as recorded', async () => {
    const network = new HostNetwork();
    server = await new FakeUpstream(network, { address: '127.0.0.1', port: 0 }).start();
    server.answer = answer;
    const made = setup(forward, `forward . 127.0.0.1:${server.at.port} {\n${option}\n}`, { network });
    block = made.block;
    for (const { qname, type, want, ...options } of cases) {
      const asked = query(qname, type, options);
      const outcome = await made.ask(asked);
      if (!(outcome instanceof Reply)) throw new Error('no reply');
      const message = decodeMessage(encodeToFit({ ...outcome.messageFor(asked), edns: undefined }, asked.maxSize));
      expect(
        {
          rcode: rcodeName(message.rcode),
          flags: flagsOf(message),
          answer: section(message.answer),
          authority: section(message.authority),
        },
        `${qname} ${type}`,
      ).toEqual({ answer: undefined, authority: undefined, ...want });
    }
    expect(server.counts).toEqual(counts);
  });
});
