import type { FlowView, LookupAnswer } from '../lab/web/api.js';
import type { PlaybackFrame } from './frames.js';

/** What the clock of flows and the resolver's may be apart, in milliseconds: a busy machine tells replies late. */
const EARLY = 2;
const LATE = 50;

/**
 * The number of the moment of a lookup that a packet belongs to: a query to the hop that it arrives at, a reply to the
 * hop that sent it. undefined for a packet of something else.
 */
export function frameOfFlow(
  { dns, time, source, destination }: FlowView,
  { at, steps, pod }: LookupAnswer,
  frames: readonly PlaybackFrame[],
): number | undefined {
  if (!dns) return undefined;
  const name = dns.name.toLowerCase();
  const query = steps
    .flatMap((step) => step.queries.map((one) => ({ ...one, name: step.name.toLowerCase() })))
    .findLastIndex(
      (one) =>
        one.name === name &&
        one.type === dns.type &&
        time >= at + one.started - EARLY &&
        time <= at + one.started + one.time + LATE,
    );
  if (query < 0) return undefined;
  const isReply = dns.result !== undefined;
  const place = isReply ? source.part : destination.part;
  const exact =
    isReply && destination.part === pod.id
      ? -1
      : frames.findIndex((frame) => frame.query === query && frame.now !== undefined && frame.now.to === place);
  if (exact >= 0) return exact;
  const own = (frame: PlaybackFrame): boolean => frame.query === query;
  return isReply ? frames.findLastIndex(own) : frames.findIndex(own);
}
