import { NodensError } from '../lib/errors.js';

/** Text that is no resource record in master-file form. */
export class RrTextError extends NodensError {
  override readonly name = 'RrTextError';

  constructor(text: string) {
    super('NODENS_RECORD', text);
  }
}

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;

/** Octets that end a word outside quotes. */
const ENDS = new Uint8Array(256);
for (const octet of [TAB, NEWLINE, RETURN, SPACE, QUOTE, OPEN, CLOSE, SEMICOLON]) ENDS[octet] = 1;

/** A word stood in quotes. */
const QUOTED = 1;
/** No blank stood before a word. */
const GLUED = 2;

/**
 * The words of one entry of a master file (RFC 1035 section 5.1), to be taken in order. A word keeps its escapes and
 * loses its quotes; one character stands for one octet.
 */
export class Words {
  private readonly texts: string[] = [];
  private readonly marks: number[] = [];
  private readonly lines: number[] = [];
  private taken = 0;

  /** How many were not taken yet. */
  get left(): number {
    return this.texts.length - this.taken;
  }

  /** Whether the word taken last stood in quotes. */
  get quoted(): boolean {
    return (this.marks[this.taken - 1]! & QUOTED) !== 0;
  }

  /** The line, from 1, of the word taken last; of the first one before any is taken, and 0 where there is none. */
  get line(): number {
    return this.lines[Math.max(0, this.taken - 1)] ?? 0;
  }

  /** The next word, which stays; undefined after the last one. */
  get next(): string | undefined {
    return this.texts[this.taken];
  }

  /** Whether the next word is in quotes and follows the one before it without a blank, as in `key="value"`. */
  get nextIsGlued(): boolean {
    return this.marks[this.taken] === (QUOTED | GLUED);
  }

  /** Throws an RrTextError where no word is left. */
  take(): string {
    const text = this.texts[this.taken];
    if (text === undefined) throw new RrTextError('data is missing');
    this.taken++;
    return text;
  }

  /** All that is left, at least one word. Throws an RrTextError where none is. */
  rest(): string[] {
    if (this.left === 0) throw new RrTextError('data is missing');
    const rest = this.texts.slice(this.taken);
    this.taken = this.texts.length;
    return rest;
  }

  /** All that is left as one text that can be taken apart again, quotes put back. */
  joined(): string {
    let text = '';
    for (let i = this.taken; i < this.texts.length; i++) {
      const mark = this.marks[i]!;
      if (text !== '' && (mark & GLUED) === 0) text += ' ';
      text += mark & QUOTED ? `"${this.texts[i]}"` : this.texts[i];
    }
    this.taken = this.texts.length;
    return text;
  }

  add(text: string, quoted: boolean, glued: boolean, line: number): void {
    this.texts.push(text);
    this.marks.push((quoted ? QUOTED : 0) | (glued ? GLUED : 0));
    this.lines.push(line);
  }

  clear(): void {
    this.texts.length = 0;
    this.marks.length = 0;
    this.lines.length = 0;
    this.taken = 0;
  }
}

/** Takes a master file apart into entries: parentheses join lines, `;` starts a comment (RFC 1035 section 5.1). */
export class EntryScanner {
  /** Those of the entry that `next` found; the same object for each. */
  readonly words = new Words();
  /** Whether the entry began with blanks: it has the owner of the one before. */
  indented = false;
  /** Line, from 1, that was reached. */
  line = 1;
  private at = 0;
  private depth = 0;
  /** Line of the parenthesis that was opened first. */
  private opened = 0;

  constructor(private readonly bytes: Buffer) {}

  /** Octets that were read. */
  get offset(): number {
    return this.at;
  }

  /**
   * Reads the next entry that is not empty; false at the end of the file. Throws an RrTextError for quotes and
   * parentheses without end; `line` then tells where they begin.
   */
  next(): boolean {
    const { bytes, words } = this;
    words.clear();
    this.indented = false;
    let lineStart = this.at === 0 || bytes[this.at - 1] === NEWLINE;
    while (this.at < bytes.length) {
      const octet = bytes[this.at]!;
      if (octet === NEWLINE) {
        this.at++;
        this.line++;
        if (this.depth > 0) continue;
        if (words.left > 0) return true;
        lineStart = true;
        this.indented = false;
        continue;
      }
      if (octet === SPACE || octet === TAB) {
        if (lineStart && words.left === 0) this.indented = true;
        this.at++;
      } else if (octet === RETURN) this.at++;
      else if (octet === SEMICOLON) this.skipComment();
      else if (octet === OPEN || octet === CLOSE) this.parenthesis(octet);
      else if (octet === QUOTE) this.quoted();
      else this.word();
      lineStart = false;
    }
    if (this.depth > 0) {
      this.line = this.opened;
      throw new RrTextError('parenthesis without end');
    }
    return words.left > 0;
  }

  private skipComment(): void {
    const end = this.bytes.indexOf(NEWLINE, this.at);
    this.at = end < 0 ? this.bytes.length : end;
  }

  private parenthesis(octet: number): void {
    this.at++;
    if (octet === OPEN) {
      if (this.depth++ === 0) this.opened = this.line;
    } else if (this.depth-- === 0) throw new RrTextError("')' without '(' before it");
  }

  private get glued(): boolean {
    const before = this.bytes[this.at - 1];
    return before !== undefined && (ENDS[before] === 0 || before === QUOTE);
  }

  private quoted(): void {
    const { bytes, glued } = this;
    const start = ++this.at;
    const { line } = this;
    for (let octet = bytes[this.at]; octet !== QUOTE; octet = bytes[this.at]) {
      if (octet === BACKSLASH) octet = bytes[++this.at];
      if (octet === NEWLINE) this.line++;
      this.at++;
      if (this.at >= bytes.length) {
        this.line = line;
        throw new RrTextError('quote without end');
      }
    }
    this.words.add(bytes.toString('latin1', start, this.at), true, glued, line);
    this.at++;
  }

  private word(): void {
    const { bytes, glued } = this;
    const start = this.at;
    let at = start;
    while (at < bytes.length && ENDS[bytes[at]!] === 0) {
      if (bytes[at] === BACKSLASH && (++at >= bytes.length || bytes[at] === NEWLINE))
        throw new RrTextError('nothing after the last backslash');
      at++;
    }
    this.at = at;
    this.words.add(bytes.toString('latin1', start, at), false, glued, this.line);
  }
}

/** The octets of a word: `\DDD` is the octet with that number, `\X` is X itself. */
export function unescapeWord(text: string): Buffer {
  if (!text.includes('\\')) return Buffer.from(text, 'latin1');
  const octets: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== BACKSLASH) octets.push(code);
    else {
      const digits = /^\d{3}/.exec(text.slice(i + 1, i + 4))?.[0];
      if (digits !== undefined && Number(digits) <= 255) {
        octets.push(Number(digits));
        i += 3;
      } else if (i + 1 < text.length) octets.push(text.charCodeAt(++i));
    }
  }
  return Buffer.from(octets);
}
