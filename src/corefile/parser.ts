import { parseServerKey } from './address.js';
import type { ServerKey } from './address.js';
import { Directive, Option } from './directive.js';
import type { DigestBlock, DigestToken } from './digest.js';
import type { EntryParts } from './entry.js';
import type { Environment } from './environment.js';
import { expandEnvironment } from './environment.js';
import type { FaultList } from './fault-list.js';
import type { Importer } from './import.js';
import { parsePluginStatement } from './plugin-statement.js';
import type { PluginStatement } from './plugin-statement.js';
import { aboutAbsent } from './absent.js';
import { suggestion } from './nearest.js';
import type { TokenStream } from './stream.js';
import type { Token } from './token.js';
import { failAt, isCloseBrace, isImport, isOpenBrace, startsLine } from './token.js';

/** One server block: what it serves, and how. */
export interface ServerBlock {
  readonly keys: readonly ServerKey[];
  /** In the order of the Corefile; empty for a block without directives. */
  readonly directives: readonly Directive[];
  readonly file: string;
  /** Line of the first key. */
  readonly line: number;
}

/** Blocks inside blocks inside a directive; no plugin needs more than two. */
const MAX_DEPTH = 16;

interface BlockHeader {
  readonly keys: readonly { readonly token: Token; readonly text: string }[];
  /** The brace that opens the block; undefined when the block has none and goes to the end of the file. */
  readonly open: Token | undefined;
  /** There was nothing but imports that brought nothing. */
  readonly empty: boolean;
}

/** Turns words into server blocks. */
export class Parser {
  readonly blocks: ServerBlock[] = [];
  /** Statements outside server blocks that load plugins. */
  readonly plugins: PluginStatement[] = [];
  readonly digestBlocks: DigestBlock[] = [];
  private recorded = new Map<string, DigestToken[]>();
  private current: DigestToken[] = [];
  /** All directives as they were met, for a look at their names once all plugins are known. */
  private readonly met: { readonly token: Token; readonly name: string; readonly open: Token | undefined }[] = [];

  constructor(
    private readonly stream: TokenStream,
    private readonly importer: Importer,
    private readonly env: Environment,
    private readonly faults: FaultList,
  ) {}

  /**
   * Reads to the end, or to where it cannot tell any more what is meant: throws a CorefileError then. Other faults are
   * gathered.
   */
  run(): void {
    for (let first = this.stream.peek(); first; first = this.stream.peek()) this.block(first);
  }

  /** Gathers the directives that are none of `known`. */
  checkNames(known: readonly string[]): void {
    const names = new Set(known);
    const unknown = this.met.filter(({ name }) => !names.has(name));
    unknown.forEach(({ token, name, open }, i) =>
      this.faults.attempt(() => failUnknown(token, name, open, known, i > 0)),
    );
  }

  private block(first: Token): void {
    const { keys, open, empty } = this.header();
    if (empty) return;
    const only = keys.length === 1 ? keys[0] : undefined;
    if (only && /^\(.*\)$/s.test(only.text)) {
      this.importer.define(only.text.slice(1, -1), only.token, this.snippetBody(only.token, open));
      return;
    }
    const [word] = keys;
    if (word?.text === 'plugin' && !word.token.quoted && keys.length > 1 && !open) {
      this.plugins.push(parsePluginStatement(word.token, keys.slice(1)));
      return;
    }
    const place = keys[0]?.token ?? open ?? first;
    if (keys.length === 0) failAt(place, `got a server block without a key, allowed: at least one zone, such as '. {'`);
    this.recorded = new Map();
    // What stands for a key that is at fault is never served.
    const serverKeys = keys.flatMap(
      ({ token, text }) => this.faults.attempt(() => parseServerKey(token, text)) ?? parseServerKey(token, '.'),
    );
    const directives = this.directives(open, keys.map(({ text }) => text).join(' '));
    this.blocks.push({ keys: serverKeys, directives, file: place.file, line: place.line });
    this.digestBlocks.push({ keys: keys.map(({ text }) => text), tokens: this.recorded });
  }

  /** Keys up to the opening brace, or to the end of their line; after a comma they go on in the next one. */
  private header(): BlockHeader {
    const keys: { token: Token; text: string }[] = [];
    let started = false;
    let comma: Token | undefined;
    for (let token = this.stream.peek(); token; token = this.stream.peek()) {
      if (isOpenBrace(token)) {
        if (comma) failAt(comma, `got '{' after a comma, allowed: another key`);
        this.stream.next();
        return { keys, open: token, empty: false };
      }
      const newLine = startsLine(token, this.stream.previous);
      if (started && !comma && newLine) return { keys, open: undefined, empty: false };
      if (isImport(token) && (newLine || !started)) {
        this.importer.run();
        continue;
      }
      if (isCloseBrace(token)) failAt(token, `unexpected '}': no block is open here`);
      this.stream.next();
      started = true;
      const text = this.expand(token);
      comma = text.endsWith(',') ? token : undefined;
      const key = comma ? text.slice(0, -1) : text;
      if (comma && key === '') failAt(token, `got a comma alone, allowed: KEY, KEY with the comma at the end of a key`);
      if (key !== '') keys.push({ token, text: key });
    }
    if (comma) failAt(comma, 'got the end of the file after a comma, allowed: another key');
    return { keys, open: undefined, empty: !started };
  }

  /** The words of a snippet up to its closing brace, imports and environment not yet applied. */
  private snippetBody(name: Token, open: Token | undefined): Token[] {
    if (!open) failAt(name, `snippet '${name.text}' has no block, allowed: ${name.text} { ... }`);
    const body: Token[] = [];
    let depth = 1;
    for (let token = this.stream.next(); token; token = this.stream.next()) {
      if (isOpenBrace(token)) depth++;
      if (isCloseBrace(token) && --depth === 0) return body;
      body.push(token);
    }
    return this.unclosed(open, `snippet '${name.text}'`);
  }

  /** The directives of a server block, to its closing brace or, for a block without braces, to the end. */
  private directives(open: Token | undefined, key: string): Directive[] {
    const directives: Directive[] = [];
    for (let token = this.stream.peek(); token; token = this.stream.peek()) {
      if (isCloseBrace(token)) {
        if (!open) failAt(token, `unexpected '}': no block is open here`);
        this.stream.next();
        return directives;
      }
      if (isImport(token)) this.importer.run();
      else directives.push(this.directive(token, open));
    }
    return open ? this.unclosed(open, `server block '${key}'`) : directives;
  }

  private directive(token: Token, open: Token | undefined): Directive {
    if (isOpenBrace(token)) failAt(token, `unexpected '{': a directive's block opens on the directive's own line`);
    this.stream.next();
    const name = this.expand(token);
    if (name.startsWith('('))
      failAt(token, `got snippet '${name}' inside a server block, allowed: directives; snippets are defined outside`);
    this.met.push({ token, name, open });
    this.current = this.recorded.get(name) ?? [];
    this.recorded.set(name, this.current);
    // The digest keeps a directive's name as it is written.
    this.record(token, token.text);
    const { args, options } = this.rest(token, [name]);
    return new Directive(this.parts(token, name, args), options);
  }

  /**
   * Arguments to the end of the line, and the block if one opens there. `names` are the directive and options around,
   * with this one.
   */
  private rest(owner: Token, names: readonly string[]): { args: string[]; options: Option[] | undefined } {
    const args: string[] = [];
    for (let token = this.stream.peekSameLine(); token; token = this.stream.peekSameLine()) {
      if (isCloseBrace(token)) {
        if (names.length > 1) break;
        failAt(token, `${names[0]}: unexpected '}': the '}' of a server block stands on a line of its own`);
      }
      this.stream.next();
      const text = this.expand(token);
      this.record(token, text);
      if (isOpenBrace(token)) return { args, options: this.options(owner, token, names) };
      args.push(text);
    }
    return { args, options: undefined };
  }

  private options(owner: Token, open: Token, names: readonly string[]): Option[] {
    if (names.length > MAX_DEPTH) failAt(open, `${names[0]}: got more than ${MAX_DEPTH} blocks inside each other`);
    const options: Option[] = [];
    for (let token = this.stream.peek(); token; token = this.stream.peek()) {
      if (isImport(token)) {
        this.importer.run();
        continue;
      }
      if (isOpenBrace(token))
        failAt(token, `${names.join(': ')}: unexpected '{': an option's block opens on the option's own line`);
      this.stream.next();
      const text = this.expand(token);
      this.record(token, text);
      if (isCloseBrace(token)) {
        this.endOfBlock(names);
        return options;
      }
      const { args, options: nested } = this.rest(token, [...names, text]);
      options.push(new Option(this.parts(token, text, args), names, nested));
    }
    return this.unclosed(open, `the block of '${owner.text}'`);
  }

  private endOfBlock(names: readonly string[]): void {
    const token = this.stream.peekSameLine();
    if (token && !(isCloseBrace(token) && names.length > 1))
      failAt(token, `${names.join(': ')}: unexpected '${token.text}' after '}', allowed: the end of the line`);
  }

  private unclosed(open: Token, what: string): never {
    return failAt(
      this.stream.previous ?? open,
      `${what}: expected the '}' for the '{' opened at ${open.file}:${open.line}, got the end of the file`,
    );
  }

  private parts(token: Token, name: string, args: readonly string[]): EntryParts {
    return { name, args, file: token.file, line: token.line };
  }

  private expand(token: Token): string {
    return expandEnvironment(token.text, this.env, (text) => failAt(token, text));
  }

  private record(token: Token, text: string): void {
    this.current.push({ path: token.path, line: token.line, text });
  }
}

/** @param again whether the list of what is known was told before */
function failUnknown(
  token: Token,
  name: string,
  open: Token | undefined,
  known: readonly string[],
  again: boolean,
): never {
  const absent = aboutAbsent(name);
  const list = again ? 'those above' : known.join(', ');
  if (absent !== undefined) return failAt(token, `${absent}; allowed: ${list}`);
  // A name with a dot or a colon is more likely the next server block's key.
  const missing =
    open && /[.:]/.test(name) ? `; is the '}' of the server block opened at ${open.file}:${open.line} missing?` : '';
  return failAt(token, `unknown directive '${name}'; allowed: ${list}${missing || suggestion(name, known)}`);
}
