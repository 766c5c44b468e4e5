import { describe, expect, it } from 'vitest';
import { Lifetime, Metadata, QueryContext, isMetadataLabel } from '../../src/chain/index.js';
import { client, query } from '../support/dns.js';

const gone = new Error('gone');

describe('the signal of a query', () => {
  const under = (): { connection: Lifetime; configuration: Lifetime; context: QueryContext } => {
    const connection = new Lifetime();
    const configuration = new Lifetime();
    return { connection, configuration, context: new QueryContext(client(), 0, { connection, configuration }) };
  };

  it.each<{ name: string; end: (parts: ReturnType<typeof under>) => void }>([
    { name: 'the connection ends', end: ({ connection }) => connection.end(gone) },
    { name: 'the configuration ends', end: ({ configuration }) => configuration.end(gone) },
    { name: 'the time is up', end: ({ context }) => context.cancel(gone) },
  ])('fires when $name', ({ end }) => {
    const parts = under();
    const { signal } = parts.context;
    expect(signal.aborted).toBe(false);
    end(parts);
    expect(signal.reason).toBe(gone);
  });

  it('has fired when it is asked for too late', () => {
    const { connection, context } = under();
    connection.end(gone);
    expect(context.signal.reason).toBe(gone);
  });

  it('is the same for a question that the server asks to answer this one', () => {
    const { connection, context } = under();
    const nested = context.nested().nested();
    expect([nested.signal, nested.depth]).toEqual([context.signal, 2]);
    connection.end(gone);
    expect(nested.signal.aborted).toBe(true);
  });

  it('outlives the connection when the question is asked again for others', () => {
    const { connection, configuration, context } = under();
    const { signal, ...rest } = { signal: context.detached('tcp').signal, ...context.detached('tcp').client };
    connection.end(gone);
    expect([signal.aborted, rest.transport, rest.remote]).toEqual([false, 'tcp', context.client.remote]);
    configuration.end(gone);
    expect(signal.aborted).toBe(true);
  });

  it('leaves nothing behind once the query is answered', () => {
    const { connection, configuration, context } = under();
    void context.signal;
    expect([connection.watched, configuration.watched]).toEqual([1, 1]);
    context.close();
    expect([connection.watched, configuration.watched]).toEqual([0, 0]);
  });

  it('costs nothing where nobody asks for it', () => {
    const { connection, context } = under();
    context.nested();
    expect(connection.watched).toBe(0);
  });
});

describe('a query', () => {
  it('may be made one with equal ones, and upstreams are hurried for it as long as the client waits', () => {
    const context = new QueryContext(client(), 0);
    expect([context.separate, context.patient, context.inspects]).toEqual([false, false, false]);
    expect([context.detached().patient, context.nested().patient]).toEqual([true, false]);
  });
});

describe('notes of what handlers did', () => {
  const asked = (keepsTrail?: boolean, inspects = false): QueryContext =>
    new QueryContext(client(), 0, { ...(keepsTrail !== undefined && { keepsTrail }) }, 0, undefined, inspects);
  it.each([
    { name: 'nobody reads them', context: asked(), kept: false },
    { name: 'nobody keeps them', context: asked(false), kept: false },
    { name: 'they are kept', context: asked(true), kept: true },
    { name: 'somebody inspects', context: asked(undefined, true), kept: true },
  ])('are taken where $name: $kept', ({ context, kept }) => {
    expect(context.trailSoFar).toBeUndefined();
    const { trail } = context;
    expect([trail !== undefined, context.trail, context.nested().trail, context.trailSoFar]).toEqual([
      kept,
      trail,
      trail,
      trail,
    ]);
    expect(context.trail).toBe(trail);
  });

  it('are taken from now on where somebody wants that', () => {
    const context = asked();
    const trail = context.nested().keepTrail();
    expect(context.keepTrail()).toBe(trail);
    expect(context.trail).toBe(trail);
    expect(context.nested().trailSoFar).toBe(trail);
  });
});

describe('a lifetime', () => {
  it('tells everybody once that it has ended, and who comes later at once', () => {
    const told: string[] = [];
    const lifetime = new Lifetime();
    lifetime.onEnd(({ message }) => void told.push(`first ${message}`));
    lifetime.onEnd(() => void told.push('left'))();
    expect(lifetime.watched).toBe(1);
    lifetime.end(gone);
    lifetime.end(new Error('again'));
    lifetime.onEnd(({ message }) => void told.push(`late ${message}`));
    expect([told, lifetime.watched, lifetime.ended]).toEqual([['first gone', 'late gone'], 0, gone]);
  });
});

describe('labels', () => {
  it('are computed when they are asked for, once', () => {
    let computed = 0;
    const labels = new Metadata(query('a.example.'), new Map([['test/name', ({ name }) => `${name}${++computed}`]]));
    expect(computed).toBe(0);
    expect([labels.get('test/name'), labels.get('test/name'), computed]).toEqual(['a.example.1', 'a.example.1', 1]);
  });

  it('can be set on the way, also by a function that is called when it is needed', () => {
    const labels = new Metadata(query('a.'), new Map([['b/c', () => 'x']]));
    labels.set('forward/upstream', () => '192.0.2.1:53');
    labels.set('b/c', 'y');
    expect([labels.get('forward/upstream'), labels.get('b/c'), labels.get('none/there')]).toEqual([
      '192.0.2.1:53',
      'y',
      undefined,
    ]);
    expect(labels.labels()).toEqual(['b/c', 'forward/upstream']);
  });

  it.each([
    { name: 'of a family that ends in a slash', label: 'tls/version', want: 'tls/version' },
    { name: 'of no family', label: 'http/version', want: undefined },
    { name: 'that begins like another', label: 'test/names', want: undefined },
  ])('$name', ({ label, want }) => {
    const sources = ['test/name', 'tls/'].map((name) => [name, (_: unknown, asked: string) => asked] as const);
    expect(new Metadata(query('a.'), new Map(sources)).get(label)).toBe(want);
  });

  it.each([
    ['plugin/name', true],
    ['a/b/c', true],
    ['name', false],
    ['a/', false],
    ['/a', false],
    ['a b/c', false],
  ])('%s is one: %s', (text, is) => expect(isMetadataLabel(text)).toBe(is));
});
