import { sleep } from '../../lib/clock.js';
import { isExpected } from '../../lib/errors.js';
import type { Milliseconds } from '../../lib/units.js';
import { asObject, objectAt, textAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import { ClusterApiError } from '../cluster/cluster-api.js';
import { changedNode } from '../cluster/node-objects.js';
import { jsonPatch, mergePatch, strategicPatch } from '../cluster/patch.js';
import type { Resource } from '../cluster/resources.js';
import { uidOf } from '../commands/kubectl/metadata.js';
import type { Lab } from '../lab.js';
import { ApiFault, alreadyExists, conflict, invalid, notFound } from './fault.js';
import type { FieldManagers, Writing } from './field-managers.js';
import { uidIn, versionIn } from './journal.js';
import type { ObjectJournal } from './journal.js';
import type { ResourcePath } from './route.js';

/** How long an answer waits for what follows from a change: what is refused is refused at once. */
const AT_ONCE: Milliseconds = 50;
const SUFFIX = 5;
/** Where a message stands for the place that manifests have in a file. */
const PLACE = 'request';

/** How a request changes objects. */
export interface WriteOptions {
  readonly manager: string;
  readonly dryRun: boolean;
  readonly force: boolean;
}

export interface WrittenObject {
  readonly object: RawObject;
  readonly created: boolean;
}

/** What a patch does to an object, by the type of its text. */
const PATCHES: Readonly<Record<string, (object: unknown, change: unknown) => unknown>> = {
  'application/json-patch+json': jsonPatch,
  'application/merge-patch+json': mergePatch,
  'application/strategic-merge-patch+json': strategicPatch,
};
const APPLY = 'application/apply-patch+yaml';

/** Creates and changes objects: the lab's own kubectl and this one write by the same functions of the lab. */
export class ObjectWriter {
  constructor(
    private readonly lab: Lab,
    private readonly journal: ObjectJournal,
    private readonly managers: FieldManagers,
  ) {}

  /** Throws an ApiFault. */
  async create(path: ResourcePath, body: unknown, options: WriteOptions): Promise<WrittenObject> {
    const raw = this.named(body);
    const name = textAt(objectAt(raw, 'metadata'), 'name');
    this.checkFits({ ...path, name }, raw);
    if (this.journal.get(path.resource.kind, path.namespace ?? '', name)) throw alreadyExists(path.resource, name);
    return { object: await this.store({ ...path, name }, undefined, raw, options), created: true };
  }

  /** Puts an object in place of the one of its name. Throws an ApiFault. */
  async replace(path: ResourcePath, body: unknown, options: WriteOptions): Promise<WrittenObject> {
    this.checkFits(path, body);
    const old = this.current(path);
    return { object: await this.store(path, old, body, options), created: false };
  }

  /** Throws an ApiFault. @param type of the text that the change was sent as */
  async patch(path: ResourcePath, type: string, change: unknown, options: WriteOptions): Promise<WrittenObject> {
    if (type === APPLY) return this.apply(path, change, options);
    const old = this.current(path);
    return { object: await this.store(path, old, this.patched(path, type, old, change), options), created: false };
  }

  /** What an object becomes by a patch. Throws an ApiFault. */
  patched({ resource, name = '' }: ResourcePath, type: string, old: RawObject, change: unknown): unknown {
    const patch = Object.hasOwn(PATCHES, type) ? PATCHES[type]! : undefined;
    // What lists are merged by is known of Kubernetes' own kinds alone.
    const allowed = Object.keys(PATCHES).filter((one) => resource.group !== 'cilium.io' || !one.includes('strategic'));
    if (!patch || !allowed.includes(type))
      throw new ApiFault(
        'UnsupportedMediaType',
        `Content-Type: got "${type}", allowed: ${[...allowed, APPLY].join(', ')}`,
      );
    try {
      return patch(old, change);
    } catch (error) {
      if (error instanceof ClusterApiError) throw invalid(resource, name, error.message);
      throw error;
    }
  }

  /** Server-side apply. */
  private async apply(path: ResourcePath, config: unknown, options: WriteOptions): Promise<WrittenObject> {
    const { resource, namespace = '', name = '' } = path;
    this.checkFits(path, config);
    const old = this.journal.get(resource.kind, namespace, name);
    const writing = this.writing(path, options);
    const uid = old && uidIn(old);
    const raw = this.managers.applied(uid, old ?? {}, config, writing, options.force);
    const object = await this.store(path, old, raw, options, config);
    return { object, created: old === undefined };
  }

  /** Throws an ApiFault for one that is not there, or that the cluster makes by itself. */
  current({ resource, namespace = '', name = '' }: ResourcePath): RawObject {
    const old = this.journal.get(resource.kind, namespace, name);
    if (!old) throw notFound(resource, name);
    if (!this.lab.api.get(resource.kind, namespace, name))
      throw new ApiFault('Forbidden', `${resource.plural} "${name}" is made by the cluster and cannot be changed here`);
    return old;
  }

  private async store(
    path: ResourcePath,
    old: RawObject | undefined,
    raw: unknown,
    options: WriteOptions,
    config?: unknown,
  ): Promise<RawObject> {
    const { resource, namespace = '', name = '' } = path;
    const version = versionIn(asObject(raw));
    if (old && version !== '' && version !== versionIn(old))
      throw conflict(
        resource,
        name,
        'the object has been modified; please apply your changes to the latest version and try again',
      );
    this.take(path, raw, options.dryRun);
    if (options.dryRun)
      return { ...asObject(raw), metadata: { ...objectAt(old, 'metadata'), ...objectAt(raw, 'metadata') } };
    await this.settled(resource, name);
    const { created } = this.lab.api.get(resource.kind, namespace, name) ?? {};
    if (created === undefined) throw notFound(resource, name);
    const uid = uidOf(resource.kind, namespace, name, created);
    const writing = this.writing(path, options);
    if (config === undefined) this.managers.updated(uid, old ?? {}, raw, writing);
    else this.managers.noteApplied(uid, old ?? {}, raw, config, writing);
    return this.journal.get(resource.kind, namespace, name)!;
  }

  private take({ resource, namespace, name = '' }: ResourcePath, raw: unknown, dryRun: boolean): void {
    const metadata = { ...objectAt(raw, 'metadata'), ...(namespace !== undefined && { namespace }) };
    try {
      const node = resource.kind === 'Node' ? this.lab.api.get('Node', '', name) : undefined;
      if (node) {
        const changed = changedNode(node, raw);
        if (!dryRun) this.lab.api.put(changed);
        return;
      }
      this.lab.take({ kind: resource.kind, raw: { ...asObject(raw), metadata }, place: PLACE }, dryRun);
    } catch (error) {
      if (!(error instanceof ClusterApiError)) throw error;
      const why = error.message.replace(`${PLACE}: `, '');
      if (/not found$|^no matches/.test(why)) throw new ApiFault('NotFound', why);
      throw invalid(resource, name, why);
    }
  }

  /** Waits a moment for what follows from a change. Throws an ApiFault where the model refuses it. */
  private async settled(resource: Resource, name: string): Promise<void> {
    const settling = this.lab.settle();
    settling.catch(() => undefined);
    try {
      await Promise.race([settling, sleep(this.lab.clock, AT_ONCE)]);
    } catch (error) {
      if (!isExpected(error)) throw error;
      throw invalid(resource, name, error.message);
    }
  }

  private writing({ resource }: ResourcePath, { manager }: WriteOptions): Writing {
    return { manager, apiVersion: resource.apiVersion, time: this.lab.clock.now() };
  }

  /** A body with the name that it asks to be made up. */
  private named(body: unknown): RawObject {
    const metadata = objectAt(body, 'metadata');
    const prefix = textAt(metadata, 'generateName');
    if (textAt(metadata, 'name') !== '' || prefix === '') return asObject(body);
    return { ...asObject(body), metadata: { ...metadata, name: prefix + this.lab.workloads.draw(SUFFIX) } };
  }

  /** Throws an ApiFault for a body that is of another kind, or has another name, than its path. */
  private checkFits({ resource, namespace = '', name = '' }: ResourcePath, body: unknown): void {
    const { kind, apiVersion } = resource;
    const metadata = objectAt(body, 'metadata');
    const refused = (what: string, got: string, allowed: string): ApiFault =>
      new ApiFault('BadRequest', `${what}: got "${got}", allowed at this path: ${allowed}`);
    if (textAt(body, 'kind') !== kind) throw refused('kind', textAt(body, 'kind'), kind);
    if (textAt(body, 'apiVersion') !== apiVersion) throw refused('apiVersion', textAt(body, 'apiVersion'), apiVersion);
    if (textAt(metadata, 'name') !== name || name === '')
      throw refused('metadata.name', textAt(metadata, 'name'), name || 'any');
    const said = textAt(metadata, 'namespace');
    if (resource.namespaced && said !== '' && said !== namespace) throw refused('metadata.namespace', said, namespace);
  }
}
