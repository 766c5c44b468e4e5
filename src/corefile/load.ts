import { digestOf } from './digest.js';
import type { Environment } from './environment.js';
import { FaultList } from './fault-list.js';
import { hostFiles } from './host-files.js';
import type { CorefileFiles } from './import.js';
import { Importer } from './import.js';
import { tokenize } from './lexer.js';
import { Parser } from './parser.js';
import type { ServerBlock } from './parser.js';
import type { PluginStatement } from './plugin-statement.js';
import { TokenStream } from './stream.js';

/** A Corefile's text under the name that errors show. Relative imports count from the name's folder. */
export interface CorefileSource {
  readonly name: string;
  readonly text: string;
}

/** What a Corefile may reach outside its own text. */
export interface LoadOptions extends CorefileFiles {
  readonly env: Environment;
  /** Names of the directives there are; any other is refused. Without it every name is taken. */
  readonly directives?: readonly string[];
}

/** A parsed Corefile, all imports and the environment applied. */
export interface Corefile {
  /** Empty when the text holds nothing but comments, snippets and imports of nothing. */
  readonly blocks: readonly ServerBlock[];
  /** Plugins to load, in the order of the Corefile. */
  readonly plugins: readonly PluginStatement[];
  /** Absolute paths of the imported files. */
  readonly files: readonly string[];
  /** `FILE:LINE: text` of what is allowed but looks wrong: import patterns that match no file. */
  readonly warnings: readonly string[];
  /**
   * SHA512 in hexadecimal; changes with the text, the environment it uses and the files it imports. Equal to
   * CoreDNS's for the same Corefile.
   */
  digest(): string;
}

/** A Corefile whose words are read, but which may name directives of plugins that are still to be loaded. */
export interface CorefileDraft {
  /** Plugins to load; those that stand before an error, where there is one. */
  readonly plugins: readonly PluginStatement[];
  /** Throws a CorefileError: all that is wrong with the text, and each directive that is none of `directives`. */
  finish(directives: readonly string[] | undefined): Corefile;
  /** The same with nothing thrown: what could be read, and what is wrong. */
  take(directives: readonly string[] | undefined): { readonly corefile: Corefile; readonly faults: FaultList };
}

/**
 * Parses a Corefile. Options left out allow nothing: no variables, no files. Throws a CorefileError for anything it
 * cannot use.
 */
export function parseCorefile(source: CorefileSource, options: Partial<LoadOptions> = {}): Corefile {
  return draftCorefile(source, options).finish(options.directives);
}

/** As `parseCorefile`, in two steps: no CorefileError is thrown before `finish`. */
export function draftCorefile(
  source: CorefileSource,
  options: Partial<Omit<LoadOptions, 'directives'>> = {},
): CorefileDraft {
  const env = options.env ?? {};
  const host: CorefileFiles = {
    cwd: options.cwd ?? '/',
    readFile: (path) => (options.readFile ? options.readFile(path) : noSuchFile(path)),
    glob: (pattern) => options.glob?.(pattern) ?? [],
  };
  const faults = new FaultList();
  const stream = new TokenStream(faults.attempt(() => tokenize(source.text, source.name, '')) ?? []);
  const importer = new Importer(stream, env, host, faults);
  const parser = new Parser(stream, importer, env, faults);
  faults.attempt(() => parser.run());
  const take: CorefileDraft['take'] = (directives) => {
    // An unknown directive may be the reason for what ended the parsing.
    if (directives !== undefined) parser.checkNames(directives);
    const corefile: Corefile = {
      blocks: parser.blocks,
      plugins: parser.plugins,
      files: [...importer.files],
      warnings: importer.warnings,
      digest: () => digestOf(parser.digestBlocks),
    };
    return { corefile, faults };
  };
  return {
    plugins: parser.plugins,
    take,
    finish(directives) {
      const { corefile } = take(directives);
      faults.throwAny();
      return corefile;
    },
  };
}

function noSuchFile(path: string): never {
  throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
}

/** Options for this machine's file system. `cwd` is an absolute path. */
export function hostLoadOptions(env: Environment, cwd: string): LoadOptions {
  return { env, ...hostFiles(cwd) };
}
