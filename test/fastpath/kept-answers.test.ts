import { describe, expect, it } from 'vitest';
import { ReplyLease, type HitCounter } from '../../src/chain/index.js';
import { KeptAnswers } from '../../src/fastpath/kept-answers.js';
import { query } from '../support/dns.js';
import { entryFor, table } from '../support/shared-answer.js';

const counter: HitCounter = () => undefined;

/** Some answers of two sizes, so of two slabs, each with a lease and a list of counters of its own. */
function world() {
  const answers = table(2);
  const kept = new KeptAnswers(answers);
  const all = [16, 16, 300, 16, 300, 16].map((length, i) => {
    const entry = entryFor(query(`n${i}.`), { records: new Uint8Array(length) });
    const slot = answers.put(entry, 0, () => undefined);
    const lease = new ReplyLease(i);
    const counters = new Array<HitCounter>(i).fill(counter);
    return { slot, lease, counters };
  });
  return { kept, all };
}

describe('what is known of answers', () => {
  const of = (kept: KeptAnswers, slots: readonly number[]): unknown[] =>
    slots.map((slot) => [kept.lease(slot), kept.counters(slot).length]);

  it('is found by their places', () => {
    const { kept, all } = world();
    const slots = all.map(({ slot }) => slot);
    expect(of(kept, slots)).toEqual(all.map(() => [undefined, 0]));
    for (const { slot, lease, counters } of all) kept.add(slot, lease, counters);
    expect(of(kept, slots)).toEqual(all.map(({ lease }, i) => [lease, i]));
    expect(kept.size).toBe(6);
    expect([...kept.slots()]).toEqual([...slots].sort((a, b) => a - b));
  });

  it('goes with each, and leaves the others', () => {
    const { kept, all } = world();
    for (const { slot, lease, counters } of all) kept.add(slot, lease, counters);
    const gone = [all[1]!, all[4]!].map(({ slot }) => slot);
    const rest = all.filter(({ slot }) => !gone.includes(slot));
    // A second time there is nothing.
    for (const slot of [...gone, ...gone]) kept.delete(slot);
    expect(of(kept, gone)).toEqual([
      [undefined, 0],
      [undefined, 0],
    ]);
    expect(rest.map(({ slot }) => [kept.lease(slot), kept.counters(slot)])).toEqual(
      rest.map(({ lease, counters }) => [lease, counters]),
    );
    expect(kept.size).toBe(4);
    expect([...kept.slots()]).toEqual(rest.map(({ slot }) => slot).sort((a, b) => a - b));
  });
});
