import { isIPv4 } from 'node:net';
import { canonicalIp } from '../../lib/cidr.js';
import type { FieldChoice, KubeKind, ObjectLabels } from '../objects/objects.js';
import { describeObject } from '../objects/objects.js';
import { textMapAt } from '../objects/raw.js';
import type { RawObject } from '../objects/raw.js';
import type { KubeLog } from '../source.js';
import { Interner } from './interner.js';

/**
 * RFC 1123 label, as Kubernetes wants service and namespace names and endpoint hostnames; at most 63 octets (RFC 1035
 * section 2.3.4).
 */
export const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** Dotted labels, at most 253 octets: names of all other objects. */
export const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export const NONE: readonly never[] = [];

/** A list that grew by pushing has room for sixteen more, which is more than most objects hold: the copy has none. */
export const fitted = <T>(list: readonly T[]): readonly T[] => (list.length === 0 ? NONE : list.slice());

/** Reads the fields that objects of several kinds have; what repeats from object to object is kept once. */
export class FieldReader {
  readonly interner = new Interner();

  constructor(readonly choice: FieldChoice) {}

  addresses(given: readonly unknown[], what: string, place: Place): readonly string[] {
    const addresses: string[] = [];
    for (const text of given) {
      // net.isIPv4 takes only the spelling that is canonical already.
      const ip = typeof text !== 'string' ? undefined : isIPv4(text) ? text : canonicalIp(text);
      if (ip !== undefined) addresses.push(ip);
      else if (text !== undefined && text !== null && text !== '') place.drop(`${what} ${JSON.stringify(text)}`);
    }
    return fitted(addresses);
  }

  topology(text: string): string | undefined {
    return text === '' || !this.choice.topology ? undefined : this.interner.text(text);
  }

  labels(meta: RawObject): ObjectLabels | undefined {
    return this.choice.labels ? this.shared(textMapAt(meta, 'labels')) : undefined;
  }

  shared(labels: ObjectLabels | undefined): ObjectLabels | undefined {
    return labels && this.interner.value(labels);
  }
}

/** The object a message is about; its text is only built when something is wrong. */
export class Place {
  constructor(
    private readonly log: KubeLog,
    private readonly kind: KubeKind,
    private readonly namespace: string,
    private readonly name: string,
  ) {}

  drop(what: string): void {
    this.log.debug(`${describeObject(this.kind, this.namespace, this.name)}: invalid ${what} left out`);
  }

  skip(why: string): undefined {
    this.log.debug(`${describeObject(this.kind, this.namespace, this.name)} left out: ${why}`);
    return undefined;
  }
}
