import { describe, expect, it } from 'vitest';
import { Reply, type Handler } from '../../src/chain/index.js';
import { adaptPlugin } from '../../src/plugin-api/adapt.js';
import type { HandleFunction, Plugin, PluginBlock } from '../../src/plugin-api/contract.js';
import { setup } from '../support/block.js';
import { query } from '../support/dns.js';

const refused: HandleFunction = () => ({ rcode: 'REFUSED' });
const made = (setupOf: Plugin['setup'], text = 'names') => {
  const one = setup(adaptPlugin({ name: 'names', api: 1, setup: setupOf }), text);
  const rcode = async (): Promise<number | undefined> => {
    const outcome = await one.ask(query('a.example.'), () => Reply.empty(3));
    return outcome instanceof Reply ? outcome.rcode : undefined;
  };
  const ready = (): boolean | undefined => (one.handlers[0] as Handler & { readonly ready?: () => boolean }).ready?.();
  return { ...one, rcode, ready };
};

describe('a setup that promises its handler', () => {
  it('passes queries on until it is there', async () => {
    const { block, rcode, ready } = made(async () => refused);
    expect([await made(() => new Promise(() => undefined)).rcode(), ready()]).toEqual([3, true]);
    await block.run('start');
    expect([await rcode(), ready()]).toEqual([5, true]);
  });

  it('is as ready as its handler says', async () => {
    const { block, rcode, ready } = made(async () => ({ handle: refused, ready: () => false }));
    await block.run('start');
    expect([await rcode(), ready()]).toEqual([5, false]);
  });

  it('may promise none', async () => {
    const { block, rcode } = made(async () => undefined);
    await block.run('start');
    expect(await rcode()).toBe(3);
  });
});

describe('what setup returns', () => {
  it.each([{ given: null }, { given: {} }, { given: { handle: 'x' } }, { given: 'x' }])(
    'is refused: $given',
    ({ given }) =>
      expect(() => made(() => given as never)).toThrow(/^Corefile:2: names: setup returned .*, expected: a function/),
  );
});

describe('a TTL of a record', () => {
  const answer = (ttl: number) => async (): Promise<unknown> => {
    const { ask } = made(() => () => ({ answers: [{ name: 'a.example', type: 'A', ttl, data: '192.0.2.1' }] }));
    const outcome = await ask(query('a.example.'));
    return outcome instanceof Reply ? outcome.answer[0]!.ttl : undefined;
  };
  // RFC 2181 section 8.
  it.each([0, 2_147_483_647])('may be %d', async (ttl) => expect(await answer(ttl)()).toBe(ttl));
  it.each([-1, 1.5, 2_147_483_648])(
    'may not be %d',
    async (ttl) => await expect(answer(ttl)()).rejects.toThrow('allowed: whole seconds from 0 to 2147483647'),
  );
});

describe("a block's help", () => {
  it('takes a timer back', () => {
    const calls: string[] = [];
    let cancel = (): void => undefined;
    const { block } = made((one: PluginBlock) => {
      cancel = one.setTimeout(() => calls.push('first'), 1000);
      one.setTimeout(() => calls.push('second'), 1000);
    });
    cancel();
    block.clock.advance(2000);
    expect(calls).toEqual(['second']);
  });

  it.each([
    { name: 'at the directive', option: undefined, want: 'Corefile:2: names: no' },
    { name: 'at the option', option: 'ttl', want: 'Corefile:3: names: ttl: no' },
    { name: 'naming an option that is not written', option: 'zone', want: 'Corefile:2: names: zone: no' },
  ])('fails $name', ({ option, want }) =>
    expect(() =>
      setup(
        adaptPlugin({
          name: 'names',
          api: 1,
          options: { ttl: { type: 'seconds', default: 1 }, zone: { type: 'text', default: '' } },
          setup: (block: PluginBlock) => block.fail('no', option),
        }),
        'names {\n ttl 5\n}',
      ),
    ).toThrow(want),
  );
});
