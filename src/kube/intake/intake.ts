import type { Milliseconds } from '../../lib/units.js';
import type { LabelSelector } from '../objects/label-selector.js';
import { KUBE_KINDS, namespaceOf } from '../objects/objects.js';
import type { FieldChoice, KubeKind, KubeObject } from '../objects/objects.js';
import { objectAt, textAt, textMapAt } from '../objects/raw.js';
import type { KubeLog } from '../source.js';
import { Trimmer } from './trim.js';

/** Set by the endpoint slice controller: the time of the change that made it write the slice. */
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

export interface IntakeOptions {
  readonly kinds: readonly KubeKind[];
  readonly fields: FieldChoice;
  /** Objects of other namespaces, and those namespaces, are passed over. undefined takes all. */
  readonly namespaces?: ReadonlySet<string>;
  /** For everything but namespaces and nodes. An API selects by itself and gets the text instead. */
  readonly labels?: LabelSelector;
  readonly namespaceLabels?: LabelSelector;
  readonly log: KubeLog;
}

/** An object as the store holds it. */
export class Taken {
  constructor(
    readonly object: KubeObject,
    /** See the change that the store tells. */
    readonly triggeredAt: Milliseconds | undefined,
    /** `metadata.resourceVersion`; empty where it has none. */
    readonly version: string,
  ) {}
}

/** The door of the store: decides whether an object is wanted, and trims it. */
export class Intake {
  private readonly trimmer: Trimmer;
  private readonly kinds: ReadonlySet<KubeKind>;

  constructor(private readonly options: IntakeOptions) {
    this.trimmer = new Trimmer(options.fields, options.log);
    this.kinds = new Set(options.kinds);
  }

  /**
   * `unwanted` when the choice of kinds, namespaces or labels leaves it out, `invalid` when it cannot be used. Never
   * throws.
   *
   * @param raw the object as it was written; or as it was read for this, and then labels have been chosen by already
   */
  take(kind: KubeKind, raw: unknown): Taken | 'unwanted' | 'invalid' {
    if (raw instanceof Taken) {
      const { namespaces } = this.options;
      return namespaces === undefined || namespaces.has(namespaceOf(raw.object)) ? raw : 'unwanted';
    }
    if (!this.kinds.has(kind) || !this.wanted(kind, raw)) return 'unwanted';
    const object = this.trimmer.trim(kind, raw);
    if (object === undefined) return 'invalid';
    const version = textAt(objectAt(raw, 'metadata'), 'resourceVersion');
    return new Taken(object, kind === 'EndpointSlice' ? this.triggerTime(raw) : undefined, version);
  }

  private wanted(kind: KubeKind, raw: unknown): boolean {
    const meta = objectAt(raw, 'metadata');
    const { namespaces, labels, namespaceLabels } = this.options;
    if (
      namespaces &&
      kind !== 'Node' &&
      !namespaces.has(kind === 'Namespace' ? textAt(meta, 'name') : textAt(meta, 'namespace') || 'default')
    )
      return false;
    // Service imports are chosen as namespaces are, as with CoreDNS.
    const selector =
      kind === 'Namespace' || kind === 'ServiceImport' ? namespaceLabels : kind === 'Node' ? undefined : labels;
    return selector === undefined || selector.matches(textMapAt(meta, 'labels') ?? {});
  }

  private triggerTime(raw: unknown): Milliseconds | undefined {
    const text = textAt(objectAt(objectAt(raw, 'metadata'), 'annotations'), TRIGGER_TIME);
    if (text === '') return undefined;
    const time = Date.parse(text);
    if (!Number.isNaN(time)) return time;
    this.options.log.warning(
      `EndpointSlice ${textAt(objectAt(raw, 'metadata'), 'name')}: ${TRIGGER_TIME} is no time: ${JSON.stringify(text)}`,
    );
    return undefined;
  }
}

export function isKubeKind(text: string): text is KubeKind {
  return (KUBE_KINDS as readonly string[]).includes(text);
}
