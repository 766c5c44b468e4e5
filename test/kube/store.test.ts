import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeChange, ServiceChange } from '../../src/kube/store/change.js';
import { ALL_FIELDS } from '../../src/kube/objects/objects.js';
import type { KubeKind, KubeObject } from '../../src/kube/objects/objects.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { Trimmer } from '../../src/kube/intake/trim.js';
import type { Manifest } from '../support/fake-api.js';
import { RecordedLog, namespace, pod, service, slice } from '../support/kube.js';

const trimmer = new Trimmer(ALL_FIELDS, new RecordedLog());
const of = (manifest: Manifest): KubeObject => trimmer.trim(manifest.kind as KubeKind, manifest)!;
const ip = (address: string) => ({ clusterIP: address, clusterIPs: [address] });

let store: KubeStore;
let changes: KubeChange[];
let services: ServiceChange[];
beforeEach(() => {
  store = new KubeStore();
  changes = [];
  services = [];
  store.changes.subscribe((change) => changes.push(change));
  store.serviceChanges.subscribe((change) => services.push(change));
});
const names = (objects: Iterable<{ readonly name: string }>): string[] => [...objects].map((object) => object.name);

it('what a list did not hold goes one step at a time', () => {
  for (const name of ['a', 'b', 'c']) store.apply(of(service(name)));
  const replacement = store.replace('Service');
  replacement.apply(of(service('b')));
  const left: number[] = [];
  for (const steps = replacement.sweep(); steps.next().done !== true;) left.push(store.count('Service'));
  expect(left).toEqual([2, 2, 1]);
});

describe('lookups', () => {
  it('finds services by name, namespace and address', () => {
    store.apply(of(service('a', ip('10.96.0.1'))));
    store.apply(of(service('b', ip('10.96.0.1'), { namespace: 'other' })));
    expect(store.service('default', 'a')?.name).toBe('a');
    expect(store.service('default', 'b')).toBeUndefined();
    expect(names(store.in('Service', 'other'))).toEqual(['b']);
    expect(names(store.in('Service', 'nowhere'))).toEqual([]);
    expect(names(store.servicesByIp('10.96.0.1'))).toEqual(['a', 'b']);
    expect(store.count('Service')).toBe(2);
    store.delete('Service', 'default', 'a');
    expect(names(store.servicesByIp('10.96.0.1'))).toEqual(['b']);
    expect(names(store.all('Service'))).toEqual(['b']);
  });

  it('finds slices by service and by endpoint address, before the service is known', () => {
    store.apply(of(slice('web', ['10.0.0.1', '10.0.0.2'])));
    store.apply(
      of(
        slice('web', ['10.0.0.2'], {
          metadata: { name: 'web-b', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
        }),
      ),
    );
    expect(names(store.slicesOf('default', 'web'))).toEqual(['web-a', 'web-b']);
    expect(names(store.slicesByIp('10.0.0.2'))).toEqual(['web-a', 'web-b']);
    store.apply(of(slice('web', ['10.0.0.3'])));
    expect(names(store.slicesOf('default', 'web'))).toEqual(['web-a', 'web-b']);
    expect(store.slicesByIp('10.0.0.1')).toEqual([]);
    expect(names(store.slicesByIp('10.0.0.3'))).toEqual(['web-a']);
    store.delete('EndpointSlice', 'default', 'web-a');
    store.delete('EndpointSlice', 'default', 'web-b');
    expect(store.slicesOf('default', 'web')).toEqual([]);
  });

  it('moves a slice that is given to another service', () => {
    store.apply(of(slice('web', ['10.0.0.1'])));
    services.length = 0;
    store.apply(
      of(
        slice('web', ['10.0.0.1'], {
          metadata: { name: 'web-a', namespace: 'default', labels: { 'kubernetes.io/service-name': 'new' } },
        }),
      ),
    );
    expect(store.slicesOf('default', 'web')).toEqual([]);
    expect(names(store.slicesOf('default', 'new'))).toEqual(['web-a']);
    expect(services).toEqual([
      { namespace: 'default', name: 'web', addresses: ['10.0.0.1'] },
      { namespace: 'default', name: 'new', addresses: ['10.0.0.1'] },
    ]);
  });

  it('keeps a slice without a service out of all names', () => {
    store.apply(of(slice('web', ['10.0.0.1'], { metadata: { name: 'x', namespace: 'default' } })));
    expect(store.get('EndpointSlice', 'default', 'x')).toBeDefined();
    expect(store.slicesByIp('10.0.0.1')).toEqual([]);
    expect(services).toEqual([]);
    expect(changes).toHaveLength(1);
  });

  it('finds pods by address, several on a node network', () => {
    store.apply(of(pod('a', '192.168.10.101')));
    store.apply(of(pod('b', '192.168.10.101')));
    store.apply(of(pod('c', undefined)));
    expect(names(store.podsByIp('192.168.10.101'))).toEqual(['a', 'b']);
    expect(store.pod('default', 'c')?.ips).toEqual([]);
    store.apply(of(pod('c', '10.0.0.3')));
    expect(names(store.podsByIp('10.0.0.3'))).toEqual(['c']);
  });

  it('finds namespaces and nodes', () => {
    store.apply(of(namespace('default')));
    store.apply(of({ kind: 'Node', metadata: { name: 'n' } }));
    expect(store.namespace('default')?.name).toBe('default');
    expect(store.node('n')?.name).toBe('n');
    expect(store.node('x')).toBeUndefined();
  });
});

describe('changes', () => {
  it('are told with both states, once, and only when something is different', () => {
    const [a, same, b] = [of(service('a')), of(service('a')), of(service('a', ip('10.96.0.2')))];
    expect(store.apply(a, 7)).toBe(true);
    expect(store.apply(same)).toBe(false);
    expect(store.service('default', 'a')).toBe(a);
    expect(store.apply(b)).toBe(true);
    expect(store.delete('Service', 'default', 'a')).toBe(true);
    expect(store.delete('Service', 'default', 'a')).toBe(false);
    expect(changes).toEqual([
      { kind: 'Service', type: 'added', old: undefined, new: a, triggeredAt: 7 },
      { kind: 'Service', type: 'modified', old: a, new: b, triggeredAt: undefined },
      { kind: 'Service', type: 'deleted', old: b, new: undefined, triggeredAt: undefined },
    ]);
    expect(services.map(({ addresses }) => addresses)).toEqual([
      ['10.96.0.1'],
      ['10.96.0.1', '10.96.0.2'],
      ['10.96.0.2'],
    ]);
  });

  it.each([
    { name: 'one endpoint more', next: slice('web', ['10.0.0.1', '10.0.0.2', '10.0.0.3']), addresses: ['10.0.0.3'] },
    { name: 'one endpoint less', next: slice('web', ['10.0.0.1']), addresses: ['10.0.0.2'] },
    {
      name: 'one endpoint no longer ready',
      next: slice('web', [], {
        endpoints: [
          { addresses: ['10.0.0.1'], conditions: { ready: true } },
          { addresses: ['10.0.0.2'], conditions: { ready: false } },
        ],
      }),
      addresses: ['10.0.0.2'],
    },
    { name: 'another order', next: slice('web', ['10.0.0.2', '10.0.0.1']), addresses: [] },
    { name: 'another port', next: slice('web', ['10.0.0.1', '10.0.0.2'], { ports: [{ port: 81 }] }), addresses: [] },
  ])('of a slice name the addresses concerned: $name', ({ next, addresses }) => {
    store.apply(of(slice('web', ['10.0.0.1', '10.0.0.2'])));
    services.length = 0;
    store.apply(of(next));
    expect(services).toEqual([{ namespace: 'default', name: 'web', addresses }]);
  });

  it('find the store in its new state', () => {
    let seen: unknown;
    store.changes.subscribe((change) => (seen = change.kind === 'Service' && store.servicesByIp('10.96.0.1').length));
    store.apply(of(service('a')));
    expect(seen).toBe(1);
  });
});

describe('a list that takes the place of another', () => {
  it('is merged as a difference', () => {
    for (const name of ['same', 'changed', 'gone']) store.apply(of(service(name)));
    store.apply(of(service('gone', {}, { namespace: 'other' })));
    store.apply(of(namespace('default')));
    changes.length = 0;
    const replacement = store.replace('Service');
    replacement.apply(of(service('same')));
    replacement.apply(of(service('changed', ip('10.96.0.9'))));
    replacement.apply(of(service('new')));
    expect(store.service('default', 'gone')).toBeDefined();
    replacement.commit();
    expect(changes.map(({ type, old, new: next }) => `${type} ${(next ?? old)!.name}`)).toEqual([
      'modified changed',
      'added new',
      'deleted gone',
      'deleted gone',
    ]);
    expect(store.namespace('default')).toBeDefined();
  });

  it('deletes nothing when it breaks off', () => {
    store.apply(of(service('kept')));
    store.replace('Service').apply(of(service('new')));
    expect(names(store.all('Service'))).toEqual(['kept', 'new']);
  });
});
