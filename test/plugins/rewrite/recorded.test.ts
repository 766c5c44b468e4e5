import { describe, expect, it } from 'vitest';
import { rewrite } from '../../../src/plugins/rewrite/setup.js';
import { setup } from '../../support/block.js';
import { query, summary } from '../../support/dns.js';
import { exampleUpstream, recordedSets } from '../../support/example-upstream.js';

describe.each(recordedSets('rewrite'))('recorded: $set', ({ block, cases }) => {
  it.each(cases)('$qname $type', async ({ qname, type, want }) => {
    const { ask } = setup(rewrite, block, { ask: exampleUpstream });
    expect(summary(await ask(query(qname, type), exampleUpstream))).toEqual(want);
  });
});
