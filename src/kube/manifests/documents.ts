import type { CST, Document, LineCounter } from 'yaml';
import { loadYaml } from '../yaml.js';

/** Words read at a time: about a millisecond's work. */
const WORDS = 2000;
/** What a part of a list may follow on its line: nothing that says more of it. */
const PLAIN: ReadonlySet<string> = new Set(['seq-item-ind', 'space', 'comment', 'newline']);

/** A document of a YAML text; of a list of objects, such as kubectl writes, without its parts. */
export interface YamlDocument {
  readonly document: Document.Parsed;
  /** Each to be composed by itself when its turn comes; undefined where the document holds all. */
  readonly parts: readonly CST.BlockMap[] | undefined;
}

/**
 * The documents of a text, in order, and undefined now and then, where others may have their turn: of a list, which is
 * one document whatever its length, each part is a step of its own.
 */
export function* yamlDocuments(text: string, lines: LineCounter): Generator<YamlDocument | undefined> {
  const composer = new (loadYaml().Composer)();
  const waiting: (readonly CST.BlockMap[] | undefined)[] = [];
  const known = function* (documents: Iterable<Document.Parsed>): Generator<YamlDocument> {
    for (const document of documents) yield { document, parts: waiting.shift() };
  };
  for (const step of tokens(text, lines)) {
    if (step === undefined) {
      yield undefined;
      continue;
    }
    const { token, alone } = step;
    const parts = token.type === 'document' && alone ? partsOf(token) : undefined;
    if (token.type === 'document') waiting.push(parts?.maps);
    yield* known(composer.next(parts?.frame ?? token));
  }
  yield* known(composer.end(false, text.length));
}

/** One part of a list as a document. */
export function composePart(part: CST.BlockMap, end: number): Document {
  const token: CST.Document = { type: 'document', offset: part.offset, start: [], value: part };
  const [document] = new (loadYaml().Composer)().compose([token], true, end);
  return document!;
}

interface TokenStep {
  readonly token: CST.Token;
  /** Whether no part of what was read so far can refer to another. */
  readonly alone: boolean;
}

function* tokens(text: string, lines: LineCounter): Generator<TokenStep | undefined> {
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
    if (++words % WORDS === 0) yield undefined;
  }
  for (const token of parser.end()) yield { token, alone };
}

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
  for (const { start, key, sep, value: part } of list.items) {
    if (key || sep || part?.type !== 'block-map' || !start.every(({ type }) => PLAIN.has(type))) return undefined;
    maps.push(part);
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
