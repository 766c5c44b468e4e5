import type { CST, Document, LineCounter, Node as YamlNode } from 'yaml';
import { NodensError, placeFrom } from '../../lib/errors.js';
import type { Octets } from '../../lib/units.js';
import { ListReader } from '../objects/list-reader.js';
import { arrayAt, asObject, textAt } from '../objects/raw.js';
import { loadYaml } from '../yaml.js';
import { composePart, yamlDocuments } from './documents.js';

/** A manifest file that cannot be read. The message begins with file, line and column. */
export class ManifestError extends NodensError {
  override readonly name = 'ManifestError';

  constructor(
    /** `FILE:LINE:COLUMN`, counted from 1. */
    place: string,
    what: string,
    options?: ErrorOptions,
  ) {
    super('NODENS_MANIFEST', `${place}: ${what}`, { ...options, place: placeFrom(place) });
  }
}

/** One object of a manifest file, as it was written. */
export interface ManifestObject {
  readonly kind: string;
  readonly raw: unknown;
  /** `FILE:LINE:COLUMN`; of a JSON file the file alone. */
  readonly place: string;
}

/** A text of that length takes milliseconds as a whole. */
const LONG: Octets = 256 << 10;
/** Of a text: white space beyond it is not what JSON begins with. */
const HEAD: Octets = 4096;
/** Read at a time. */
const PIECE: Octets = 64 << 10;

/** More would be an attack by expansion (aliases of aliases), not a manifest. */
const MAX_ALIASES = 100;

/** The objects of a YAML or JSON text, in order, as {@link manifestSteps} has them. */
export function* parseManifest(path: string, text: string): Generator<ManifestObject> {
  for (const object of manifestSteps(path, Buffer.from(text))) if (object !== undefined) yield object;
}

/**
 * The objects of a YAML or JSON text in UTF-8, in order: several documents, Lists taken apart, empty documents left out; and
 * undefined between two steps of reading, where others may have their turn. Throws a {@link ManifestError}.
 */
export function* manifestSteps(path: string, bytes: Buffer): Generator<ManifestObject | undefined> {
  const json = yield* parseJson(bytes);
  if (json !== undefined) {
    yield* unpack(json, path, () => path);
    return;
  }
  const text = bytes.toString('utf8');
  let given = 0;
  const steps = yamlSteps(path, text, true);
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) {
    yield step.value;
    if (step.value !== undefined) given++;
  }
  if (!step.value) for (const object of yamlSteps(path, text, false)) if (!object || given-- <= 0) yield object;
}

/** A part of a list, or what is wrong with it, to be told when its turn comes. */
interface ListPart {
  readonly place: string;
  readonly value?: unknown;
  readonly error?: unknown;
}

/**
 * Returns whether that was all there is.
 *
 * @param early as of {@link yamlDocuments}
 */
function* yamlSteps(path: string, text: string, early: boolean): Generator<ManifestObject | undefined, boolean> {
  const { LineCounter } = loadYaml();
  const lines = new LineCounter();
  const sound = <T extends Document>(document: T): T => {
    const [error] = document.errors;
    if (error) throw new ManifestError(placeOf(path, lines, error.pos[0]), firstLine(error.message), { cause: error });
    return document;
  };
  const read = (part: CST.BlockMap): ListPart => {
    const place = placeOf(path, lines, part.offset);
    try {
      return { place, value: toValue(sound(composePart(part)), place) };
    } catch (error) {
      return { place, error };
    }
  };
  for (const step of yamlDocuments(text, lines, read, early)) {
    if (step === undefined) {
      yield undefined;
      continue;
    }
    if (step === 'no list') return false;
    const document = sound(step.document);
    // An empty document.
    if (document.contents === null) continue;
    const start = placeOf(path, lines, document.contents.range[0]);
    const value = toValue(document, start);
    // A list that an alias stands for is where it is asked for.
    yield* unpack(value, start, (index) => {
      const range = itemNode(document, index)?.range;
      return range ? placeOf(path, lines, range[0]) : start;
    });
    const kind = textAt(value, 'kind');
    for (const part of step.parts ?? []) {
      if (part.error !== undefined) throw part.error as Error;
      yield itemOf(kind, part.value, part.place);
    }
  }
  return true;
}

/**
 * Reading JSON as JSON is ten times quicker. What fails is read as YAML, which includes JSON and knows the place of
 * an error.
 */
function* parseJson(bytes: Buffer): Generator<undefined, unknown> {
  if (!/^\s*[{[]/.test(bytes.toString('latin1', 0, HEAD))) return undefined;
  try {
    return bytes.length < LONG ? (JSON.parse(bytes.toString('utf8')) as unknown) : yield* parseLongJson(bytes);
  } catch {
    return undefined;
  }
}

/** Throws a SyntaxError, or a RangeError for what is larger than an API would have it. */
function* parseLongJson(bytes: Buffer): Generator<undefined, unknown> {
  const reader = new ListReader();
  const items: unknown[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) {
    for (const item of reader.read(bytes.subarray(at, at + PIECE))) {
      items.push(item);
      yield undefined;
    }
    yield undefined;
  }
  const frame = reader.frame();
  return items.length === 0 ? frame : { ...asObject(frame), items };
}

function* unpack(value: unknown, place: string, itemPlace: (index: number) => string): Generator<ManifestObject> {
  if (value === null) return;
  if (typeof value !== 'object' || Array.isArray(value))
    throw new ManifestError(
      place,
      `got ${Array.isArray(value) ? 'a list' : JSON.stringify(value)}, want an object with apiVersion and kind`,
    );
  const kind = textAt(value, 'kind');
  if (kind === '') throw new ManifestError(place, 'an object without kind');
  if (!kind.endsWith('List') || !Array.isArray(asObject(value)['items'])) {
    yield { kind, raw: value, place };
    return;
  }
  for (const [index, item] of arrayAt(value, 'items').entries()) yield itemOf(kind, item, itemPlace(index));
}

/** One object of a list of that kind. */
function itemOf(listKind: string, raw: unknown, place: string): ManifestObject {
  // Items of a typed list, such as ServiceList, need not repeat their kind.
  const kind = textAt(raw, 'kind') || listKind.slice(0, -'List'.length);
  if (kind === '') throw new ManifestError(place, 'an object without kind');
  return { kind, raw, place };
}

function toValue(document: Document, place: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw new ManifestError(place, firstLine((error as Error).message), { cause: error });
  }
}

function itemNode(document: Document, index: number): YamlNode | undefined {
  const node = document.getIn(['items', index], true);
  return typeof node === 'object' && node !== null ? (node as YamlNode) : undefined;
}

function placeOf(path: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${path}:${line}:${col}`;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]!.replace(/ at line \d+, column \d+:?$/, '');
}
