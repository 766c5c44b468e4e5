import { beforeEach, describe, expect, it } from 'vitest';
import { ApiFault } from '../../../src/lab/kube-api/fault.js';
import { FieldManagers } from '../../../src/lab/kube-api/field-managers.js';

const UID = 'u1';
const map = (data: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data });
const by = (manager: string, time = 0) => ({ manager, apiVersion: 'v1', time });

/** An object, who manages what of it, and how it is changed. */
let managers: FieldManagers;
let now: object;
beforeEach(() => {
  managers = new FieldManagers();
  now = map({});
});
const update = (manager: string, data: object, time = 0): void => {
  managers.updated(UID, now, map(data), by(manager, time));
  now = map(data);
};
function apply(manager: string, data: object, { force = false, time = 0 } = {}): object {
  const config = map(data);
  const next = managers.applied(UID, now, config, by(manager), force) as { readonly data: object };
  managers.noteApplied(UID, now, next, config, by(manager, time));
  now = next;
  return next.data;
}
/** `first Apply: a b`, for each manager. */
const whose = (): readonly string[] =>
  managers.of(UID).map(({ manager, operation, fieldsV1 }) => {
    const fields = (fieldsV1 as Record<string, object>)['f:data'];
    return `${String(manager)} ${String(operation)}: ${Object.keys(fields ?? {})
      .map((field) => field.slice(2))
      .join(' ')}`;
  });
const refusal = (work: () => unknown): ApiFault | undefined => {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiFault) return error;
    throw error;
  }
  return undefined;
};

describe('fields that are updated', () => {
  it('are of who changed them last; others stay whose they were', () => {
    update('first', { a: '1', b: '1' });
    update('second', { a: '1', b: '2', c: '2' });
    expect(whose()).toEqual(['first Update: a', 'second Update: b c']);
    update('second', { a: '2', b: '2', c: '2' });
    expect(whose()).toEqual(['second Update: b c a']);
  });

  it('are nobody’s when they are gone', () => {
    update('first', { a: '1' });
    update('second', { a: '1', b: '2' });
    update('second', { b: '2' });
    expect(whose()).toEqual(['second Update: b']);
    managers.forget(UID);
    expect(whose()).toEqual([]);
  });

  it('are told with the time of the last change, and none where nothing changed', () => {
    update('first', { a: '1' }, 1000);
    update('first', { a: '1' }, 2000);
    expect(managers.of(UID)).toEqual([
      {
        manager: 'first',
        operation: 'Update',
        apiVersion: 'v1',
        time: '1970-01-01T00:00:01Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:a': {} } },
      },
    ]);
    update('first', { a: '2' }, 3000);
    update('second', { a: '2', b: '1' }, 4000);
    expect(managers.of(UID).map(({ time }) => time)).toEqual(['1970-01-01T00:00:03Z', '1970-01-01T00:00:04Z']);
    update('first', { a: '2' }, 5000);
    expect(whose()).toEqual(['first Update: a']);
  });
});

describe('a configuration that is applied', () => {
  it('loses what it no longer names, but for what others manage', () => {
    apply('first', { a: '1', b: '1', c: '1' });
    apply('second', { b: '1' });
    expect(whose()).toEqual(['first Apply: a b c', 'second Apply: b']);
    expect(apply('first', { a: '1' })).toEqual({ a: '1', b: '1' });
    expect(whose()).toEqual(['second Apply: b', 'first Apply: a']);
  });

  it('has the time at which it became another', () => {
    apply('first', { a: '1' }, { time: 1000 });
    apply('first', { a: '1' }, { time: 2000 });
    expect(managers.of(UID).map(({ time }) => time)).toEqual(['1970-01-01T00:00:01Z']);
    apply('first', { a: '1', b: '1' }, { time: 3000 });
    expect(managers.of(UID).map(({ time }) => time)).toEqual(['1970-01-01T00:00:03Z']);
    apply('first', { a: '2', b: '1' }, { time: 4000 });
    expect(managers.of(UID).map(({ time }) => time)).toEqual(['1970-01-01T00:00:04Z']);
  });

  it.each<{
    name: string;
    before: () => void;
    manager?: string;
    data: object;
    says?: string;
    fields?: readonly string[];
  }>([
    { name: 'what nobody manages', before: () => undefined, data: { a: '2' } },
    { name: 'the own value', before: () => apply('me', { a: '1' }), data: { a: '2' } },
    { name: 'the same value as another', before: () => apply('other', { a: '1' }), data: { a: '1' } },
    { name: 'a field beside that of another', before: () => apply('other', { a: '1' }), data: { b: '1' } },
    {
      name: 'the value that another applied',
      before: () => apply('other', { a: '1' }),
      data: { a: '2' },
      says: 'Apply failed with 1 conflict: conflict with "other": .data.a',
      fields: ['.data.a'],
    },
    {
      name: 'the value that another updated',
      before: () => update('other', { a: '1' }),
      data: { a: '2' },
      says: 'Apply failed with 1 conflict: conflict with "other" using v1: .data.a',
      fields: ['.data.a'],
    },
    {
      name: 'the value that the same one updated',
      before: () => update('me', { a: '1' }),
      data: { a: '2' },
      says: 'Apply failed with 1 conflict: conflict with "me" using v1: .data.a',
      fields: ['.data.a'],
    },
    {
      name: 'two values of others',
      before: () => (apply('other', { a: '1' }), apply('third', { b: '1' })),
      data: { a: '2', b: '2' },
      says: 'Apply failed with 2 conflicts: conflict with "other": .data.a, conflict with "third": .data.b',
      fields: ['.data.a', '.data.b'],
    },
  ])('may say, or conflicts: $name', ({ before, data, says, fields }) => {
    before();
    const fault = refusal(() => apply('me', data));
    expect(fault?.message).toBe(says);
    if (!fields) return;
    expect(fault!.status).toBe(409);
    expect(fault!.object['details']).toMatchObject({
      causes: fields.map((field) => ({ reason: 'FieldManagerConflict', field })),
    });
    // By force it is what it says, and nobody else's.
    expect(apply('me', data, { force: true })).toMatchObject(data);
    expect(whose()).toEqual([`me Apply: ${Object.keys(data).join(' ')}`]);
  });

  it('may be that of an object that nobody has made yet', () =>
    expect(managers.applied(undefined, {}, map({ a: '1' }), by('me'), false)).toEqual(map({ a: '1' })));
});
