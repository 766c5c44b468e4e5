import { isDeepStrictEqual } from 'node:util';
import type { Milliseconds } from '../../lib/units.js';
import type { RawObject } from '../../kube/objects/raw.js';
import { timeOf } from '../commands/kubectl/metadata.js';
import { ApiFault } from './fault.js';
import { changedFields, fieldsOf, fieldsV1, shownField, withFields, withoutFields } from './field-paths.js';
import type { FieldPath } from './field-paths.js';

interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly time: Milliseconds;
  readonly paths: ReadonlySet<FieldPath>;
}

/** Who writes, and when. */
export interface Writing {
  readonly manager: string;
  readonly apiVersion: string;
  readonly time: Milliseconds;
}

/**
 * Who manages which field of each object: `metadata.managedFields`, and server-side apply on top of it
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
 */
export class FieldManagers {
  private readonly objects = new Map<string, readonly Manager[]>();

  /** As the object has it. @param uid of the object */
  of(uid: string): readonly RawObject[] {
    return (this.objects.get(uid) ?? []).map(({ name, operation, apiVersion, time, paths }) => ({
      manager: name,
      operation,
      apiVersion,
      time: timeOf(time),
      fieldsType: 'FieldsV1',
      fieldsV1: fieldsV1(paths),
    }));
  }

  forget(uid: string): void {
    this.objects.delete(uid);
  }

  /** Notes a change: what it sets is the writer's from now on, and nobody else's. */
  updated(uid: string, before: unknown, next: unknown, writing: Writing): void {
    const fields = fieldsOf(next);
    const changed = changedFields(fieldsOf(before), fields);
    this.keep(uid, 'Update', writing, (own) => new Set([...own, ...changed]), changed, fields);
  }

  /**
   * What an object becomes when a configuration is applied to it. Throws an ApiFault where others manage, with another
   * value, what it sets, unless it is forced.
   */
  applied(uid: string | undefined, object: unknown, config: unknown, { manager }: Writing, force: boolean): unknown {
    const managers = (uid === undefined ? undefined : this.objects.get(uid)) ?? [];
    const wanted = fieldsOf(config);
    const isOwn = (one: Manager): boolean => one.operation === 'Apply' && one.name === manager;
    const live = fieldsOf(object);
    const differs = (path: FieldPath): boolean => !isDeepStrictEqual(live.get(path), wanted.get(path));
    const clashes = managers
      .filter((one) => !isOwn(one))
      .flatMap((one) =>
        [...wanted.keys()].filter((path) => one.paths.has(path) && differs(path)).map((path) => ({ one, path })),
      );
    if (clashes.length > 0 && !force) throw clashing(clashes);
    const given = managers.filter((one) => !isOwn(one)).flatMap((one) => [...one.paths]);
    const left = managers
      .filter(isOwn)
      .flatMap((one) => [...one.paths])
      .filter((path) => !wanted.has(path) && !given.includes(path));
    return withFields(withoutFields(object, left), config);
  }

  /** Notes a configuration that was applied: its fields are the writer's; those whose value it changed nobody else's. */
  noteApplied(uid: string, before: unknown, next: unknown, config: unknown, writing: Writing): void {
    const wanted = new Set(fieldsOf(config).keys());
    const fields = fieldsOf(next);
    const taken = changedFields(fieldsOf(before), fields).filter((path) => wanted.has(path));
    this.keep(uid, 'Apply', writing, () => wanted, taken, fields);
  }

  private keep(
    uid: string,
    operation: Manager['operation'],
    { manager, apiVersion, time }: Writing,
    ownPaths: (before: ReadonlySet<FieldPath>) => ReadonlySet<FieldPath>,
    taken: readonly FieldPath[],
    fields: ReadonlyMap<FieldPath, unknown>,
  ): void {
    const known = this.objects.get(uid) ?? [];
    const isOwn = (one: Manager): boolean => one.operation === operation && one.name === manager;
    const own = known.find(isOwn);
    const paths = ownPaths(own?.paths ?? new Set());
    const same = own !== undefined && own.paths.size === paths.size && [...paths].every((path) => own.paths.has(path));
    const next = [
      ...known.filter((one) => !isOwn(one)).map((one) => ({ ...one, paths: without(one.paths, taken) })),
      same && taken.length === 0 ? own : { name: manager, operation, apiVersion, time, paths },
    ].map((one) => ({ ...one, paths: new Set([...one.paths].filter((path) => fields.has(path))) }));
    this.objects.set(
      uid,
      next.filter((one) => one.paths.size > 0),
    );
  }
}

function without(paths: ReadonlySet<FieldPath>, taken: readonly FieldPath[]): ReadonlySet<FieldPath> {
  const gone = new Set(taken);
  return new Set([...paths].filter((path) => !gone.has(path)));
}

function clashing(clashes: readonly { readonly one: Manager; readonly path: FieldPath }[]): ApiFault {
  const causes = clashes.map(({ one, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${one.name}"${one.operation === 'Apply' ? '' : ` using ${one.apiVersion}`}`,
    field: shownField(path),
  }));
  return new ApiFault(
    'Conflict',
    `Apply failed with ${causes.length} conflict${causes.length === 1 ? '' : 's'}: ` +
      causes.map(({ message, field }) => `${message}: ${field}`).join(', '),
    { causes },
  );
}
