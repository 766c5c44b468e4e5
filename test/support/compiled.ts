import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { globSync } from 'tinyglobby';
import ts from 'typescript';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CACHE = path.join(ROOT, 'node_modules/.cache/nodens');
/** What was compiled from older sources goes after this time, in milliseconds. */
const KEPT = 3_600_000;

/**
 * The program's main module, compiled from the sources as they are now: threads of the program cannot be loaded from TypeScript, and `dist` may be older.
 * Compiled once for each state of the sources, without a look at types.
 */
export function compiledProgram(): string {
  const sources = globSync('src/**/*.ts', { cwd: ROOT }).sort().map((file) => ({ file, text: readFileSync(path.join(ROOT, file), 'utf8') }));
  const hash = createHash('sha256');
  for (const { file, text } of sources) hash.update(`${file}\0${text}\0`);
  const dir = path.join(CACHE, hash.digest('hex').slice(0, 16));
  if (!existsSync(dir)) compile(sources, dir);
  return path.join(dir, 'dist/cli/main.js');
}

function compile(sources: readonly { file: string; text: string }[], dir: string): void {
  mkdirSync(CACHE, { recursive: true });
  for (const old of readdirSync(CACHE).map((name) => path.join(CACHE, name))) if (Date.now() - statSync(old).mtimeMs > KEPT) rmSync(old, { recursive: true, force: true });
  const fresh = mkdtempSync(path.join(CACHE, 'fresh-'));
  for (const { file, text } of sources) {
    const target = path.join(fresh, file.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js'));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true } }).outputText);
  }
  copyFileSync(path.join(ROOT, 'package.json'), path.join(fresh, 'package.json'));
  try {
    renameSync(fresh, dir);
  } catch {
    // Another test was faster with the same.
    rmSync(fresh, { recursive: true, force: true });
  }
}
