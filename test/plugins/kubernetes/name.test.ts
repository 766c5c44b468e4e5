import { describe, expect, it } from 'vitest';
import { before, below, parseRequest } from '../../../src/plugins/kubernetes/name.js';

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
