import { isDeepStrictEqual } from 'node:util';
import { Channel } from '../../lib/channel.js';
import type { Timer } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { objectAt, textAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import { nameIn, namespaceIn } from '../commands/kubectl/metadata.js';
import { objectsOf } from '../commands/kubectl/objects.js';
import type { Lab } from '../lab.js';

/** One change of an object, as a watch tells it. */
export interface JournalEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly version: number;
  readonly object: RawObject;
  /** As it was before; undefined for one that is new. */
  readonly old: RawObject | undefined;
}

interface Held {
  /** Without what the journal adds. */
  readonly plain: RawObject;
  readonly object: RawObject;
  readonly generation: number;
}

/** What is known of one kind. */
interface Track {
  readonly objects: Map<string, Held>;
  list: readonly RawObject[];
  /** The newest changes, in order. */
  events: JournalEvent[];
  /** Changes up to this version are not known any more. */
  forgotten: number;
  readonly followers: Channel<JournalEvent>;
}

export interface JournalOptions {
  readonly lab: Lab;
  /** Changes that are kept of each kind; a watch that begins before them is told that it is too late. */
  readonly kept?: number;
  /** What stands in `metadata.managedFields` of an object. */
  readonly managers: (uid: string) => readonly RawObject[];
}

const KEPT = 5000;
/** Changes within so short a time are told together. */
const GATHERING: Milliseconds = 5;
const FIRST_VERSION = 1000;
/** Kinds whose changes of `spec` are counted, and whose status says which of them it is about. */
const COUNTED: readonly string[] = ['Deployment', 'DaemonSet', 'ReplicaSet'];

/**
 * The model's objects with resource versions, and what has changed. Versions come from comparing the objects with how
 * they were at the last look: so it holds for all kinds alike, those of the datapath and of the controllers too, and
 * costs nothing while nobody asks.
 */
export class ObjectJournal {
  private version = FIRST_VERSION;
  private readonly tracks = new Map<string, Track>();
  private readonly disposers: (() => void)[];
  private timer: Timer | undefined;

  constructor(private readonly options: JournalOptions) {
    const { lab } = options;
    const soon = (): void => this.soon();
    this.disposers = [
      lab.api.changes.subscribe(soon),
      lab.store.changes.subscribe(soon),
      lab.world.changes.subscribe(soon),
    ];
  }

  close(): void {
    this.timer?.cancel();
    this.disposers.forEach((dispose) => dispose());
  }

  /** The newest version. What has changed since is looked at by {@link list} and {@link since}. */
  get newest(): number {
    return this.version;
  }

  /** Objects of a kind by namespace and name, as they are now. */
  list(kind: string): readonly RawObject[] {
    return this.look(kind).list;
  }

  get(kind: string, namespace: string, name: string): RawObject | undefined {
    return this.look(kind).objects.get(`${namespace}/${name}`)?.object;
  }

  /** Changes after a version; undefined when they are not known (any more). */
  since(kind: string, version: number): readonly JournalEvent[] | undefined {
    const { events, forgotten } = this.look(kind);
    if (version < forgotten || version > this.version) return undefined;
    return events.filter((event) => event.version > version);
  }

  /** Tells changes from now on; returns the function that ends it. */
  follow(kind: string, follower: (event: JournalEvent) => void): () => void {
    return this.look(kind).followers.subscribe(follower);
  }

  private soon(): void {
    if (this.timer || ![...this.tracks.values()].some(({ followers }) => followers.active)) return;
    this.timer = this.options.lab.clock.setTimeout(() => {
      this.timer = undefined;
      for (const [kind, { followers }] of this.tracks) if (followers.active) this.look(kind);
    }, GATHERING);
  }

  /** Compares the objects of a kind with how they were, and tells what has changed. */
  private look(kind: string): Track {
    let track = this.tracks.get(kind);
    if (!track) {
      track = { objects: new Map(), list: [], events: [], forgotten: this.version, followers: new Channel() };
      this.tracks.set(kind, track);
    }
    const events: JournalEvent[] = [];
    const gone = new Map(track.objects);
    track.list = objectsOf(kind, this.options.lab).map((raw) => {
      const key = `${namespaceIn(raw)}/${nameIn(raw)}`;
      const old = gone.get(key);
      gone.delete(key);
      return this.note(kind, track, key, old, raw, events);
    });
    for (const [key, { object }] of gone) {
      track.objects.delete(key);
      events.push(this.deletion(object));
    }
    this.tell(track, events);
    return track;
  }

  private note(
    kind: string,
    track: Track,
    key: string,
    old: Held | undefined,
    raw: RawObject,
    events: JournalEvent[],
  ): RawObject {
    const { resourceVersion: _version, ...own } = objectAt(raw, 'metadata');
    const managers = this.options.managers(uidIn(raw));
    const plain: RawObject = { ...raw, metadata: { ...own, ...(managers.length > 0 && { managedFields: managers }) } };
    if (old && isDeepStrictEqual(old.plain, plain)) return old.object;
    // One that was deleted and made again in the meantime is another one.
    const same = old && uidIn(old.object) === uidIn(plain) ? old : undefined;
    if (old && !same) events.push(this.deletion(old.object));
    const version = ++this.version;
    const changed = same !== undefined && !isDeepStrictEqual(same.plain['spec'], plain['spec']);
    const generation = (same?.generation ?? 1) + (changed ? 1 : 0);
    const object = versioned(plain, version, COUNTED.includes(kind) ? generation : undefined);
    track.objects.set(key, { plain, object, generation });
    events.push({ type: same ? 'MODIFIED' : 'ADDED', version, object, old: same?.object });
    return object;
  }

  private deletion(old: RawObject): JournalEvent {
    const version = ++this.version;
    return { type: 'DELETED', version, object: versioned(old, version, undefined), old };
  }

  private tell(track: Track, events: readonly JournalEvent[]): void {
    const { kept = KEPT } = this.options;
    track.events.push(...events);
    const over = track.events.length - kept;
    if (over > 0) track.forgotten = track.events.splice(0, over).at(-1)!.version;
    for (const event of events) track.followers.emit(event);
  }
}

export const uidIn = (object: RawObject): string => textAt(objectAt(object, 'metadata'), 'uid');
export const versionIn = (object: RawObject): string => textAt(objectAt(object, 'metadata'), 'resourceVersion');

const versioned = (plain: RawObject, version: number, generation: number | undefined): RawObject => ({
  ...plain,
  metadata: {
    ...objectAt(plain, 'metadata'),
    resourceVersion: String(version),
    ...(generation !== undefined && { generation }),
  },
  ...(generation !== undefined && { status: { observedGeneration: generation, ...objectAt(plain, 'status') } }),
});
