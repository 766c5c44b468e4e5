import { afterEach, describe, expect, it } from 'vitest';
import type { Handler, Next, Outcome, PluginDefinition, Query } from '../../../src/chain/index.js';
import { DROP, linkChain } from '../../../src/chain/index.js';
import { Tracer } from '../../../src/lab/trace/tracer.js';
import type { ServerSpan } from '../../../src/lab/trace/tracer.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { query, reply } from '../../support/dns.js';

type Handle = (query: Query, next: Next) => Outcome | Promise<Outcome>;

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

/** Two plugins in a chain, watched: what the first one gives, and the visits that were told as over. */
function chain(
  outer: Handle,
  inner: Handle,
): { readonly run: () => Outcome | Promise<Outcome>; readonly left: readonly ServerSpan[] } {
  const tracer = new Tracer(new ManualClock());
  const left: ServerSpan[] = [];
  ends.push(tracer.follow((visit) => left.push(visit)));
  const plugin = (name: string, handle: Handle): PluginDefinition => ({ name, setup: () => ({ name, handle }) });
  const handlers = tracer
    .wrap([plugin('outer', outer), plugin('inner', inner)], 'kube-system/coredns')
    .map((one) => one.setup([] as never, {} as never) as Handler);
  const ask = linkChain([...handlers, { name: 'last', handle: () => reply() }]);
  return { left, run: () => ask(query('a.example.')) };
}

const passing: Handle = (asked, next) => next(asked);

describe('a visit', () => {
  it.each<{ name: string; outer: Handle; inner: Handle; by: string | undefined; rcode: string }>([
    {
      name: 'answered by the one behind',
      outer: passing,
      inner: () => reply({ answer: ['a.example. 30 IN A 192.0.2.1'] }),
      by: 'inner',
      rcode: 'NOERROR',
    },
    { name: 'answered at once', outer: () => reply({ rcode: 3 }), inner: passing, by: 'outer', rcode: 'NXDOMAIN' },
    { name: 'answered later', outer: passing, inner: async () => reply(), by: 'inner', rcode: 'NODATA' },
    { name: 'not answered', outer: passing, inner: () => DROP, by: 'inner', rcode: 'no answer' },
  ])('$name', async ({ outer, inner, by, rcode }) => {
    const { run, left } = chain(outer, inner);
    await run();
    expect(left).toEqual([
      expect.objectContaining({
        server: 'kube-system/coredns',
        name: 'a.example.',
        type: 'A',
        depth: 0,
        answeredBy: by,
        rcode,
      }),
    ]);
  });

  const broken = (): never => {
    throw new Error('broken');
  };
  it.each<{ name: string; inner: Handle }>([
    { name: 'at once', inner: broken },
    { name: 'later', inner: async () => broken() },
  ])('that fails $name is over too, and the failure goes on', async ({ inner }) => {
    const { run, left } = chain(passing, inner);
    await expect((async () => run())()).rejects.toThrow('broken');
    expect(left).toEqual([expect.objectContaining({ rcode: 'SERVFAIL', answeredBy: undefined })]);
    // It is not open any more: the same question again is no visit below it.
    await expect((async () => run())()).rejects.toThrow('broken');
    expect(left.map(({ depth }) => depth)).toEqual([0, 0]);
  });
});
