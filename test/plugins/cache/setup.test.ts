import { describe, expect, it } from 'vitest';
import { parseOptions, type CacheOptions, type StalePolicy } from '../../../src/plugins/cache/options.js';
import { cache } from '../../../src/plugins/cache/setup.js';
import { TestBlock, directives, setup } from '../../support/block.js';

function parsed(text: string): CacheOptions {
  return parseOptions(directives(text, 'cache')[0], new TestBlock({ zones: ['example.org.', 'example.com.'] }));
}

const defaults = {
  success: { capacity: 9984, minTtl: 5, maxTtl: 3600 },
  denial: { capacity: 9984, minTtl: 5, maxTtl: 1800 },
  failureTtl: 5,
  prefetch: undefined,
  stale: undefined,
  preferPositive: false,
  disabled: {},
  keepTtl: false,
};

const stale = (change: Partial<StalePolicy>): StalePolicy => ({
  maxAge: 3600,
  ttl: 0,
  verify: false,
  verifyTimeout: 0,
  recheck: 0,
  ...change,
});

describe('cache options', () => {
  it.each([
    { name: 'defaults', text: 'cache', want: {} },
    { name: 'empty block', text: 'cache {\n}', want: {} },
    {
      name: 'TTL for both types',
      text: 'cache 30',
      want: { success: { capacity: 9984, minTtl: 5, maxTtl: 30 }, denial: { capacity: 9984, minTtl: 5, maxTtl: 30 } },
    },
    {
      name: 'success with capacity, TTL and least TTL',
      text: 'cache {\nsuccess 5000 1800 30\n}',
      want: { success: { capacity: 4864, minTtl: 30, maxTtl: 1800 } },
    },
    {
      name: 'denial with capacity and TTL',
      text: 'cache 25 {\ndenial 9984 5\n}',
      want: { success: { capacity: 9984, minTtl: 5, maxTtl: 25 }, denial: { capacity: 9984, minTtl: 5, maxTtl: 5 } },
    },
    {
      name: 'capacity alone leaves the TTLs',
      text: 'cache 25 {\nsuccess 2560\n}',
      want: { success: { capacity: 2560, minTtl: 5, maxTtl: 25 }, denial: { capacity: 9984, minTtl: 5, maxTtl: 25 } },
    },
    {
      name: 'capacity below the least one',
      text: 'cache {\nsuccess 10\n}',
      want: { success: { capacity: 1024, minTtl: 5, maxTtl: 3600 } },
    },
    {
      name: 'least TTL of 0',
      text: 'cache {\ndenial 2560 60 0\n}',
      want: { denial: { capacity: 2560, minTtl: 0, maxTtl: 60 } },
    },
    {
      name: 'prefetch with its defaults',
      text: 'cache {\nprefetch 10\n}',
      want: { prefetch: { amount: 10, gap: 60_000, percentage: 10 } },
    },
    {
      name: 'prefetch with all arguments',
      text: 'cache {\nprefetch 3 1h30m 25%\n}',
      want: { prefetch: { amount: 3, gap: 5_400_000, percentage: 25 } },
    },
    { name: 'prefetch 0 is none', text: 'cache {\nprefetch 0\n}', want: {} },
    { name: 'serve_stale', text: 'cache {\nserve_stale\n}', want: { stale: stale({}) } },
    {
      name: 'serve_stale with a duration',
      text: 'cache {\nserve_stale 1h20m\n}',
      want: { stale: stale({ maxAge: 4800 }) },
    },
    {
      name: 'serve_stale immediate',
      text: 'cache {\nserve_stale 1m immediate\n}',
      want: { stale: stale({ maxAge: 60 }) },
    },
    {
      name: 'serve_stale immediate with a TTL and a time between attempts',
      text: 'cache {\nserve_stale 1m immediate 30s 5m\n}',
      want: { stale: stale({ maxAge: 60, ttl: 30, recheck: 300_000 }) },
    },
    {
      name: 'serve_stale verify in any letter case',
      text: 'cache {\nserve_stale 1m VERIFY\n}',
      want: { stale: stale({ maxAge: 60, verify: true }) },
    },
    {
      name: 'serve_stale verify with a limit',
      text: 'cache {\nserve_stale 1m verify 100ms\n}',
      want: { stale: stale({ maxAge: 60, verify: true, verifyTimeout: 100 }) },
    },
    {
      name: 'serve_stale verify with everything',
      text: 'cache {\nserve_stale 1m verify 0 30s 10s\n}',
      want: { stale: stale({ maxAge: 60, verify: true, ttl: 30, recheck: 10_000 }) },
    },
    {
      name: 'serve_stale_policy',
      text: 'cache {\nserve_stale_policy Prefer_Positive\nserve_stale\n}',
      want: { stale: stale({}), preferPositive: true },
    },
    { name: 'serve_stale 0 is none', text: 'cache {\nserve_stale 0\n}', want: {} },
    { name: 'servfail at its longest', text: 'cache {\nservfail 5m\n}', want: { failureTtl: 300 } },
    { name: 'servfail off', text: 'cache {\nservfail 0\n}', want: { failureTtl: 0 } },
    { name: 'servfail in whole seconds', text: 'cache {\nservfail 1500ms\n}', want: { failureTtl: 1 } },
    { name: 'keepttl', text: 'cache {\nkeepttl\n}', want: { keepTtl: true } },
  ])('$name', ({ text, want }) => {
    const { zones: _zones, ...options } = parsed(text);
    expect(options).toEqual({ ...defaults, ...want });
  });

  it.each([
    { name: "the block's zones", text: 'cache', want: ['example.org.', 'example.com.'] },
    { name: "the block's zones behind a TTL", text: 'cache 30', want: ['example.org.', 'example.com.'] },
    { name: 'zones without a TTL', text: 'cache sub.example.org', want: ['sub.example.org.'] },
    {
      name: 'zones behind a TTL',
      text: 'cache 30 sub.example.org 10.0.0.0/8',
      want: ['sub.example.org.', '10.in-addr.arpa.'],
    },
    { name: 'a number behind the TTL is a zone', text: 'cache 30 60', want: ['60.'] },
  ])('zones: $name', ({ text, want }) => {
    expect(parsed(text).zones.list).toEqual(want);
  });

  it.each([
    {
      name: 'named zones',
      text: 'cache {\ndisable denial example.com example.org\n}',
      want: { denial: ['example.com.', 'example.org.'] },
    },
    { name: 'no zones: all', text: 'cache {\ndisable success\n}', want: { success: ['.'] } },
    {
      name: 'both types',
      text: 'cache {\ndisable success cluster.local\ndisable denial cluster.local\n}',
      want: { success: ['cluster.local.'], denial: ['cluster.local.'] },
    },
    {
      name: 'the last line of a type holds',
      text: 'cache {\ndisable denial a.test\ndisable denial b.test\n}',
      want: { denial: ['b.test.'] },
    },
  ])('disable: $name', ({ text, want }) => {
    expect(
      Object.fromEntries(Object.entries(parsed(text).disabled).map(([type, zones]) => [type, zones.list])),
    ).toEqual(want);
  });
});

describe('cache refuses', () => {
  it.each([
    {
      text: 'cache 0',
      error: "Corefile:2: cache: TTL: got '0', allowed: whole seconds without a unit from 1 to 2147483647",
    },
    {
      text: 'cache -1 example.org',
      error: "Corefile:2: cache: TTL: got '-1', allowed: whole seconds without a unit from 1 to 2147483647",
    },
    { text: 'cache\ncache', error: 'Corefile:3: cache: got a second cache in this server block, allowed: one' },
    {
      text: 'cache {\npositive 15\n}',
      error:
        "Corefile:3: cache: unknown option 'positive'; allowed: success, denial, prefetch, serve_stale, serve_stale_policy, servfail, disable, keepttl, persist",
    },
    {
      text: 'cache {\nconstructor\n}',
      error:
        "Corefile:3: cache: unknown option 'constructor'; allowed: success, denial, prefetch, serve_stale, serve_stale_policy, servfail, disable, keepttl, persist",
    },
    {
      text: 'cache {\nprefech 10\n}',
      error:
        "Corefile:3: cache: unknown option 'prefech'; allowed: success, denial, prefetch, serve_stale, serve_stale_policy, servfail, disable, keepttl, persist; did you mean 'prefetch'?",
    },
    {
      text: 'cache {\nsuccess\n}',
      error:
        'Corefile:3: cache: success: got no argument, allowed: 1 to 3 arguments; usage: success CAPACITY [TTL] [MINTTL]',
    },
    {
      text: 'cache {\nsuccess 1 2 3 4\n}',
      error:
        "Corefile:3: cache: success: got 4 arguments ('1' '2' '3' '4'), allowed: 1 to 3 arguments; usage: success CAPACITY [TTL] [MINTTL]",
    },
    {
      text: 'cache {\nsuccess 15\ndenial aaa\n}',
      error: "Corefile:4: cache: denial: CAPACITY: got 'aaa', allowed: a whole number, at least 0",
    },
    {
      text: 'cache {\ndenial 15 0\n}',
      error: "Corefile:3: cache: denial: TTL: got '0', allowed: whole seconds without a unit from 1 to 2147483647",
    },
    {
      text: 'cache {\ndenial 15 30s\n}',
      error: "Corefile:3: cache: denial: TTL: got '30s', allowed: whole seconds without a unit from 1 to 2147483647",
    },
    {
      text: 'cache {\nsuccess 15 30 -1\n}',
      error: "Corefile:3: cache: success: MINTTL: got '-1', allowed: whole seconds without a unit from 0 to 2147483647",
    },
    {
      text: 'cache {\nprefetch\n}',
      error:
        'Corefile:3: cache: prefetch: got no argument, allowed: 1 to 3 arguments; usage: prefetch AMOUNT [DURATION] [PERCENTAGE%]',
    },
    {
      text: 'cache {\nprefetch -1\n}',
      error: "Corefile:3: cache: prefetch: AMOUNT: got '-1', allowed: a whole number, at least 0",
    },
    {
      text: 'cache {\nprefetch 1 60\n}',
      error:
        "Corefile:3: cache: prefetch: DURATION: got '60', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      text: 'cache {\nprefetch 1 1m 20\n}',
      error: "Corefile:3: cache: prefetch: PERCENTAGE: got '20', allowed: a percentage such as 10% from 10% to 90%",
    },
    {
      text: 'cache {\nprefetch 1 1m 91%\n}',
      error: "Corefile:3: cache: prefetch: PERCENTAGE: got '91%', allowed: a percentage such as 10% from 10% to 90%",
    },
    {
      text: 'cache {\nserve_stale -20m\n}',
      error:
        "Corefile:3: cache: serve_stale: DURATION: got '-20m', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      text: 'cache {\nserve_stale 1m later\n}',
      error: "Corefile:3: cache: serve_stale: REFRESH_MODE: got 'later', allowed: immediate, verify",
    },
    {
      text: 'cache {\nserve_stale 1m immediate 3s 3s 3s\n}',
      error:
        "Corefile:3: cache: serve_stale: got 5 arguments ('1m' 'immediate' '3s' '3s' '3s'), allowed: 0 to 4 arguments; usage: serve_stale [DURATION] [immediate [RESPONSE_TTL [FAILURE_RECHECK]]]",
    },
    {
      text: 'cache {\nserve_stale 1m verify 3s 3s 3s 3s\n}',
      error:
        "Corefile:3: cache: serve_stale: got 6 arguments ('1m' 'verify' '3s' '3s' '3s' '3s'), allowed: 0 to 5 arguments; usage: serve_stale [DURATION] [verify [VERIFY_TIMEOUT [RESPONSE_TTL [FAILURE_RECHECK]]]]",
    },
    {
      text: 'cache {\nserve_stale 1m immediate 1500ms\n}',
      error: "Corefile:3: cache: serve_stale: RESPONSE_TTL: got '1500ms', allowed: whole seconds such as 30s",
    },
    {
      text: 'cache {\nserve_stale 1m verify -1s\n}',
      error:
        "Corefile:3: cache: serve_stale: VERIFY_TIMEOUT: got '-1s', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      text: 'cache {\nserve_stale 1m immediate 0 6m\n}',
      error:
        "Corefile:3: cache: serve_stale: FAILURE_RECHECK: got '6m', allowed: a duration such as 30s, 250ms or 1h30m from 0s to 5m0s",
    },
    {
      text: 'cache {\nserve_stale\nserve_stale_policy\n}',
      error:
        'Corefile:4: cache: serve_stale_policy: got no argument, allowed: 1 argument; usage: serve_stale_policy prefer_positive',
    },
    {
      text: 'cache {\nserve_stale\nserve_stale_policy newest\n}',
      error: "Corefile:4: cache: serve_stale_policy: got 'newest', allowed: prefer_positive",
    },
    {
      text: 'cache {\nserve_stale_policy prefer_positive\n}',
      error: 'Corefile:3: cache: serve_stale_policy: got no serve_stale in this cache, which it is for',
    },
    {
      text: 'cache {\nserve_stale\nserve_stale_policy prefer_positive\nserve_stale_policy prefer_positive\n}',
      error: 'Corefile:5: cache: serve_stale_policy: got it a second time, allowed: once',
    },
    {
      text: 'cache {\nservfail\n}',
      error: 'Corefile:3: cache: servfail: got no argument, allowed: 1 argument; usage: servfail DURATION',
    },
    {
      text: 'cache {\nservfail 6m\n}',
      error:
        "Corefile:3: cache: servfail: DURATION: got '6m', allowed: a duration such as 30s, 250ms or 1h30m from 0s to 5m0s",
    },
    {
      text: 'cache {\ndisable\n}',
      error:
        'Corefile:3: cache: disable: got no argument, allowed: at least 1 argument; usage: disable success|denial [ZONES...]',
    },
    { text: 'cache {\ndisable error\n}', error: "Corefile:3: cache: disable: got 'error', allowed: success, denial" },
    { text: 'cache {\nkeepttl 5\n}', error: "Corefile:3: cache: keepttl: got 1 argument ('5'), allowed: no argument" },
    { text: 'cache {\nservfail 5s {\n}\n}', error: 'Corefile:3: cache: servfail: got a block in { }, allowed: none' },
  ])('$text', ({ text, error }) => {
    expect(() => setup(cache, text)).toThrow(expect.objectContaining({ message: error }));
  });
});
