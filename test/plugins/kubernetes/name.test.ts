import { describe, expect, it } from 'vitest';
import type { KubeStore } from '../../../src/kube/store/store.js';
import { before, below, parseRequest } from '../../../src/plugins/kubernetes/name.js';
import { ObjectFinder, type LookupOptions } from '../../../src/plugins/kubernetes/object-finder.js';

const plain = {
  kind: 'svc',
  namespace: '',
  service: '',
  endpoint: '',
  cluster: '',
  port: '',
  protocol: '',
  prefixed: false,
  zonal: undefined,
};

describe('parseRequest', () => {
  it.each([
    { name: 'svc', want: 'between' },
    { name: 'pod', want: 'between' },
    { name: 'default.svc', want: { ...plain, namespace: 'default' } },
    { name: 'web.default.svc', want: { ...plain, namespace: 'default', service: 'web' } },
    { name: '1-2-3-4.default.pod', want: { ...plain, kind: 'pod', namespace: 'default', service: '1-2-3-4' } },
    {
      name: 'db-0.db.default.svc',
      want: { ...plain, namespace: 'default', service: 'db', endpoint: 'db-0', prefixed: true },
    },
    {
      name: '_http._tcp.web.default.svc',
      want: { ...plain, namespace: 'default', service: 'web', port: 'http', protocol: 'tcp', prefixed: true },
    },
    {
      name: 'http.tcp.web.default.svc',
      want: { ...plain, namespace: 'default', service: 'web', port: 'http', protocol: 'tcp', prefixed: true },
    },
    { name: '_._.web.default.svc', want: { ...plain, namespace: 'default', service: 'web', prefixed: true } },
    { name: 'a._http._tcp.web.default.svc', want: undefined },
    {
      name: 'a\\.b.web.default.svc',
      want: { ...plain, namespace: 'default', service: 'web', endpoint: 'a\\.b', prefixed: true },
    },
    { name: 'a\\.b.svc', want: { ...plain, namespace: 'a\\.b' } },
    { name: 'google.com', want: undefined },
    { name: 'mysvc', want: undefined },
    { name: '', want: undefined },
  ])('$name', ({ name, want }) => {
    expect(parseRequest(name, 'zonal')).toEqual(want);
  });

  const db = { ...plain, namespace: 'prod', service: 'db', prefixed: true };
  it.each([
    { name: 'us-1a.pin._zone.db.prod.svc', want: { ...db, zonal: { zone: 'us-1a', prefer: false } } },
    { name: 'a.b.c.prefer._zone.db.prod.svc', want: { ...db, zonal: { zone: 'a.b.c', prefer: true } } },
    { name: 'us-1a.near._zone.db.prod.svc', want: undefined },
    { name: 'us-1a.pin._zones.db.prod.svc', want: undefined },
    { name: 'us-1a.pin._zone.db.prod.pod', want: undefined },
    // Port and protocol, as ever.
    { name: 'pin._zone.db.prod.svc', want: { ...db, port: 'pin', protocol: 'zone' } },
  ])('with zones: $name', ({ name, want }) => expect(parseRequest(name, 'zonal')).toEqual(want));

  it.each([
    { name: 'ep.east.db.prod.svc', want: { ...db, endpoint: 'ep', cluster: 'east' } },
    { name: 'ep.db.prod.svc', want: { ...db, endpoint: 'ep' } },
    { name: '_http._tcp.db.prod.svc', want: { ...db, port: 'http', protocol: 'tcp' } },
    { name: 'us-1a.pin._zone.db.prod.svc', want: undefined },
  ])('with clusters: $name', ({ name, want }) => expect(parseRequest(name, 'multicluster')).toEqual(want));

  it('knows no zones where they were not asked for', () =>
    expect(parseRequest('us-1a.pin._zone.db.prod.svc', 'plain')).toBeUndefined());
});

describe('names and zones', () => {
  it.each([
    { name: 'web.default.svc.cluster.local.', zone: 'cluster.local.', want: 'web.default.svc' },
    { name: 'cluster.local.', zone: 'cluster.local.', want: '' },
    { name: 'web.default.svc.', zone: '.', want: 'web.default.svc' },
    { name: '.', zone: '.', want: '' },
  ])('$name within $zone', ({ name, zone, want }) => {
    expect(before(name, zone)).toBe(want);
    if (want !== '') expect(below(want, zone)).toBe(name);
  });
});

describe('a namespace is answered for', () => {
  const exposed = (kinds: readonly string[], more: Partial<LookupOptions>): boolean => {
    const store = {
      namespace: (name: string) => (kinds.includes('Namespace') ? { name } : undefined),
      in: (kind: string) => (kinds.includes(kind) ? [{}] : []).values(),
    } as unknown as KubeStore;
    const options = { namespaces: undefined, namespaceLabels: undefined, impliedNamespaces: false, ...more };
    return new ObjectFinder(store, options as LookupOptions).exposed('shop');
  };
  const labels = {} as LookupOptions['namespaceLabels'];
  it.each([
    { name: 'that is there', kinds: ['Namespace'], more: {}, want: true },
    { name: 'that is listed', kinds: ['Namespace'], more: { namespaces: new Set(['shop']) }, want: true },
    { name: 'that is not listed', kinds: ['Namespace'], more: { namespaces: new Set(['a']) }, want: false },
    { name: 'of a service alone', kinds: ['Service'], more: {}, want: false },
    { name: 'that a service implies', kinds: ['Service'], more: { impliedNamespaces: true }, want: true },
    { name: 'that a pod implies', kinds: ['Pod'], more: { impliedNamespaces: true }, want: true },
    { name: 'that nothing implies', kinds: [], more: { impliedNamespaces: true }, want: false },
    {
      name: 'whose labels nobody knows',
      kinds: ['Service'],
      more: { impliedNamespaces: true, namespaceLabels: labels },
      want: false,
    },
  ])('$name: $want', ({ kinds, more, want }) => expect(exposed(kinds, more)).toBe(want));
});
