import { isDeepStrictEqual } from 'node:util';
import { NodensError } from '../../lib/errors.js';
import type { Intake } from '../../kube/intake/intake.js';
import { isKubeKind } from '../../kube/intake/intake.js';
import type { ManifestObject } from '../../kube/manifests/parse.js';
import type { KubeKind, KubeObject } from '../../kube/objects/objects.js';
import { arrayAt, asObject, objectAt, textAt, textMapAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { KubeStore } from '../../kube/store/store.js';
import { Channel } from '../../lib/channel.js';
import { canonicalIp, cidrContains, formatIp, parseCidr, parseIp } from '../../lib/cidr.js';
import type { Clock } from '../../lib/clock.js';
import { randomBelow } from '../../lib/random.js';
import type { Random } from '../../lib/random.js';
import { byText } from '../../lib/order.js';
import type { ServicePin } from '../topology/topology.js';
import { admitted } from './admission.js';
import { EventLog } from './event-log.js';
import type { Happening } from './event-log.js';
import type { ApiObject } from './api-object.js';
import { PodIndex } from './pod-index.js';
import { resourceOf } from './resources.js';

/** A request that the API refuses; the message is for the user. */
export class ClusterApiError extends NodensError {
  override readonly name = 'ClusterApiError';

  constructor(message: string) {
    super('NODENS_LAB_API', message);
  }
}

export type { ApiObject } from './api-object.js';

export type Applied = 'created' | 'configured' | 'unchanged';

export interface ClusterApiOptions {
  readonly store: KubeStore;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly random: Random;
  readonly serviceCidr: string;
  readonly servicePins: readonly ServicePin[];
  /** Throws for an object that cannot be used, before anything is changed. */
  readonly check?: (object: ApiObject) => void;
}

const keyOf = (kind: string, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;
const NAME = /^[a-z0-9]([-a-z0-9.:]*[a-z0-9])?$/;

/**
 * The objects of the cluster as they were applied: what kubectl talks to. Those that DNS answers from go on to the
 * store.
 */
export class ClusterApi {
  private readonly objects = new Map<string, ApiObject>();
  /** Counts changes, as resource versions do. */
  private version = 1000;
  private readonly versions = new Map<string, number>();
  /** Tells when the API goes away, and when it is back. */
  readonly reach = new Channel<'away' | 'back'>();
  private gone = false;
  /** Tells the kind of each object that is put in place or deleted. */
  readonly changes = new Channel<string>();
  readonly pods = new PodIndex();
  readonly events: EventLog;

  constructor(private readonly options: ClusterApiOptions) {
    this.events = new EventLog(options.clock, () => this.changes.emit('Event'));
  }

  /** Takes an event; while the API is away nobody hears of it. */
  tell(happening: Happening): void {
    if (!this.away) this.events.tell(happening);
  }

  /** Whether nobody reaches the API: what runs goes on with what it knew. */
  get away(): boolean {
    return this.gone;
  }

  set away(away: boolean) {
    if (away === this.gone) return;
    this.gone = away;
    this.reach.emit(away ? 'away' : 'back');
  }

  get(kind: string, namespace: string, name: string): ApiObject | undefined {
    return this.objects.get(keyOf(kind, namespace, name));
  }

  /** Objects of a kind by namespace and name; of all namespaces when none is named. */
  list(kind: string, namespace?: string): readonly ApiObject[] {
    const found = [...this.objects.values()].filter(
      (object) => object.kind === kind && (namespace === undefined || object.namespace === namespace),
    );
    return found.sort((a, b) => byText(a.namespace, b.namespace) || byText(a.name, b.name));
  }

  /**
   * Takes an object on, as `kubectl apply` does. Throws a ClusterApiError that begins with the manifest's place.
   *
   * @param dryRun whether it is checked alone
   */
  apply(
    { kind, raw, place }: ManifestObject,
    dryRun = false,
  ): { readonly object: ApiObject; readonly applied: Applied } {
    const fail = (message: string): never => {
      throw new ClusterApiError(`${place}: ${message}`);
    };
    const resource = resourceOf(kind);
    if (!resource) return fail(`no matches for kind "${kind}" in version "${textAt(raw, 'apiVersion')}"`);
    if (textAt(raw, 'apiVersion') !== resource.apiVersion)
      fail(`apiVersion: got "${textAt(raw, 'apiVersion')}", allowed for ${kind}: ${resource.apiVersion}`);
    const metadata = objectAt(raw, 'metadata');
    const name = textAt(metadata, 'name');
    if (!NAME.test(name)) fail(`metadata.name: got "${name}", allowed: lower-case letters, digits, '-' and '.'`);
    const namespace = resource.namespaced ? textAt(metadata, 'namespace') || 'default' : '';
    if (namespace !== '' && !this.get('Namespace', '', namespace)) fail(`namespaces "${namespace}" not found`);
    const old = this.get(kind, namespace, name);
    const unfilled = /__PILLAR__(?:LOCAL__DNS|DNS__SERVER|DNS__DOMAIN)__/.exec(
      kind === 'ConfigMap' ? '' : JSON.stringify(raw),
    );
    if (unfilled) fail(`${unfilled[0]} is not filled in`);
    try {
      const own = admitted(withoutServed(raw as RawObject));
      const filled =
        kind === 'Service'
          ? this.withAddress(own, namespace, name, old)
          : kind === 'Pod' && old
            ? withLife(own, old.raw)
            : own;
      const object: ApiObject = {
        kind,
        namespace,
        name,
        raw: { ...filled, metadata: { ...objectAt(filled, 'metadata'), ...(namespace !== '' && { namespace }) } },
        created: old?.created ?? this.options.clock.now(),
      };
      if (old && isDeepStrictEqual(old.raw, object.raw)) return { object: old, applied: 'unchanged' };
      this.options.check?.(object);
      if (!dryRun) this.put(object);
      return { object, applied: old ? 'configured' : 'created' };
    } catch (error) {
      return fail((error as Error).message);
    }
  }

  /**
   * Puts an object in place as it is: for controllers, which do not apply. Throws a TypeError for one that cannot be
   * used.
   */
  put(object: ApiObject): void {
    if (isKubeKind(object.kind)) {
      const taken = this.options.intake.take(object.kind, object.raw);
      if (taken === 'invalid' || taken === 'unwanted')
        throw new TypeError(`invalid ${object.kind} ${object.namespace}/${object.name}`);
      this.hold(object.kind, taken.object, object);
    }
    const key = keyOf(object.kind, object.namespace, object.name);
    if (object.kind === 'Pod') this.pods.put(object, this.objects.get(key));
    this.objects.set(key, object);
    this.versions.set(key, ++this.version);
    this.changes.emit(object.kind);
  }

  /** Puts an object into the store; where the model refuses it, the one before it stands there again. */
  private hold(kind: KubeKind, trimmed: KubeObject, { namespace, name }: ApiObject): void {
    const { store, intake } = this.options;
    const old = this.get(kind, namespace, name);
    try {
      store.apply(trimmed);
    } catch (error) {
      const before = old && intake.take(kind, old.raw);
      if (typeof before === 'object') store.apply(before.object);
      else store.delete(kind, namespace, name);
      throw error;
    }
  }

  /** The resource version of an object. */
  versionOf({ kind, namespace, name }: Pick<ApiObject, 'kind' | 'namespace' | 'name'>): number {
    return this.versions.get(keyOf(kind, namespace, name)) ?? this.version;
  }

  /** Whether there was such an object. */
  delete(kind: string, namespace: string, name: string): boolean {
    if (isKubeKind(kind)) this.options.store.delete(kind, namespace, name);
    this.versions.delete(keyOf(kind, namespace, name));
    const there = this.get(kind, namespace, name);
    if (there?.kind === 'Pod') this.pods.delete(there);
    this.objects.delete(keyOf(kind, namespace, name));
    this.changes.emit(kind);
    return there !== undefined;
  }

  /** A service without an address gets its pinned one, or a free one of the range; it keeps the one that it has. */
  private withAddress(raw: RawObject, namespace: string, name: string, old: ApiObject | undefined): RawObject {
    const spec = objectAt(raw, 'spec');
    const given = textAt(spec, 'clusterIP');
    if (given === 'None' || textAt(spec, 'type') === 'ExternalName') return raw;
    const before = textAt(objectAt(old?.raw, 'spec'), 'clusterIP');
    if (given !== '' && before !== '' && given !== before)
      throw new ClusterApiError(`spec.clusterIP: Invalid value: "${given}": field is immutable (it is ${before})`);
    const ip = given !== '' ? given : before !== '' ? before : (this.pinned(namespace, name) ?? this.freeAddress());
    if (given !== '') this.checkAddress(given, namespace, name);
    return { ...raw, spec: { ...spec, clusterIP: ip, clusterIPs: [ip] } };
  }

  private pinned(namespace: string, name: string): string | undefined {
    return this.options.servicePins.find((pin) => pin.namespace === namespace && pin.name === name)?.clusterIP;
  }

  private checkAddress(ip: string, namespace: string, name: string): void {
    const bytes = parseIp(ip);
    const { serviceCidr } = this.options;
    if (!bytes || !cidrContains(parseCidr(serviceCidr)!, bytes))
      throw new ClusterApiError(`spec.clusterIP: got "${ip}", allowed: an address of ${serviceCidr}`);
    const holder = this.options.store
      .servicesByIp(canonicalIp(ip)!)
      .find((service) => service.namespace !== namespace || service.name !== name);
    if (holder) throw new ClusterApiError(`spec.clusterIP: ${ip} belongs to ${holder.namespace}/${holder.name}`);
  }

  /** The first that is free from a drawn one on, among the 254 hosts of each 256 addresses that the last two bytes count. */
  private freeAddress(): string {
    const { serviceCidr, random, servicePins, store } = this.options;
    const cidr = parseCidr(serviceCidr)!;
    const pins = new Set(servicePins.map((pin) => pin.clusterIP));
    const bytes = parseIp(serviceCidr.split('/')[0]!)!.slice();
    const [host, block] = [randomBelow(random, 254), randomBelow(random, 256)];
    for (let step = 0; step < 254 * 256; step++) {
      const at = (block * 254 + host + step) % (254 * 256);
      bytes[bytes.length - 1] = 1 + (at % 254);
      bytes[bytes.length - 2] = Math.floor(at / 254);
      const ip = formatIp(bytes);
      if (cidrContains(cidr, bytes) && !pins.has(ip) && store.servicesByIp(ip).length === 0) return ip;
    }
    throw new ClusterApiError(`failed to allocate a serviceIP: range is full (${serviceCidr})`);
  }
}

/** Without what the server itself adds: a text that it gave out can be applied again. */
function withoutServed(raw: RawObject): RawObject {
  const { status: _status, ...rest } = raw;
  const {
    creationTimestamp: _time,
    resourceVersion: _version,
    uid: _uid,
    generation: _generation,
    managedFields: _fields,
    ...metadata
  } = objectAt(raw, 'metadata');
  return { ...rest, metadata };
}

/**
 * A pod that runs keeps its node and its status. Throws where anything but its annotations is to change: the datapath
 * takes labels when a pod begins.
 */
function withLife(raw: RawObject, old: RawObject): RawObject {
  const { nodeName, ...before } = objectAt(old, 'spec');
  const { nodeName: wanted, ...spec } = objectAt(raw, 'spec');
  if (!isDeepStrictEqual(before, spec) || (wanted !== undefined && wanted !== nodeName))
    throw new ClusterApiError(
      'spec: Forbidden: pod updates may not change fields other than annotations here: delete the pod, then apply',
    );
  if (
    !isDeepStrictEqual(textMapAt(objectAt(raw, 'metadata'), 'labels'), textMapAt(objectAt(old, 'metadata'), 'labels'))
  )
    throw new ClusterApiError(
      'metadata.labels: the labels of a pod that runs cannot be changed here: delete the pod, then apply',
    );
  const { ownerReferences } = objectAt(old, 'metadata');
  return {
    ...raw,
    metadata: { ...objectAt(raw, 'metadata'), ...(ownerReferences !== undefined && { ownerReferences }) },
    spec: objectAt(old, 'spec'),
    status: old['status'],
  };
}

/** Labels of an object; empty where it has none. */
export const labelsOf = (raw: unknown): Readonly<Record<string, string>> =>
  textMapAt(objectAt(raw, 'metadata'), 'labels') ?? {};

/** The containers of a pod's spec. */
export const containersOf = (raw: unknown): readonly RawObject[] =>
  arrayAt(objectAt(raw, 'spec'), 'containers').map(asObject);
