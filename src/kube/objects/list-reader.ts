import type { Octets } from '../../lib/units.js';
import type { ListMeta } from './list.js';
import { arrayAt, asObject, objectAt, textAt } from './raw.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
/** Depth inside the array of items: the list object is 1, its array 2. */
const ITEMS_DEPTH = 2;
/** etcd stores objects of at most 1.5 MiB; anything much larger is no Kubernetes object. */
const MAX_ITEM: Octets = 8 * 1024 * 1024;
/** What a list holds besides its items is a few hundred octets. */
const MAX_FRAME: Octets = 1024 * 1024;

/**
 * Reads a Kubernetes list piece by piece as it arrives. Each item is parsed by itself and handed on at once, so that
 * a list of 10,000 objects never stands in memory, neither as text nor as a tree. The list without its items (the
 * frame) is parsed at the end.
 */
export class ListReader {
  private readonly frameParts: Uint8Array[] = [];
  private frameSize: Octets = 0;
  private parts: Uint8Array[] = [];
  private itemSize: Octets = 0;
  private depth = 0;
  private inString = false;
  private escaped = false;
  private inItems = false;

  /**
   * The elements of `items` that the chunk completes. Throws a SyntaxError when an item is no JSON, and a RangeError
   * when something outgrows its limit.
   */
  *read(chunk: Uint8Array): Generator<unknown> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // Start of what belongs to the frame, or to the item being read.
    let start = 0;
    let i = 0;
    while (i < bytes.length) {
      if (this.inString) {
        i = this.skipString(bytes, i);
        continue;
      }
      const byte = bytes[i++]!;
      if (byte === QUOTE) {
        this.inString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (this.inItems && this.depth === ITEMS_DEPTH) start = i - 1;
        this.depth++;
        if (byte === OPEN_BRACKET && this.depth === ITEMS_DEPTH) {
          this.keepFrame(bytes.subarray(start, i));
          start = i;
          this.inItems = this.atItems();
        }
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.depth--;
        if (this.inItems && this.depth === ITEMS_DEPTH) {
          yield this.item(bytes.subarray(start, i));
          start = i;
        } else if (this.inItems && this.depth < ITEMS_DEPTH) {
          this.inItems = false;
          start = i - 1;
        }
      } else if (this.inItems && this.depth === ITEMS_DEPTH && byte > 0x20 && byte !== COMMA) {
        throw new SyntaxError(`an item of the list is no object: got ${JSON.stringify(String.fromCharCode(byte))}`);
      }
    }
    if (!this.inItems) this.keepFrame(bytes.subarray(start));
    else if (this.depth > ITEMS_DEPTH) this.keepItem(bytes.subarray(start));
  }

  /** The list without its items. Throws a SyntaxError for what is no JSON, or not all of it. */
  frame(): unknown {
    return JSON.parse(Buffer.concat(this.frameParts).toString('utf8'));
  }

  /** Throws a SyntaxError when the response was no complete list. */
  end(): ListMeta {
    const frame = this.frame();
    const meta = objectAt(frame, 'metadata');
    const kind = textAt(frame, 'kind');
    const resourceVersion = textAt(meta, 'resourceVersion');
    // An empty answer of some other kind must never be taken for "there are no objects".
    if (!kind.endsWith('List') || resourceVersion === '')
      throw new SyntaxError(
        `the response is no list: kind ${JSON.stringify(asObject(frame)['kind'])}, ` +
          `resourceVersion ${JSON.stringify(meta['resourceVersion'])}`,
      );
    if (arrayAt(frame, 'items').length > 0) throw new SyntaxError('the list has items in a place where none are read');
    return { kind, resourceVersion, continue: textAt(meta, 'continue') };
  }

  /** Returns where the string ends, or the end of the bytes. */
  private skipString(bytes: Buffer, from: number): number {
    const quote = bytes.indexOf(QUOTE, from);
    const end = quote < 0 ? bytes.length : quote;
    let slashes = 0;
    while (end - slashes > from && bytes[end - slashes - 1] === BACKSLASH) slashes++;
    // A run of backslashes may have begun in the piece before.
    const escaped =
      slashes % 2 === 1 ? !(this.escaped && slashes === end - from) : this.escaped && slashes === end - from;
    this.escaped = quote < 0 && escaped;
    if (quote < 0) return bytes.length;
    if (!escaped) this.inString = false;
    return quote + 1;
  }

  private item(last: Uint8Array): unknown {
    let bytes = last;
    if (this.itemSize > 0) {
      this.keepItem(last);
      bytes = Buffer.concat(this.parts);
      this.parts = [];
      this.itemSize = 0;
    }
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  }

  private keepItem(part: Uint8Array): void {
    this.itemSize += part.length;
    if (this.itemSize > MAX_ITEM) throw new RangeError(`an item of the list is larger than ${MAX_ITEM} octets`);
    this.parts.push(Uint8Array.from(part));
  }

  private keepFrame(part: Uint8Array): void {
    this.frameSize += part.length;
    if (this.frameSize > MAX_FRAME)
      throw new RangeError(`the list without its items is larger than ${MAX_FRAME} octets`);
    // A copy: the bytes belong to a socket's buffer.
    if (part.length > 0) this.frameParts.push(Uint8Array.from(part));
  }

  private atItems(): boolean {
    return /"items"\s*:\s*\[$/.test(Buffer.concat(this.frameParts).toString('latin1'));
  }
}
