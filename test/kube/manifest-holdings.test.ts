import { describe, expect, it } from 'vitest';
import { Intake } from '../../src/kube/intake/intake.js';
import { ManifestHoldings, keyOf, type FileObjects } from '../../src/kube/manifests/holdings.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../src/kube/objects/objects.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { RecordedLog } from '../support/kube.js';

function held() {
  const [store, log] = [new KubeStore(), new RecordedLog()];
  const intake = new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log });
  const holdings = new ManifestHoldings(store, intake, log);
  const taken = (kind: 'Service' | 'Namespace', metadata: object, spec: object = {}) => {
    const got = intake.take(kind, { metadata, spec });
    if (typeof got !== 'object') throw new Error(got);
    return [keyOf(got.object), got] as const;
  };
  return {
    log,
    put: (
      path: string,
      ...objects: (readonly [string, FileObjects extends ReadonlyMap<string, infer T> ? T : never])[]
    ) => [...holdings.set(path, new Map(objects))],
    service: (namespace: string, name: string, clusterIP = '10.96.0.1') =>
      taken('Service', { namespace, name }, { clusterIP }),
    namespace: (name: string, labels = {}) => taken('Namespace', { name, labels }),
    namespaces: () => [...store.all('Namespace')].map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`).sort(),
    services: () => [...store.all('Service')].map(({ name, clusterIps }) => `${name} ${clusterIps.join()}`).sort(),
    paths: () => holdings.paths(),
  };
}

describe('manifests that hold', () => {
  it('objects make their namespaces, which go with the last of them', () => {
    const { put, service, namespaces } = held();
    const implied = ['a {"kubernetes.io/metadata.name":"a"}'];
    put('1', service('a', 'x'));
    put('2', service('a', 'y'));
    expect(namespaces()).toEqual(implied);
    put('1');
    expect(namespaces()).toEqual(implied);
    put('2');
    expect(namespaces()).toEqual([]);
    put('2', service('a', 'y'));
    expect(namespaces()).toEqual(implied);
  });

  it('a namespace that is written down have it as it is written, with objects or without', () => {
    const { put, service, namespace, namespaces } = held();
    put('1', service('a', 'x'));
    put('2', namespace('a', { team: 'x' }));
    expect(namespaces()).toEqual(['a {"team":"x"}']);
    put('1');
    expect(namespaces()).toEqual(['a {"team":"x"}']);
    put('1', service('a', 'x'), service('a', 'y'));
    expect(namespaces()).toEqual(['a {"team":"x"}']);
    put('2');
    expect(namespaces()).toEqual(['a {"kubernetes.io/metadata.name":"a"}']);
    put('1', service('b', 'x'));
    expect(namespaces()).toEqual(['b {"kubernetes.io/metadata.name":"b"}']);
    put('2', namespace('c'));
    put('2');
    expect(namespaces()).toEqual(['b {"kubernetes.io/metadata.name":"b"}']);
  });

  it('the same object have it as the first file by path says, and say so', () => {
    const { put, service, services, namespaces, log, paths } = held();
    put('2', service('a', 'x', '10.96.0.2'));
    expect(log.lines).toEqual([]);
    put('1', service('a', 'x', '10.96.0.1'));
    expect(services()).toEqual(['x 10.96.0.1']);
    expect(log.lines.join()).toContain('is in 1 and 2; 1 counts');
    put('1');
    expect([services(), namespaces().length, paths()]).toEqual([['x 10.96.0.2'], 1, ['2']]);
    put('2');
    expect([services(), namespaces(), paths()]).toEqual([[], [], []]);
  });
});
