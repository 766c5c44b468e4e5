import type { Query } from '../../chain/index.js';
import type { LookupSettings } from './lookup-settings.js';
import type { Try } from './try.js';

/** Tells of one question to an upstream, and of its answer if there is one. */
export function tap(
  { taps, clock }: LookupSettings,
  query: Query,
  { proxy, stream, message, id, sentAt }: Try,
  answer: Uint8Array | undefined,
): void {
  const question = Buffer.from(message);
  question.writeUInt16BE(id, 0);
  const answered = clock.now();
  const sent = answered - (clock.monotonic() - sentAt);
  const exchange = { query, protocol: stream ? 'tcp' : 'udp', to: proxy.endpoint, sent, answered, question } as const;
  for (const each of taps) each.tap({ ...exchange, from: undefined, answer });
}
