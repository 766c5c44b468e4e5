import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ResolvConfError,
  StubResolver,
  parseResolvConf,
  runBusyboxNslookup,
  runDig,
  runGetent,
  runHost,
  runNslookup,
  settingsFor,
} from '../../src/resolver/index.js';
import { CLUSTER_DNS, FakeNetwork, lab } from './lab.js';

const SEED = { seed: 8, numRuns: 60 };
const name = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.stringMatching(/^[a-z.\\0-9]{0,12}$/),
  fc.constantFrom('.', '..', '', 'a'.repeat(300), '\\', '10.0.0.1', '::1'),
);
const CONF = `search a.b .\nnameserver ${CLUSTER_DNS}\noptions timeout:1 attempts:1\n`;
/** A server that sends back anything, or what was asked. */
const network = (bytes: Uint8Array): FakeNetwork =>
  new FakeNetwork((query) =>
    bytes.length % 2 === 0 ? undefined : { ...query, flags: 0x8000 | (bytes[0]! << 4), rcode: bytes[0]! & 5 },
  );

describe('whatever is asked and answered', () => {
  it.each(['glibc', 'musl', 'go', 'bind', 'busybox'] as const)(
    '%s comes to an end and gives addresses or an error',
    async (profile) => {
      await fc.assert(
        fc.asyncProperty(name, fc.uint8Array({ maxLength: 3 }), async (asked, bytes) => {
          const { env, finish } = lab(CONF, network(bytes));
          const story = await finish(new StubResolver({ ...env, profile }).lookup(asked));
          expect(story.error === undefined).toBe(story.addresses.length > 0);
        }),
        SEED,
      );
    },
  );

  it.each([
    { program: 'nslookup', run: runNslookup, words: ['-debug', '-type=mx', '-port=', '-vc'] },
    { program: 'dig', run: runDig, words: ['+short', '+tcp', '-x', '+no', '@10.96.0.10', '-t', '+edns=', '+search'] },
    { program: 'host', run: runHost, words: ['-v', '-t', '-a', '-T'] },
    { program: 'getent', run: runGetent, words: ['hosts', 'ahosts', 'ahostsv4'] },
    { program: 'busybox nslookup', run: runBusyboxNslookup, words: ['-debug', '-type=any', '-type='] },
  ])('$program ends with an exit code', async ({ run, words }) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(name, fc.constantFrom(...words)), { maxLength: 5 }),
        fc.uint8Array({ maxLength: 3 }),
        async (args, bytes) => {
          const { env, finish } = lab(CONF, network(bytes));
          expect((await finish(run(args, env))).exitCode).toBeGreaterThanOrEqual(0);
        },
      ),
      SEED,
    );
  });

  it('a resolv.conf is read or refused with its line', () => {
    const words = fc.array(
      fc.oneof(
        fc.constantFrom(
          'nameserver',
          'search',
          'options',
          'domain',
          'ndots:3',
          'rotate',
          '10.0.0.1',
          '\n',
          '\n',
          ';',
          '.',
          'a.b',
        ),
        fc.string({ maxLength: 6 }),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(words, (list) => {
        try {
          const file = parseResolvConf(list.join(' '));
          for (const profile of ['glibc', 'musl', 'go', 'bind', 'busybox'] as const)
            expect(settingsFor(profile, file).servers.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ResolvConfError);
          expect((error as Error).message).toMatch(/^resolv\.conf:\d+: /);
        }
      }),
      { seed: 8, numRuns: 300 },
    );
  });
});
