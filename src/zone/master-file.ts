import path from 'node:path';
import { NodensError } from '../lib/errors.js';
import {
  Class,
  EntryScanner,
  RrTextError,
  Sink,
  WireError,
  classFromName,
  encodeName,
  parseTtl,
  putName,
  readRdata,
  typeFromName,
  type Name,
  type Words,
} from '../wire/index.js';
import { GENERATED_TTL, expand } from './generate.js';

/** What is wrong with a master file, and where: `FILE:LINE: text`. */
export class MasterFileError extends NodensError {
  override readonly name = 'MasterFileError';

  constructor(file: string, line: number, fault: string) {
    super('NODENS_ZONE', `${file}:${line}: ${fault}`, { place: { file, line } });
  }
}

/** Files within files: CoreDNS allows no more. */
const MAX_DEPTH = 7;
const ROOT = Uint8Array.of(0);

/** A file that is being read, or the lines that a `$GENERATE` made. */
interface OpenFile {
  readonly scanner: EntryScanner;
  readonly file: string;
  /** The line of the `$GENERATE` that made it; undefined for a file. */
  readonly line: number | undefined;
  readonly depth: number;
  origin: Uint8Array;
  /** Owner of the entry before; empty before the first one. */
  owner: Uint8Array;
  /** TTL of records that name none; `fixed` where `$TTL` gave it (RFC 2308 section 4). */
  ttl: { readonly seconds: number; readonly fixed: boolean } | undefined;
}

/** Reads a master file (RFC 1035 section 5) record by record, with all files that it includes. */
export class MasterFile {
  /** The record that `next` found: its owner and data are overwritten by the next one. */
  owner: Uint8Array = ROOT;
  type = 0;
  ttl = 0;
  readonly data = new Sink();
  /** Paths that were read, the file itself first. */
  readonly files: string[] = [];
  private readonly sources: OpenFile[] = [];

  /**
   * @param origin what names are completed with until `$ORIGIN` says otherwise
   * @param read throws a NodeJS.ErrnoException for what cannot be read
   */
  constructor(
    file: string,
    origin: Name,
    private readonly read: (path: string) => Buffer,
  ) {
    this.open(file, encodeName(origin), undefined, 0);
  }

  /** Where the record stands that `next` found. */
  get place(): { file: string; line: number } {
    const { file, line, scanner } = this.sources.at(-1)!;
    return { file, line: line ?? scanner.words.line };
  }

  /** Moves on to the next record; false at the end. Throws a MasterFileError. */
  next(): boolean {
    for (let source = this.sources.at(-1); source !== undefined; source = this.sources.at(-1)) {
      const { scanner } = source;
      // Quotes and parentheses without end are found before there are words.
      let scanned = false;
      try {
        if (!scanner.next()) this.sources.pop();
        else {
          scanned = true;
          if (this.entry(source)) return true;
        }
      } catch (error) {
        if (!(error instanceof RrTextError || error instanceof WireError)) throw error;
        const line = source.line ?? (scanned ? scanner.words.line : scanner.line);
        throw new MasterFileError(source.file, line, error.message.replace(/ at octet \d+$/, ''));
      }
    }
    return false;
  }

  private open(file: string, origin: Uint8Array, ttl: OpenFile['ttl'], depth: number): void {
    const bytes = this.read(file);
    this.files.push(file);
    const scanner = new EntryScanner(bytes);
    this.sources.push({ scanner, file, line: undefined, depth, origin, owner: new Uint8Array(0), ttl });
  }

  /** Takes an entry; true where it is a record. */
  private entry(source: OpenFile): boolean {
    const { words, indented } = source.scanner;
    if (!indented) {
      const word = words.take();
      if (word.startsWith('$') && !words.quoted) {
        this.directive(word.toUpperCase(), source, words);
        return false;
      }
      source.owner = this.name(word, source.origin);
    } else if (source.owner.length === 0) {
      words.take();
      throw new RrTextError('a record without owner, and none before it');
    }
    this.owner = source.owner;
    this.type = this.header(source, words);
    this.data.origin = source.origin;
    readRdata(this.type, words, this.data);
    return true;
  }

  private name(word: string, origin: Uint8Array): Uint8Array {
    const { bytes } = this.data;
    return Uint8Array.prototype.slice.call(bytes, 0, putName(word, origin, bytes, 0));
  }

  /** Reads TTL, class and type; the former two in either order, or left out. */
  private header(source: OpenFile, words: Words): number {
    let ttl: number | undefined;
    let named = false;
    for (;;) {
      const word = words.left > 0 ? words.take() : undefined;
      const type = word === undefined ? undefined : typeFromName(word);
      if (type !== undefined) {
        this.ttl = this.ttlOf(source, ttl, named);
        return type;
      }
      const seconds = word === undefined || ttl !== undefined ? undefined : parseTtl(word);
      if (seconds !== undefined) ttl = seconds;
      else if (word !== undefined && !named && classFromName(word) !== undefined) {
        named = true;
        if (classFromName(word) !== Class.IN) throw new RrTextError(`class ${word}, allowed: IN`);
      } else {
        const got = word === undefined ? 'the end of the line' : `'${word}'`;
        throw new RrTextError(`expected TTL, class or record type, got ${got}`);
      }
    }
  }

  /** The last TTL that was written holds for records without one, until `$TTL` says another (RFC 1035 section 5.1). */
  private ttlOf(source: OpenFile, ttl: number | undefined, classNamed: boolean): number {
    if (ttl === undefined) {
      // CoreDNS takes 0 for a record that names its class and neither TTL nor anything before it does.
      if (source.ttl === undefined && !classNamed) throw new RrTextError('a record without TTL, and no $TTL before it');
      return source.ttl?.seconds ?? 0;
    }
    if (source.ttl?.fixed !== true) source.ttl = { seconds: ttl, fixed: false };
    return ttl;
  }

  private directive(directive: string, source: OpenFile, words: Words): void {
    switch (directive) {
      case '$ORIGIN':
        source.origin = this.name(words.take(), source.origin);
        break;
      case '$TTL': {
        const word = words.take();
        const seconds = parseTtl(word);
        if (seconds === undefined) throw new RrTextError(`expected a TTL such as 3600 or 1h, got '${word}'`);
        source.ttl = { seconds, fixed: true };
        break;
      }
      case '$INCLUDE':
        return this.include(source, words);
      case '$GENERATE':
        return this.generate(source, words);
      default:
        throw new RrTextError(`unknown directive '${directive}', allowed: $ORIGIN, $TTL, $INCLUDE, $GENERATE`);
    }
    if (words.left > 0) throw new RrTextError(`unexpected '${words.take()}' after ${directive}`);
  }

  /** Another file in this place, under an origin of its own if one is given (RFC 1035 section 5.1). */
  private include(source: OpenFile, words: Words): void {
    const word = words.take();
    const file = path.isAbsolute(word) ? word : path.join(path.dirname(source.file), word);
    const origin = words.left > 0 ? this.name(words.take(), source.origin) : source.origin;
    if (words.left > 0) throw new RrTextError(`unexpected '${words.take()}' after $INCLUDE`);
    if (source.depth >= MAX_DEPTH) throw new RrTextError(`more than ${MAX_DEPTH} files within each other`);
    try {
      this.open(file, origin, source.ttl, source.depth + 1);
    } catch (error) {
      throw new RrTextError(`cannot read ${file}: ${(error as Error).message}`);
    }
  }

  private generate(source: OpenFile, words: Words): void {
    if (source.line !== undefined) throw new RrTextError('$GENERATE within $GENERATE');
    const range = words.take();
    const { line } = words;
    const scanner = new EntryScanner(expand(range, words.joined()));
    const ttl = { seconds: GENERATED_TTL, fixed: false };
    const { file, depth, origin } = source;
    this.sources.push({ scanner, file, line, depth, origin, owner: new Uint8Array(0), ttl });
  }
}
