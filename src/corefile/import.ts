import { dirname, resolve } from 'node:path';
import { withArguments } from './args.js';
import type { Environment } from './environment.js';
import { expandEnvironment } from './environment.js';
import type { FaultList } from './fault-list.js';
import { tokenize } from './lexer.js';
import { suggestion } from './nearest.js';
import type { TokenStream } from './stream.js';
import type { Import, Token } from './token.js';
import { failAt, isCloseBrace, isOpenBrace } from './token.js';

/** The files a Corefile may import. */
export interface CorefileFiles {
  /**
   * Returns a file's text. Throws when it cannot be read; an error with code ENOENT means that there is no such file.
   */
  readFile(path: string): string;
  /**
   * Absolute paths of the files that match, sorted. `*` is any text and `?` any character, neither crosses a `/`; all
   * else is literal.
   */
  glob(pattern: string): string[];
  /** Where the Corefile's own relative name counts from. */
  readonly cwd: string;
}

/** As many as the reference allows (https://coredns.io/plugins/import). */
const MAX_IMPORTS = 10_000;

/** Carries out `import`, for files, patterns and snippets. */
export class Importer {
  /** Absolute paths of the files read, each once, in the order of reading. */
  readonly files = new Set<string>();
  readonly warnings: string[] = [];
  private readonly snippets = new Map<string, { readonly at: Token; readonly body: readonly Token[] }>();
  private readonly contents = new Map<string, readonly Token[]>();
  private count = 0;

  constructor(
    private readonly stream: TokenStream,
    private readonly env: Environment,
    private readonly host: CorefileFiles,
    private readonly faults: FaultList,
  ) {}

  define(name: string, at: Token, body: readonly Token[]): void {
    const first = this.snippets.get(name);
    if (first) failAt(at, `snippet '(${name})' is already defined at ${first.at.file}:${first.at.line}`);
    this.snippets.set(name, { at, body });
  }

  /**
   * Takes `import` and its arguments from the stream and puts in what they stand for. That there is nothing of that
   * name is a fault that what follows does not depend on; for any other it throws a CorefileError.
   */
  run(): void {
    const at = this.stream.next()!;
    const [pattern, ...args] = this.words(at);
    if (++this.count > MAX_IMPORTS) failAt(at, `import: more than ${MAX_IMPORTS} imports`);
    if (pattern === undefined)
      failAt(
        at,
        'import: got no argument, allowed: a file, a pattern with *, or the name of a snippet, then its arguments',
      );
    if (pattern.text === '')
      failAt(at, 'import: got an empty name, allowed: a file, a pattern with *, or the name of a snippet');
    const snippet = this.snippets.get(pattern.text);
    if (snippet) {
      const via = this.enter(at, `(${pattern.text})`);
      this.stream.insert(withArguments(snippet.body, args, via));
      return;
    }
    const tokens = this.paths(at, pattern.text).flatMap((path) => {
      const via = this.enter(at, path);
      const body = this.faults.attempt(() => this.read(at, path, pattern.text)) ?? [];
      // Without arguments a file is taken word for word, so that text meant for something else stays.
      return args.length > 0 ? withArguments(body, args, via) : body.map((token) => ({ ...token, via }));
    });
    this.stream.insert(tokens);
  }

  private words(at: Token): Token[] {
    const words: Token[] = [];
    for (let token = this.stream.peekSameLine(); token; token = this.stream.peekSameLine()) {
      if (isOpenBrace(token) || isCloseBrace(token))
        failAt(at, `import: unexpected '${token.text}': an import stands on a line of its own`);
      this.stream.next();
      words.push({ ...token, text: expandEnvironment(token.text, this.env, (text) => failAt(at, `import: ${text}`)) });
    }
    return words;
  }

  /** The import as a link of its chain. Refuses one that is already being carried out. */
  private enter(at: Token, source: string): Import {
    const chain: string[] = [];
    for (let via = at.via; via; via = via.at.via) {
      chain.unshift(via.source);
      if (via.source === source) failAt(at, `import: cycle: ${[...chain, source].join(' -> ')}`);
    }
    return { source, at };
  }

  private paths(at: Token, pattern: string): string[] {
    if (pattern.includes('\0')) failAt(at, 'import: a path cannot hold a NUL character');
    const path = resolve(this.home(at), pattern);
    const wildcards = path.match(/[*?]/g) ?? [];
    const brackets = path.includes('[') && path.includes(']');
    if (wildcards.length === 0 && !brackets) return [path];
    if (
      wildcards.filter((char) => char === '*').length > 1 ||
      wildcards.filter((char) => char === '?').length > 1 ||
      brackets
    ) {
      failAt(at, `import: got '${pattern}', allowed: at most one * and one ? in the whole path '${path}', and no [ ]`);
    }
    const found = this.host.glob(path);
    if (found.length === 0) this.warnings.push(`${at.file}:${at.line}: import: no file matches '${pattern}'`);
    return found;
  }

  private home(at: Token): string {
    return dirname(resolve(this.host.cwd, at.file));
  }

  private read(at: Token, path: string, pattern: string): readonly Token[] {
    const known = this.contents.get(path);
    if (known) return known;
    let text: string;
    try {
      text = this.host.readFile(path);
    } catch (error) {
      if (!isMissing(error))
        failAt(at, `import: cannot read '${path}': ${error instanceof Error ? error.message : String(error)}`);
      failAt(
        at,
        `import: no snippet named '${pattern}' is defined before this line, and there is no file ` +
          `'${path}'${suggestion(pattern, [...this.snippets.keys()])}`,
      );
    }
    this.files.add(path);
    const tokens = tokenize(text, path, path);
    this.contents.set(path, tokens);
    return tokens;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
