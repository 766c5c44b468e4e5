import { describe, expect, it } from 'vitest';
import { placedRules } from '../../src/datapath/netfilter/node-cache-rules.js';
import { nodeCacheRules } from '../../src/iptables/node-cache-rules.js';
import { ruleArgs, ruleLine, words } from '../../src/iptables/rule-text.js';
import { SAVED } from '../nodelocal/recorded.js';

const ADDRESSES = ['169.254.20.10', '10.96.0.10'];

describe('nodeCacheRules', () => {
  it('are those of a real node', () =>
    expect(nodeCacheRules(ADDRESSES).map(ruleLine).sort()).toEqual([...SAVED].sort()));

  it('have addresses in canonical spelling, and the prefix length of their family', () =>
    expect(nodeCacheRules(['FD00:0::10']).map((rule) => [rule.family, ruleArgs(rule)[1]])).toEqual(
      Array.from({ length: 12 }, () => [6, 'fd00::10/128']),
    ));

  it('refuse what is no address', () =>
    expect(() => nodeCacheRules(['node-local'])).toThrow('"node-local" is not an IP address'));

  it.each(nodeCacheRules([...ADDRESSES, 'fd00::10']).map((rule) => ({ rule, line: ruleLine(rule) })))(
    'are read back from a list as they were given: $line',
    ({ rule, line }) => expect(words(line)).toEqual(['-A', rule.chain, ...ruleArgs(rule)]),
  );

  it('match in the model what they say', () => {
    const [rule] = placedRules(['10.96.0.10'], 8080, 1053);
    expect(rule).toMatchObject({
      table: 'raw',
      chain: 'PREROUTING',
      rule: { match: { protocol: 'TCP', dport: 1053, destination: { not: false } }, target: { kind: 'notrack' } },
    });
    expect(placedRules(['10.96.0.10'], 8080, 1053).at(-1)).toMatchObject({
      chain: 'OUTPUT',
      rule: { match: { protocol: 'TCP', sport: 8080, source: { not: false } }, target: { kind: 'notrack' } },
    });
  });
});

describe('words', () => {
  it.each([
    { line: '-A INPUT -j ACCEPT', want: ['-A', 'INPUT', '-j', 'ACCEPT'] },
    { line: '--comment "a b" -j X', want: ['--comment', 'a b', '-j', 'X'] },
    { line: '--comment "say \\"a\\""', want: ['--comment', 'say "a"'] },
    { line: '--comment ""', want: ['--comment', ''] },
  ])('$line', ({ line, want }) => expect(words(line)).toEqual(want));
});
