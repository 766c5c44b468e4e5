import { sleep } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { asObject, objectAt, textAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import { emptyNamespace, isLasting } from '../commands/kubectl/namespaces.js';
import type { Lab } from '../lab.js';
import { ApiFault, conflict, notFound, success } from './fault.js';
import type { FieldManagers } from './field-managers.js';
import { uidIn, versionIn } from './journal.js';
import type { ObjectJournal } from './journal.js';
import type { ResourcePath } from './route.js';
import { selectionOf } from './selection.js';
import { nameIn, namespaceIn } from '../commands/kubectl/metadata.js';

/** How long an answer waits for an object to be gone. */
const AT_ONCE: Milliseconds = 50;
const POLICIES = ['Orphan', 'Background', 'Foreground'];

/** Deletes objects, with what depends on them. */
export class ObjectRemover {
  constructor(
    private readonly lab: Lab,
    private readonly journal: ObjectJournal,
    private readonly managers: FieldManagers,
    private readonly onFault: (error: unknown) => void,
  ) {}

  /**
   * Deletes one object. What it answers is the object where that takes a while, as pods do. Throws an ApiFault.
   *
   * @param body DeleteOptions, which stand in the query as well
   */
  async delete(path: ResourcePath, body: unknown, query: URLSearchParams): Promise<RawObject> {
    const { resource, namespace = '', name = '' } = path;
    const object = this.journal.get(resource.kind, namespace, name);
    if (!object) throw notFound(resource, name);
    const options = asObject(body);
    this.checkPreconditions(path, object, objectAt(options, 'preconditions'));
    const policy = textAt(options, 'propagationPolicy') || query.get('propagationPolicy') || 'Background';
    if (!POLICIES.includes(policy))
      throw new ApiFault('BadRequest', `propagationPolicy: got "${policy}", allowed: ${POLICIES.join(', ')}`);
    this.checkMay(path);
    const dryRun = query.has('dryRun') || options['dryRun'] !== undefined;
    if (!dryRun) {
      const grace = options['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds');
      const removal = this.removal(path, policy === 'Orphan', grace !== null && Number(grace) === 0);
      removal.then(() => this.managers.forget(uidIn(object)), this.onFault);
      await Promise.race([removal, sleep(this.lab.clock, AT_ONCE)]);
    }
    return this.journal.get(resource.kind, namespace, name) ?? success(resource, name, uidIn(object));
  }

  /** Deletes all that a request means; answers with what there was. */
  async deleteAll(path: ResourcePath, body: unknown, query: URLSearchParams): Promise<RawObject> {
    const { kind, apiVersion } = path.resource;
    const items = this.journal.list(kind).filter(selectionOf(path, query));
    for (const item of items)
      await this.delete({ ...path, namespace: namespaceIn(item) || undefined, name: nameIn(item) }, body, query);
    return { kind: `${kind}List`, apiVersion, metadata: { resourceVersion: String(this.journal.newest) }, items };
  }

  private checkPreconditions({ resource, name = '' }: ResourcePath, object: RawObject, wanted: RawObject): void {
    const told = [
      ['UID', textAt(wanted, 'uid'), uidIn(object)],
      ['ResourceVersion', textAt(wanted, 'resourceVersion'), versionIn(object)],
    ] as const;
    for (const [what, want, have] of told)
      if (want !== '' && want !== have)
        throw conflict(
          resource,
          name,
          `Precondition failed: ${what} in precondition: ${want}, ${what} in object meta: ${have}`,
        );
  }

  private checkMay({ resource, namespace = '', name = '' }: ResourcePath): void {
    const { kind, plural } = resource;
    if (kind === 'Namespace' && isLasting(name))
      throw new ApiFault('Forbidden', `namespaces "${name}" is forbidden: this namespace may not be deleted`);
    if (kind !== 'CiliumNode' && !this.lab.api.get(kind, namespace, name))
      throw new ApiFault('Forbidden', `${plural} "${name}" is made by the cluster and cannot be deleted here`);
  }

  private async removal(
    { resource, namespace = '', name = '' }: ResourcePath,
    orphan: boolean,
    force: boolean,
  ): Promise<void> {
    const { kind } = resource;
    if (kind === 'CiliumNode') return this.lab.world.deleteCiliumNode(name);
    if (kind === 'Namespace') await emptyNamespace(name, this.lab);
    if (orphan) this.orphan(kind, namespace, name);
    await this.lab.remove(kind, namespace, name, force);
  }

  /** Pods of a workload that goes without them belong to nobody. */
  private orphan(kind: string, namespace: string, name: string): void {
    for (const pod of this.lab.workloads.podsOf({ kind, namespace, name })) {
      const { ownerReferences: _owners, ...metadata } = objectAt(pod.raw, 'metadata');
      this.lab.api.put({ ...pod, raw: { ...pod.raw, metadata } });
    }
  }
}
