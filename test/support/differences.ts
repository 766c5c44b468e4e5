import { decodeMessage, type Rr } from '../../src/wire/index.js';
import type { Plan, Result } from './two-ways.js';

/** Seconds that passed between two runs, and an order that is drawn anew for each answer, are no difference. */
function comparable(answer: string): unknown {
  if (answer === 'none') return answer;
  const message = decodeMessage(Buffer.from(answer, 'hex'));
  const section = (records: readonly Rr[]): unknown[] =>
    records
      .map((record) => ({ ...record, ttl: undefined, rdata: steady(record) }))
      .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  const { answer: found, authority, additional, ...rest } = message;
  return { size: answer.length, ...rest, sections: [found, authority, additional].map(section) };
}

/**
 * The serial of a zone made of objects is the time at which they were read; a signature is no two times the same, and
 * says when it was made (RFC 4034 section 3.1).
 */
function steady({ type, rdata }: Rr): string {
  const bytes = Buffer.from(rdata);
  if (type === 6) return Buffer.concat([bytes.subarray(0, -20), bytes.subarray(-16)]).toString('hex');
  if (type === 46) return Buffer.concat([bytes.subarray(0, 8), bytes.subarray(16, 18)]).toString('hex');
  return bytes.toString('hex');
}

const ttls = (answer: string): number[] =>
  answer === 'none'
    ? []
    : decodeMessage(Buffer.from(answer, 'hex'))
        .answer.map(({ ttl }) => ttl)
        .sort((a, b) => a - b);

/** What the two runs differ in, by their names; empty when in nothing. */
export function differences(plan: Plan, one: Result, other: Result, names: readonly [string, string]): unknown[] {
  const answers = plan.script.flatMap((step, i) => {
    const [a, b] = [one.answers[i]!, other.answers[i]!];
    if (a === b) return [];
    const late = ttls(a).some((ttl, k) => Math.abs(ttl - (ttls(b)[k] ?? -10)) > 3);
    const [x, y] = [comparable(a), comparable(b)];
    return JSON.stringify(x) === JSON.stringify(y) && !late ? [] : [{ step, one: x, other: y }];
  });
  const counters = [
    ...one.counters.filter((line) => !other.counters.includes(line)).map((line) => `${names[0]}: ${line}`),
    ...other.counters.filter((line) => !one.counters.includes(line)).map((line) => `${names[1]}: ${line}`),
  ];
  // What fails in both is no difference, and still a fault.
  return [...answers, ...counters, ...one.panics, ...other.panics];
}
