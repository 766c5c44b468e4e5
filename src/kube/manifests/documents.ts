import type { CST, Document, LineCounter } from 'yaml';
import { loadYaml } from '../yaml.js';

/** Words read at a time: about a millisecond's work. */
const WORDS = 2000;
/** To compose a part takes about as long as to read so many words. */
const WORDS_OF_PART = 50;
/** What a part of a list may follow on its line: nothing that says more of it. */
const PLAIN: ReadonlySet<string> = new Set(['seq-item-ind', 'space', 'comment', 'newline']);

/** A document of a YAML text; of a list of objects, such as kubectl writes, without its parts. */
export interface YamlDocument<Part> {
  readonly document: Document.Parsed;
  /** Those that were not read yet are read when their turn comes; undefined where the document holds all. */
  readonly parts: Iterable<Part> | undefined;
}

/**
 * The documents of a text, in order, and undefined now and then, where others may have their turn: of a list, which is
 * one document whatever its length, each part is a step of its own.
 *
 * @param early parts are read as soon as they end, which is before it is known that they are those of a list: all of
 *   them at once as the parser has them would be forty times the text. Where they turn out to be none, it ends with
 *   `no list`
 */
export function* yamlDocuments<Part>(
  text: string,
  lines: LineCounter,
  read: (part: CST.BlockMap) => Part,
  early: boolean,
): Generator<YamlDocument<Part> | 'no list' | undefined> {
  const composer = new (loadYaml().Composer)();
  const waiting: (Iterable<Part> | undefined)[] = [];
  let ended: Part[] = [];
  const known = function* (documents: Iterable<Document.Parsed>): Generator<YamlDocument<Part>> {
    for (const document of documents) yield { document, parts: waiting.shift() };
  };
  for (const step of tokens(text, lines, early)) {
    if (step === undefined) {
      yield undefined;
      continue;
    }
    const { token, alone, isPart } = step;
    if (isPart) {
      ended.push(read(token as CST.BlockMap));
      continue;
    }
    const parts = token.type === 'document' && alone ? partsOf(token) : undefined;
    if (token.type === 'document') {
      if (parts === undefined && ended.length > 0) {
        yield 'no list';
        return;
      }
      waiting.push(parts && readInTurn(ended, parts.maps, read));
      ended = [];
    }
    yield* known(composer.next(parts?.frame ?? token));
  }
  yield* known(composer.end());
}

function* readInTurn<Part>(
  ended: readonly Part[],
  left: readonly CST.BlockMap[],
  read: (part: CST.BlockMap) => Part,
): Generator<Part> {
  yield* ended;
  for (const part of left) yield read(part);
}

/** One part of a list as a document. */
export function composePart(part: CST.BlockMap): Document {
  const token: CST.Document = { type: 'document', offset: part.offset, start: [], value: part };
  const [document] = new (loadYaml().Composer)().compose([token]);
  return document!;
}

interface TokenStep {
  readonly token: CST.Token;
  /** Whether no part of what was read so far can refer to another. */
  readonly alone: boolean;
  /** Whether it is what seems to be part of a list, and no longer in the document that is to come. */
  readonly isPart?: boolean;
}

function* tokens(text: string, lines: LineCounter, early: boolean): Generator<TokenStep | undefined> {
  const { Lexer, Parser, CST: Cst } = loadYaml();
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let words = 0;
  let alone = true;
  let scalar = false;
  for (const word of new Lexer().lex(text)) {
    const type: CST.TokenType | null = scalar ? 'scalar' : Cst.tokenType(word);
    // The word after this mark is text, whatever it looks like.
    scalar = !scalar && type === 'scalar';
    if (type === 'anchor' || type === 'alias' || type === 'directive-line') alone = false;
    for (const token of parser.next(word)) yield { token, alone };
    if (early && alone && type === 'seq-item-ind') {
      for (const part of takeEnded(parser.stack)) {
        yield { token: part, alone, isPart: true };
        words += WORDS_OF_PART;
      }
    }
    if (++words >= WORDS) {
      words = 0;
      yield undefined;
    }
  }
  for (const token of parser.end()) yield { token, alone };
}

/** Takes what has ended out of the list under `items` that the parser is at, if it is at one. */
function takeEnded([document, map, list]: readonly CST.Token[]): CST.BlockMap[] {
  if (document?.type !== 'document' || map?.type !== 'block-map' || list?.type !== 'block-seq') return [];
  if (keyOf(map.items.at(-1)!) !== 'items') return [];
  const ended: CST.BlockMap[] = [];
  // The last one has only begun: it has no value yet.
  while (isPlain(list.items[0]!)) ended.push(list.items.shift()!.value as CST.BlockMap);
  return ended;
}

const isPlain = ({ start, value }: CST.BlockSequence['items'][number]): boolean =>
  value?.type === 'block-map' && start.every(({ type }) => PLAIN.has(type));

/** The parts of a list of objects and the list without them; undefined for any other document. */
function partsOf(
  token: CST.Document,
): { readonly maps: readonly CST.BlockMap[]; readonly frame: CST.Document } | undefined {
  const { value } = token;
  if (value?.type !== 'block-map' || !isList(value)) return undefined;
  const at = value.items.findIndex((item) => keyOf(item) === 'items');
  const list = value.items[at]?.value;
  if (list?.type !== 'block-seq') return undefined;
  const maps: CST.BlockMap[] = [];
  for (const item of list.items) {
    if (!isPlain(item)) return undefined;
    maps.push(item.value as CST.BlockMap);
  }
  // A key may not begin long before its colon, which is told by where the value before it ends.
  const next = value.items[at + 1];
  const empty = { ...list, offset: next?.start[0]?.offset ?? next?.key?.offset ?? list.offset, items: [] };
  const items = value.items.map((item, i) => (i === at ? { ...item, value: empty } : item)) as CST.BlockMap['items'];
  return { maps, frame: { ...token, value: { ...value, items } } };
}

const isList = (map: CST.BlockMap): boolean =>
  map.items.some((item) => keyOf(item) === 'kind' && /List["']?$/.test(sourceOf(item.value)));

const keyOf = (item: CST.BlockMap['items'][number]): string => sourceOf(item.key);

const sourceOf = (token: CST.Token | null | undefined): string => (token && 'source' in token ? token.source : '');
