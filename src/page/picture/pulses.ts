import type { FlowView, VisitView } from '../../lab/web/api.js';
import type { Edge } from '../frames.js';

/** Something that just happened, along one or two lines. */
export interface Pulse {
  readonly edges: readonly Edge[];
  readonly tone: 'dns' | 'hit' | 'other' | 'drop';
}

const listeners = new Set<(pulse: Pulse) => void>();
/** Pulses of one round of news; the rest is in the list of flows. */
const PER_ROUND = 14;
const DNS = 53;

/** Tells each pulse; returns the function that ends it. */
export function onPulse(listener: (pulse: Pulse) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

const emit = (pulses: readonly Pulse[]): void =>
  pulses.slice(0, PER_ROUND).forEach((pulse) => listeners.forEach((listener) => listener(pulse)));

/** Queries that servers were asked. */
export function pulseVisits(visits: readonly VisitView[]): void {
  emit(
    visits.flatMap(({ server, from, by, hit }): Pulse[] => {
      if (from === undefined || from === server) return [];
      return [
        {
          edges:
            by === undefined
              ? [{ from, to: server }]
              : [
                  { from, to: by },
                  { from: by, to: server },
                ],
          tone: hit ? 'hit' : 'dns',
        },
      ];
    }),
  );
}

/** Packets that are no DNS, where they arrive, and those that were dropped. */
export function pulseFlows(flows: readonly FlowView[]): void {
  emit(
    flows.flatMap(({ source, destination, point, verdict }): Pulse[] => {
      const dropped = verdict === 'DROPPED';
      if (
        source.part === undefined ||
        destination.part === undefined ||
        source.port === DNS ||
        destination.port === DNS
      )
        return [];
      return dropped || point === 'to-endpoint' || point === 'to-network'
        ? [{ edges: [{ from: source.part, to: destination.part }], tone: dropped ? 'drop' : 'other' }]
        : [];
    }),
  );
}
