import type { Octets } from '../lib/units.js';
import type { NameReader } from './name-reader.js';
import { SpaceSaving } from './space-saving.js';
import { Thinning } from './thinning.js';

/** Ends of a name that are counted, from its top-level domain on. */
const LEVELS = 8;
/** Longer ends are counted, and shown without their beginning. */
const KEY: Octets = 96;
const SUFFIXES = 1024;
const SEARCHES = 128;
/** Names that were asked with a search domain behind them and without it, before others with it are taken for such. */
const CONFIRMED = 3;
/** NXDOMAIN is looked at one by one so many times a second; of more, one stands for others. */
const EXACT = 5000;

const HEADS = 0;

/** Which ends of names do not exist, and which of them come from walks along search paths. */
export class Suffixes {
  /** Ends of names that do not exist. */
  readonly missing = new SpaceSaving({ capacity: SUFFIXES, keySize: KEY, sums: 0 });
  /** Search domains: ends of names that do not exist, before which stands a name that clients ask for as well. */
  readonly searched = new SpaceSaving({ capacity: SEARCHES, keySize: KEY, sums: 1 });
  private readonly thinning = new Thinning(EXACT);

  /** Counts `count` queries of a name that does not exist, which weigh `weight`. Returns how much of that a search path made. */
  add(name: NameReader, count: number, weight: number, asked: (labels: number) => boolean): number {
    const times = this.thinning.times(count);
    if (times === 0) return 0;
    name.readTails();
    const { labels } = name;
    for (let cut = Math.max(1, labels - LEVELS); cut < labels; cut++) name.countIn(this.missing, cut, weight * times);
    return this.search(name, weight * times, asked);
  }

  /** A second has passed. */
  tick(): void {
    this.thinning.tick();
  }

  scale(factor: number): void {
    this.missing.scale(factor);
    this.searched.scale(factor);
  }

  /**
   * A name of one label before a search domain is what a client means by itself: only longer ones are looked at, from
   * the longest search domain on.
   */
  private search(name: NameReader, weight: number, asked: (labels: number) => boolean): number {
    const { searched } = this;
    for (let cut = 2; cut < name.labels; cut++) {
      const known = searched.find(name.tail(cut), name.tail2(cut));
      if (known >= 0 && searched.sum(HEADS, known) >= CONFIRMED && !isService(name, cut)) {
        name.countIn(searched, cut, weight);
        return weight;
      }
    }
    for (let cut = 2; cut < name.labels; cut++) {
      if (!asked(cut)) continue;
      searched.addTo(HEADS, name.countIn(searched, cut, weight), 1);
      return weight;
    }
    return 0;
  }
}

/** `svc` in wire form, as the cluster's names have it behind service and namespace. */
const SVC = [3, 0x73, 0x76, 0x63];

const isSvc = ({ bytes, starts }: NameReader, label: number): boolean =>
  SVC.every((byte, i) => bytes[starts[label]! + i] === byte);

/**
 * Whether a name may be that of a service and no more, with its end written out: without somebody who asks for its
 * beginning by itself that is no walk.
 */
const isService = (name: NameReader, cut: number): boolean => (cut === 2 && isSvc(name, cut)) || isSvc(name, cut - 1);
