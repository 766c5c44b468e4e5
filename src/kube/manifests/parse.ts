import type { Document, LineCounter, Node as YamlNode } from 'yaml';
import { NodensError, placeFrom } from '../../lib/errors.js';
import { arrayAt, asObject, textAt } from '../objects/raw.js';
import { loadYaml } from '../yaml.js';

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

/** More would be an attack by expansion (aliases of aliases), not a manifest. */
const MAX_ALIASES = 100;

/**
 * The objects of a YAML or JSON text, in order: several documents, Lists taken apart, empty documents left out.
 * A generator, so that a caller can let others run between two documents. Throws a {@link ManifestError}.
 */
export function* parseManifest(path: string, text: string): Generator<ManifestObject> {
  const json = parseJson(text);
  if (json !== undefined) {
    yield* unpack(json, path, () => path);
    return;
  }
  const { Composer, LineCounter, Parser } = loadYaml();
  const lines = new LineCounter();
  for (const document of new Composer().compose(new Parser(lines.addNewLine).parse(text), false, text.length)) {
    const [error] = document.errors;
    if (error) throw new ManifestError(placeOf(path, lines, error.pos[0]), firstLine(error.message), { cause: error });
    const start = placeOf(path, lines, document.contents?.range?.[0] ?? document.range[0]);
    yield* unpack(toValue(document, start), start, (index) =>
      placeOf(path, lines, itemNode(document, index)?.range?.[0] ?? 0),
    );
  }
}

/**
 * Reading JSON as JSON is ten times quicker. What fails is read as YAML, which includes JSON and knows the place of
 * an error.
 */
function parseJson(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function* unpack(value: unknown, place: string, itemPlace: (index: number) => string): Generator<ManifestObject> {
  if (value === null || value === undefined) return;
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
  // Items of a typed list, such as ServiceList, need not repeat their kind.
  const itemKind = kind.slice(0, -'List'.length);
  for (const [index, item] of arrayAt(value, 'items').entries()) {
    const own = textAt(item, 'kind') || itemKind;
    if (own === '') throw new ManifestError(itemPlace(index), 'an object without kind');
    yield { kind: own, raw: item, place: itemPlace(index) };
  }
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
