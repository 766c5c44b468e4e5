import { Class, classFromName, className, typeFromName, typeName } from './constants.js';
import { parseTtl } from './fields.js';
import type { Rr } from './message.js';
import { presentName } from './name.js';
import { formatRdata, readRdata } from './rdata-text.js';
import { Sink, putName } from './sink.js';
import { EntryScanner, RrTextError } from './words.js';

/** The record on one line, fields parted by tabs: `www.example.org.\t300\tIN\tA\t192.0.2.1`. */
export function formatRr(record: Rr): string {
  return [
    record.name,
    record.ttl,
    className(record.class),
    typeName(record.type),
    formatRdata(record.type, record.rdata),
  ].join('\t');
}

/** TTL of a record that names none, in seconds: what the parser of CoreDNS assumes for a record on its own. */
export const DEFAULT_TTL = 3600;

const sink = new Sink();
const ROOT = Uint8Array.of(0);
const owner = Buffer.alloc(512);

/**
 * Reads one record in master-file form: `NAME [TTL] [CLASS] TYPE DATA`, TTL and class in either order. Names are
 * taken as complete; parentheses are allowed, `;` starts a comment. Throws an RrTextError that says what was got and
 * what was expected.
 */
export function parseRr(text: string): Rr {
  try {
    return readRr(text);
  } catch (error) {
    const { message } = error as Error;
    throw new RrTextError(message === EMPTY ? message : `${message} in '${text}'`);
  }
}

const EMPTY = 'empty record';

function readRr(text: string): Rr {
  const scanner = new EntryScanner(Buffer.from(text, 'utf8'));
  if (!scanner.next()) throw new RrTextError(EMPTY);
  const { words } = scanner;
  const length = putName(words.take(), ROOT, owner, 0);
  let ttl = DEFAULT_TTL;
  let rrClass: number = Class.IN;
  for (let i = 0; i < 2 && words.next !== undefined; i++) {
    const seconds = parseTtl(words.next);
    const named = classFromName(words.next);
    if (seconds !== undefined) ttl = seconds;
    else if (named !== undefined && typeFromName(words.next) === undefined) rrClass = named;
    else break;
    words.take();
  }
  const type = words.next === undefined ? undefined : typeFromName(words.next);
  if (type === undefined)
    throw new RrTextError(`expected a record type, got ${words.next === undefined ? 'the end' : `'${words.next}'`}`);
  words.take();
  readRdata(type, words, sink);
  const rdata = Buffer.from(sink.bytes.subarray(0, sink.length));
  return { name: presentName(owner, 0, length), type, class: rrClass, ttl, rdata };
}
