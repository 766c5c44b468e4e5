import { describe, expect, it } from 'vitest';
import { OwnedLeases } from '../../../src/plugins/kubernetes/leases.js';

describe('what the names of a namespace promise', () => {
  const begun = () => {
    const owned = new OwnedLeases();
    const leases = {
      web: owned.of('a', { service: 'web' }),
      db: owned.of('a', { service: 'db' }),
      pod: owned.of('a', { pod: '10.0.0.1' }),
      all: owned.of('a', 'namespace'),
      other: owned.of('b', { service: 'web' }),
    };
    const ended = (): string[] => Object.entries(leases).flatMap(([name, lease]) => (lease.ended ? [name] : []));
    return { owned, leases, ended };
  };

  it('is one promise for all that comes from the same object', () => {
    const { owned, leases } = begun();
    expect(owned.of('a', { service: 'web' })).toBe(leases.web);
    expect(owned.of('a', { pod: '10.0.0.1' })).toBe(leases.pod);
    expect(new Set(Object.values(leases)).size).toBe(5);
  });

  it.each<{ name: string; change: (owned: OwnedLeases) => void; want: string[]; namespaces: number }>([
    { name: 'a service', change: (owned) => owned.end('a', { service: 'web' }), want: ['web'], namespaces: 2 },
    { name: 'a pod', change: (owned) => owned.end('a', { pod: '10.0.0.1' }), want: ['pod'], namespaces: 2 },
    {
      name: 'the last of a namespace',
      change: (owned) => owned.end('b', { service: 'web' }),
      want: ['other'],
      namespaces: 1,
    },
    {
      name: 'nothing that was asked for',
      change: (owned) => owned.end('b', { service: 'db' }),
      want: [],
      namespaces: 2,
    },
    { name: 'a namespace', change: (owned) => owned.endAll('a'), want: ['web', 'db', 'pod', 'all'], namespaces: 1 },
    { name: 'an unknown namespace', change: (owned) => owned.endAll('c'), want: [], namespaces: 2 },
    { name: 'everything', change: (owned) => owned.clear(), want: ['web', 'db', 'pod', 'all', 'other'], namespaces: 0 },
  ])('ends with $name', ({ change, want, namespaces }) => {
    const { owned, ended } = begun();
    change(owned);
    expect([ended(), owned.size]).toEqual([want, namespaces]);
  });

  it('begins anew after its end', () => {
    const { owned, leases } = begun();
    owned.end('a', { service: 'web' });
    expect(owned.of('a', { service: 'web' })).not.toBe(leases.web);
    owned.endAll('a');
    expect(owned.of('a', 'namespace').ended).toBe(false);
  });
});
