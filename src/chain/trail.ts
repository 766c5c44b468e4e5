import type { FilePlace } from '../lib/errors.js';
import type { Milliseconds, Seconds } from '../lib/units.js';

/** Notes of one query: more tell no more. */
const MOST_NOTES = 64;

/** What a cache knew of the question. Times are whole seconds. */
export interface CacheNote {
  readonly kind: 'cache';
  readonly plugin: string;
  /**
   * `hit`: answered from a reply that is kept. `stale`: from one that is past its time. `miss`: nothing was kept.
   * `disabled`: replies of this kind are not kept for this name. `bypassed`: the cache has no use for such queries.
   */
  readonly state: 'hit' | 'stale' | 'miss' | 'disabled' | 'bypassed';
  /** Of `hit` and `stale`: how long ago it was stored, and how long it is valid; below 0 where its time is over. */
  readonly age?: Seconds;
  readonly left?: Seconds;
  /** Of `disabled`: which kind of replies. */
  readonly what?: 'success' | 'denial';
}

/** One message to an upstream, and what came of it. Times are monotonic. */
export interface AttemptNote {
  readonly kind: 'attempt';
  readonly plugin: string;
  /** `IP:PORT`. */
  readonly to: string;
  readonly protocol: 'udp' | 'tcp' | 'tls' | 'https' | 'grpc';
  readonly sent: Milliseconds;
  readonly ended: Milliseconds;
  /** `answered` with `rcode`; `timeout`: nothing came; `error`, see `text`; `overtaken`: another attempt was quicker. */
  readonly result: 'answered' | 'timeout' | 'error' | 'overtaken';
  readonly rcode?: number;
  /** Of `error`: the system's words. */
  readonly text?: string;
}

/** Why a handler did what it did, where its outcome does not tell. */
export interface ReasonNote {
  readonly kind: 'reason';
  readonly plugin: string;
  /**
   * `blocked`: by a rule. `busy`: too many under way. `remembered`: the same failed a short
   * time ago. `joined`: an equal question was under way. `down`: no upstream is up. `silent`: no upstream shows life.
   */
  readonly reason: 'blocked' | 'busy' | 'remembered' | 'joined' | 'down' | 'silent';
  /** In words, without a full stop. */
  readonly text: string;
  /** The line of the Corefile that says so. */
  readonly place?: FilePlace | undefined;
}

export type TrailNote = CacheNote | AttemptNote | ReasonNote;

/** What handlers tell of their work at one query, for whoever explains it: at most 64 notes. */
export class Trail {
  readonly notes: TrailNote[] = [];

  note(note: TrailNote): void {
    if (this.notes.length < MOST_NOTES) this.notes.push(note);
  }
}
