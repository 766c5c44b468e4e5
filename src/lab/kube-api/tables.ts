import { objectAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { KubectlKind } from '../../observe/kubectl/kind.js';
import { factsOf, tablesOf } from '../commands/kubectl/tables.js';
import { nameIn, namespaceIn } from '../commands/kubectl/metadata.js';
import type { Resource } from '../cluster/resources.js';
import type { Lab } from '../lab.js';
import { metadataOnly } from './form.js';
import type { Form } from './form.js';

/**
 * The columns that kubectl shows, as the lab's own `kubectl get` has them. An object that is gone has the row that it
 * had.
 */
export class Tables {
  private readonly kind: KubectlKind;
  private readonly rows = new Map<string, readonly string[]>();

  constructor(
    private readonly lab: Lab,
    resource: Resource,
    private readonly form: Form,
    /** `None`, `Metadata` or `Object`: what goes with each row. */
    private readonly include: string,
  ) {
    this.kind = tablesOf(lab).find(({ names }) => names.includes(resource.plural))!;
    this.look();
  }

  /** @param metadata of the list that it stands for */
  of(objects: readonly RawObject[], metadata: RawObject): RawObject {
    this.look();
    const { columns, wideColumns } = this.kind;
    const column = (name: string, i: number, priority: number): RawObject => ({
      name,
      type: 'string',
      format: i === 0 && priority === 0 ? 'name' : '',
      description: '',
      priority,
    });
    return {
      kind: 'Table',
      apiVersion: `meta.k8s.io/${this.form.version}`,
      metadata,
      columnDefinitions: this.joined(
        columns.map((name, i) => column(name, i, 0)),
        wideColumns.map((name, i) => column(name, i, 1)),
      ),
      rows: objects.map((object) => ({
        cells: this.rows.get(keyOf(namespaceIn(object), nameIn(object))) ?? [nameIn(object)],
        ...(this.include !== 'None' && {
          object: this.include === 'Object' ? object : metadataOnly(object, this.form),
        }),
      })),
    };
  }

  private look(): void {
    for (const row of this.kind.rows(this.lab.world, factsOf(this.lab)))
      this.rows.set(keyOf(row.namespace, row.name), this.joined(row.cells, row.wide));
  }

  private joined<T>(plain: readonly T[], wide: readonly T[]): readonly T[] {
    const { wideAt = plain.length } = this.kind;
    return [...plain.slice(0, wideAt), ...wide, ...plain.slice(wideAt)];
  }
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

/** The metadata of a list that a table of one object has. */
export const metadataOfOne = (object: RawObject): RawObject => ({
  resourceVersion: objectAt(object, 'metadata')['resourceVersion'],
});
