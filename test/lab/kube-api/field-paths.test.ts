import { describe, expect, it } from 'vitest';
import {
  changedFields,
  fieldsOf,
  fieldsV1,
  shownField,
  withFields,
  withoutFields,
} from '../../../src/lab/kube-api/field-paths.js';

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', namespace: 'b', uid: 'c', labels: { app: 'x' } },
  spec: {
    selector: {},
    ports: [
      { port: 53, name: 'dns' },
      { port: 53, protocol: 'UDP' },
    ],
    externalIPs: ['192.0.2.1'],
  },
  status: { loadBalancer: {} },
};
const shown = (paths: Iterable<string>): readonly string[] => [...paths].map(shownField);

describe('fields that somebody can manage', () => {
  it('are all but those of the server and of the name', () =>
    expect(shown(fieldsOf(SERVICE).keys())).toEqual([
      '.metadata.labels.app',
      '.spec.selector',
      '.spec.ports[port=53,protocol="TCP"]',
      '.spec.ports[port=53,protocol="TCP"].port',
      '.spec.ports[port=53,protocol="TCP"].name',
      '.spec.ports[port=53,protocol="UDP"]',
      '.spec.ports[port=53,protocol="UDP"].port',
      '.spec.ports[port=53,protocol="UDP"].protocol',
      '.spec.externalIPs',
    ]));

  it('are written as FieldsV1', () => {
    const { 'f:spec': spec } = fieldsV1(fieldsOf(SERVICE).keys());
    expect(spec).toEqual({
      'f:selector': {},
      'f:ports': {
        'k:{"port":53,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:name': {} },
        'k:{"port":53,"protocol":"UDP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} },
      },
      'f:externalIPs': {},
    });
  });

  it('changed where they are new, or differ', () => {
    const [before, next] = [
      { a: 1, b: [1], c: 0 },
      { a: 2, b: [1], d: 1 },
    ].map(fieldsOf);
    expect(shown(changedFields(before!, next!))).toEqual(['.a', '.d']);
  });
});

describe('an object', () => {
  const containers = (...list: readonly object[]) => ({ spec: { containers: list } });
  const [A, B] = [
    { name: 'a', image: 'x' },
    { name: 'b', image: 'y' },
  ];

  it.each([
    { name: 'a member', target: { a: 1 }, config: { b: 2 }, want: { a: 1, b: 2 } },
    { name: 'nothing in the place of a text', target: { a: 'x' }, config: { a: { b: 1 } }, want: { a: { b: 1 } } },
    {
      name: 'members of a list by name',
      target: containers(A, B),
      config: containers({ name: 'b', image: 'z' }),
      want: containers(A, { ...B, image: 'z' }),
    },
    { name: 'a further member of a list', target: containers(A), config: containers(B), want: containers(A, B) },
    { name: 'a list as one value', target: { a: [1, 2] }, config: { a: [3] }, want: { a: [3] } },
  ])('takes $name from a configuration', ({ target, config, want }) =>
    expect(withFields(target, config)).toEqual(want),
  );

  const pathOf = (object: object, field: string): string =>
    [...fieldsOf(object).keys()].find((path) => shownField(path) === field)!;
  it.each([
    { name: 'a member', fields: ['.spec.replicas'], want: containers(A, B) },
    {
      name: 'a member of a list',
      fields: ['.spec.containers[name="a"]'],
      want: { spec: { replicas: 1, containers: [B] } },
    },
    {
      name: 'the last of a list, with what is in it',
      fields: ['.spec.containers[name="b"]', '.spec.containers[name="b"].image'],
      want: { spec: { replicas: 1, containers: [A] } },
    },
    {
      name: 'what is in a member of a list',
      fields: ['.spec.containers[name="b"].image'],
      want: { spec: { replicas: 1, containers: [A, { name: 'b' }] } },
    },
  ])('goes without $name', ({ fields, want }) => {
    const object = { spec: { replicas: 1, containers: [A, B] } };
    expect(
      withoutFields(
        object,
        fields.map((field) => pathOf(object, field)),
      ),
    ).toEqual(want);
    expect(object.spec.containers).toHaveLength(2);
  });

  it('stays as it is without a member that it does not have', () => {
    const gone = pathOf(containers({ name: 'c', image: 'z' }), '.spec.containers[name="c"]');
    expect(withoutFields(containers(A, B), [gone])).toEqual(containers(A, B));
    expect(withoutFields({ spec: 1 }, [gone])).toEqual({ spec: 1 });
    expect(withoutFields({ spec: { containers: 'none' } }, [gone])).toEqual({ spec: { containers: 'none' } });
  });
});
