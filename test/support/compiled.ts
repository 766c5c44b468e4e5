import { execFileSync, execSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { globSync } from 'tinyglobby';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CACHE = path.join(ROOT, 'node_modules/.cache/nodens');
/** What was compiled from older sources goes after this time, in milliseconds. */
const KEPT = 3_600_000;
/** The page's sources: a browser's, put together by the build's own command. */
const PAGE = 'src/page/**';
const KERNEL_PROGRAM = path.join(ROOT, 'src/kernel/answers.bpf.o');
const BUNDLER = path.join(ROOT, 'scripts/bundle.mjs');
const LAUNCHER = path.join(ROOT, 'bin');

/**
 * The program's main file, bundled with the page from the sources as they are now: threads of the program cannot be
 * loaded from TypeScript, and `dist` may be older. Beside its folder, `bin`, lie the modules one by one.
 * Compiled once for each state of the sources, without a look at types.
 */
export function compiledProgram(): string {
  const sources = globSync('src/**/*.ts', { cwd: ROOT, ignore: PAGE }).sort();
  const hash = createHash('sha256').update(readFileSync(BUNDLER)).update(readFileSync(KERNEL_PROGRAM));
  for (const file of [...sources, ...globSync([PAGE, 'bin/*'], { cwd: ROOT }).sort()])
    hash.update(`${file}\0`).update(readFileSync(path.join(ROOT, file)));
  const dir = path.join(CACHE, hash.digest('hex').slice(0, 16));
  if (!existsSync(dir)) compile(sources, dir);
  return path.join(dir, 'dist/bin/main.cjs');
}

/** What users start: it loads the program's main file. */
export const compiledLauncher = (): string => path.join(path.dirname(compiledProgram()), '../../bin/nodens');

function compile(sources: readonly string[], dir: string): void {
  mkdirSync(CACHE, { recursive: true });
  for (const old of readdirSync(CACHE).map((name) => path.join(CACHE, name)))
    // Another test may have taken it away meanwhile.
    if (Date.now() - (statSync(old, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > KEPT)
      rmSync(old, { recursive: true, force: true });
  const fresh = mkdtempSync(path.join(CACHE, 'fresh-'));
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: [...sources],
    outbase: 'src',
    outdir: path.join(fresh, 'dist'),
    target: 'es2023',
    format: 'esm',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  copyFileSync(path.join(ROOT, 'package.json'), path.join(fresh, 'package.json'));
  mkdirSync(path.join(fresh, 'bin'));
  for (const file of readdirSync(LAUNCHER)) copyFileSync(path.join(LAUNCHER, file), path.join(fresh, 'bin', file));
  for (const folder of ['lab', 'corefiles']) symlinkSync(path.join(ROOT, folder), path.join(fresh, folder));
  execFileSync(process.execPath, [BUNDLER, path.join(fresh, 'dist/bin')]);
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<'build:page', string>;
  };
  execSync(scripts['build:page'].replace('--outdir=dist/page', `--outdir=${fresh}/dist/page`), {
    cwd: ROOT,
    env: { ...process.env, PATH: `${path.join(ROOT, 'node_modules/.bin')}:${process.env.PATH}` },
  });
  try {
    renameSync(fresh, dir);
  } catch {
    // Another test was faster with the same.
    rmSync(fresh, { recursive: true, force: true });
  }
}
