import { describe, expect, it } from 'vitest';
import { Intake } from '../../src/kube/intake/intake.js';
import { LabelSelector } from '../../src/kube/objects/label-selector.js';
import { MemorySource } from '../../src/kube/memory-source.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../src/kube/objects/objects.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { RecordedLog, namespace, service, slice } from '../support/kube.js';

const options = { kinds: KUBE_KINDS, fields: ALL_FIELDS, log: new RecordedLog() };

describe('MemorySource', () => {
  it('holds what it is given until it starts, then passes it on at once', async () => {
    const source = new MemorySource(new Intake(options));
    const store = new KubeStore();
    source.apply({ kind: 'List', items: [namespace('default'), service('web')] });
    expect(source.hasSynced).toBe(false);
    const stop = new AbortController();
    source.start(store, stop.signal);
    await source.synced;
    expect(store.service('default', 'web')).toBeDefined();
    source.apply(slice('web', ['10.0.0.1']));
    expect(store.slicesOf('default', 'web')).toHaveLength(1);
    source.delete('Service', 'default', 'web');
    expect(store.service('default', 'web')).toBeUndefined();
    stop.abort();
    source.apply(service('late'));
    expect(store.service('default', 'late')).toBeUndefined();
  });

  it.each([
    { name: 'another kind', object: { kind: 'Deployment' }, error: 'cannot hold an object of kind "Deployment"' },
    { name: 'no object', object: 'x', error: 'cannot hold an object of kind ""' },
    {
      name: 'an invalid object',
      object: { kind: 'Service', metadata: { name: 'A', namespace: 'n' } },
      error: 'invalid Service n/A',
    },
  ])('refuses $name', ({ object, error }) => {
    expect(() => new MemorySource(new Intake(options)).apply(object)).toThrow(error);
  });
});

describe('Intake', () => {
  it.each([
    { name: 'a kind that is not wanted', rest: { kinds: ['Pod'] as const }, object: service('web'), taken: false },
    { name: 'another namespace', rest: { namespaces: new Set(['other']) }, object: service('web'), taken: false },
    { name: 'the namespace itself', rest: { namespaces: new Set(['other']) }, object: namespace('other'), taken: true },
    {
      name: 'labels that match',
      rest: { labels: LabelSelector.parse('a=b') },
      object: service('web', {}, { labels: { a: 'b' } }),
      taken: true,
    },
    {
      name: 'labels that do not match',
      rest: { labels: LabelSelector.parse('a=b') },
      object: service('web'),
      taken: false,
    },
    {
      name: 'a namespace, whatever the labels of services',
      rest: { labels: LabelSelector.parse('a=b') },
      object: namespace('n'),
      taken: true,
    },
    {
      name: 'namespace labels that do not match',
      rest: { namespaceLabels: LabelSelector.parse('a=b') },
      object: namespace('n', { a: 'c' }),
      taken: false,
    },
    {
      name: 'a service, whatever the labels of namespaces',
      rest: { namespaceLabels: LabelSelector.parse('a=b') },
      object: service('web'),
      taken: true,
    },
  ])('decides about $name', ({ rest, object, taken }) => {
    expect(typeof new Intake({ ...options, ...rest }).take(object.kind as 'Service', object) === 'object').toBe(taken);
  });

  it('warns of a trigger time that is none', () => {
    const log = new RecordedLog();
    const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': 'yesterday' };
    new Intake({ ...options, log }).take(
      'EndpointSlice',
      slice('web', [], { metadata: { name: 'web-a', annotations } }),
    );
    expect(log.lines).toEqual([
      'warning EndpointSlice web-a: endpoints.kubernetes.io/last-change-trigger-time is no time: "yesterday"',
    ]);
  });
});
