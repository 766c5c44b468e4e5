import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { suggestion, type PluginStatement } from '../corefile/index.js';
import type { Logger } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';
import { whatIsWrong } from './check-plugin.js';
import type { Plugin } from './contract.js';
import { wordsOf } from './faults.js';
import { nodeImport } from './node-import.js';
import { PluginError } from './plugin-error.js';
import { integrityOf, packageFile, readTree, treeHash, type PluginTree } from './plugin-files.js';

/** A module that waits for something at its top level has so long. */
const LOAD_TIME: Milliseconds = 10_000;
/** Node keeps every version of a module until the process ends: said after so many. */
const MANY_VERSIONS = 50;

/** A plugin with the statement that asked for it. */
export interface LoadedPlugin {
  readonly plugin: Plugin;
  readonly statement: PluginStatement;
  /** Its main file and what that imports locally; none for one that was handed in as an object. */
  readonly files: readonly string[];
}

/**
 * Local imports of a plugin's file are made anew with it: a module's address gets the mark of the one that imports it.
 * Runs in a thread of Node's for such hooks, which is only started for a plugin of several files.
 */
const HOOKS = `export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  const mark = /[?&](nodens=[^&]+)/.exec(context.parentURL ?? '');
  const local = mark && /^\\.\\.?\\//.test(specifier) && found.url.startsWith('file:') && !found.url.includes('?');
  return local ? { ...found, url: found.url + '?' + mark[1] } : found;
}`;
let hooked = false;

/** Of this process: how many versions of plugins it has loaded, and which failed when they ran. */
const versions = new Set<string>();
const failures = new Map<string, number>();

/** Finds plugins and runs their modules. Nothing is ever fetched. */
export class PluginLoader {
  /** @param cwd where relative names count from that stand on a command line, and in a Corefile without a file */
  constructor(
    private readonly cwd: string,
    private readonly log: Logger,
  ) {}

  /** Changes with the statements, with the files that they mean, and with what those import from their own tree. */
  digest(statements: readonly PluginStatement[]): string {
    return statements
      .map((statement) => {
        const { source, position, integrity } = statement;
        let hash: string;
        try {
          hash = treeHash(readTree(this.find(statement)));
        } catch {
          hash = 'none';
        }
        return JSON.stringify([source, position, integrity, hash]);
      })
      .join('\n');
  }

  /** Loads what a statement asks for. Rejects with a PluginError that says what was expected. */
  async load(statement: PluginStatement): Promise<LoadedPlugin> {
    const fail = (text: string, cause?: unknown): never => {
      throw new PluginError(statement, text, cause);
    };
    const file = this.find(statement);
    const tree = readable(file, fail);
    const got = integrityOf(tree.get(file)!);
    if (statement.integrity !== undefined && got !== statement.integrity)
      fail(`the file's hash is ${got}, expected: ${statement.integrity}`);
    if (/\.[cm]?ts$/.test(file) && !stripsTypes())
      fail(
        `this Node (${process.versions.node}) does not run TypeScript: take 22.18 or newer, ` +
          `or compile it and name the .js file: npx tsc --module nodenext --target es2023 ${path.basename(file)}`,
      );
    const hash = treeHash(tree);
    const exported = await this.run(file, tree, hash, fail);
    // What was checked has to be what was run.
    if (treeHash(readable(file, fail)) !== hash) fail('the file was changed while it was loaded; try again');
    const wrong = whatIsWrong(exported);
    if (wrong !== undefined) fail(wrong);
    return { plugin: exported as Plugin, statement, files: [...tree.keys()] };
  }

  /** The file that a statement means, links followed. Throws a PluginError where there is none. */
  private find(statement: PluginStatement): string {
    const { source, from } = statement;
    const folder = from === '' ? this.cwd : path.dirname(path.resolve(this.cwd, from));
    if (/^\.\.?\/|^\//.test(source)) {
      const file = path.resolve(folder, source);
      try {
        return realpathSync(file);
      } catch {
        throw new PluginError(statement, `there is no file ${file}`);
      }
    }
    if (/^[a-z][a-z0-9+.-]*:/i.test(source))
      throw new PluginError(
        statement,
        'expected a file (./NAME.js) or the name of an installed package; nothing is fetched',
      );
    const found = packageFile(source, folder);
    if (found !== undefined) return found;
    const hint = /\.[cm]?[jt]s$/.test(source) ? `; a file is written ./${source}` : '';
    throw new PluginError(statement, `there is no such package in a node_modules above ${folder}${hint}`);
  }

  private async run(
    file: string,
    tree: PluginTree,
    hash: string,
    fail: (text: string, cause?: unknown) => never,
  ): Promise<unknown> {
    if (tree.size > 1 && !hooked) {
      register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);
      hooked = true;
    }
    // Modules of the older kind are kept by their name.
    const { cache } = createRequire(import.meta.url);
    for (const name of tree.keys()) delete cache[name];
    this.countVersion(hash, file);
    const attempt = failures.get(hash) ?? 0;
    const url = `${pathToFileURL(file).href}?nodens=${hash}${attempt === 0 ? '' : `-${attempt}`}`;
    try {
      const module = (await inTime(nodeImport(url))) as { default?: unknown };
      return module.default;
    } catch (error) {
      failures.set(hash, attempt + 1);
      return fail(await explain(error, file), error);
    }
  }

  private countVersion(hash: string, file: string): void {
    versions.add(hash);
    if (versions.size % MANY_VERSIONS === 0)
      this.log.warning(
        `${versions.size} versions of plugins have been loaded, ${file} last; ` +
          `Node keeps them all until the process ends: SIGUSR2 starts a new one without losing a query`,
      );
  }
}

function readable(file: string, fail: (text: string, cause?: unknown) => never): PluginTree {
  try {
    return readTree(file);
  } catch (error) {
    return fail(`it cannot be read: ${(error as Error).message}`, error);
  }
}

/** Whether this Node runs TypeScript by leaving the types out. */
const stripsTypes = (): boolean => Boolean((process.features as { typescript?: unknown }).typescript);

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`its top level was not done within ${LOAD_TIME / 1000} s`)),
      LOAD_TIME,
    );
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** What went wrong, in one line; where in the file, if Node says so. */
async function explain(error: unknown, file: string): Promise<string> {
  const words = wordsOf(error).split('\n')[0]!;
  if (error instanceof SyntaxError) return `${words}${await placeOfSyntaxError(file)}`;
  if (/Cannot find package 'nodens'/.test(words))
    return `${words}; a plugin need not import anything, or install the package beside it (docs/PLUGINS.md, In TypeScript)`;
  const missing = /Cannot find package '([^']+)'/.exec(words)?.[1];
  if (missing !== undefined) return `${words}; install it beside the plugin${suggestion(missing, ['nodens'])}`;
  const place = placeIn(error instanceof Error ? (error.stack ?? '') : '', file);
  return `${words}${place}`;
}

/** ` (at FILE:LINE)`, from a stack. */
function placeIn(stack: string, file: string): string {
  const at = stack.indexOf(file);
  const line = at < 0 ? undefined : /^(?:\?[^:]*)?:(\d+)/.exec(stack.slice(at + file.length))?.[1];
  return line === undefined ? '' : ` (at ${path.basename(file)}:${line})`;
}

/** Node tells the place of a syntax error in a module only on a command line. */
const placeOfSyntaxError = (file: string): Promise<string> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['--check', file], { timeout: 5000 }, (_error, _stdout, stderr) =>
      resolve(placeIn(stderr, file)),
    );
  });
