import { describe, expect, it } from 'vitest';
import { metadata } from '../../../src/plugins/metadata/setup.js';
import { setup } from '../../support/block.js';
import { query, reply } from '../../support/dns.js';

describe('metadata', () => {
  it.each([
    { name: "the block's zones", text: 'metadata', want: ['a.test.', 'b.test.'] },
    { name: 'its own zones', text: 'metadata c.test 10.0.0.0/8', want: ['c.test.', '10.in-addr.arpa.'] },
  ])('collects for $name', ({ text, want }) => {
    const { block } = setup(metadata, text, { zones: ['a.test.', 'b.test.'] });
    expect(block.settings.metadata!.list).toEqual(want);
  });

  it('hands queries on', () => {
    const next = reply();
    expect(setup(metadata, 'metadata').ask(query('a.'), () => next)).toBe(next);
  });

  it.each([
    { name: 'a second one', text: 'metadata\nmetadata', error: '3: metadata: got it a second time' },
    { name: 'a block', text: 'metadata {\n}', error: '2: metadata: got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) => expect(() => setup(metadata, text)).toThrow(`Corefile:${error}`));
});
