import type { Reply } from '../chain/index.js';
import { Type, type Name } from '../wire/index.js';

/** Replies that are kept; all are given up when there are as many. */
const MAX_KEPT = 16_384;

/** Replies by name, type, and whether signatures were asked for. */
export class KeptReplies {
  private readonly byType = new Map<number, Map<Name, Reply>>();
  private readonly addresses = new Map<Name, Reply>();
  private count = 0;

  get(name: Name, type: number, signed: boolean): Reply | undefined {
    if (type === Type.A && !signed) return this.addresses.get(name);
    return this.byType.get(keyOf(type, signed))?.get(name);
  }

  keep(name: Name, type: number, signed: boolean, reply: Reply): void {
    if (this.count++ === MAX_KEPT) {
      this.byType.clear();
      this.addresses.clear();
      this.count = 1;
    }
    this.repliesOf(type, signed).set(name, reply);
  }

  private repliesOf(type: number, signed: boolean): Map<Name, Reply> {
    if (type === Type.A && !signed) return this.addresses;
    const known = this.byType.get(keyOf(type, signed));
    if (known !== undefined) return known;
    const made = new Map<Name, Reply>();
    this.byType.set(keyOf(type, signed), made);
    return made;
  }
}

const keyOf = (type: number, signed: boolean): number => (signed ? 0x10000 + type : type);
