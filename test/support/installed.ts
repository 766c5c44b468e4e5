import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { globSync } from 'tinyglobby';
import { LocalRegistry } from './local-registry.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** What a fresh clone does not have, but for what was built of the sources. */
const NOT_CLONED = ['.git', 'node_modules', 'coverage'];
/** The last that a build writes. */
const BUILT = path.join(ROOT, 'dist/bin/main.cjs');

/** Whether what was built is younger than all that it is built from. */
function isBuilt(): boolean {
  const sources = globSync(['src/**', 'scripts/**', 'bin/**', '*.json'], { cwd: ROOT, absolute: true });
  const built = existsSync(BUILT) ? statSync(BUILT).mtimeMs : 0;
  return sources.every((file) => statSync(file).mtimeMs <= built);
}

/** What a command said, and whether it ended well. */
export interface Said {
  readonly code: number;
  /** Standard output and error together. */
  readonly text: string;
}

/**
 * An empty folder into which the package is installed as npm would from the registry: packed from a copy of the sources
 * as they are now, built where they are younger than what was, with its dependencies from the project's own
 * `node_modules`, without any network.
 */
export class Installed {
  private readonly parent = mkdtempSync(path.join(os.tmpdir(), 'nodens-installed-'));
  readonly folder = path.join(this.parent, 'user');
  readonly env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: path.join(this.parent, 'home'),
    npm_config_cache: path.join(this.parent, 'cache'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  };
  /** The command line of the installed program. */
  readonly program = [path.join(this.folder, 'node_modules/.bin/nodens')];

  async create(): Promise<void> {
    const clone = path.join(this.parent, 'clone');
    for (const place of [clone, this.folder, this.env.HOME!]) mkdirSync(place);
    const built = isBuilt();
    const left = built ? NOT_CLONED : [...NOT_CLONED, 'dist'];
    cpSync(ROOT, clone, {
      recursive: true,
      filter: (source) => !left.includes(path.relative(ROOT, source).split(path.sep)[0]!),
    });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(clone, 'node_modules'));
    const packing = ['pack', '--pack-destination', this.parent, ...(built ? ['--ignore-scripts'] : [])];
    const packed = await this.run('npm', packing, clone);
    const tarball = packed.text.match(/^nodens-\S+\.tgz$/m)?.[0];
    if (tarball === undefined) throw new Error(`npm pack gave no package:\n${packed.text}`);
    const registry = new LocalRegistry({ nodens: path.join(this.parent, tarball) });
    await registry.start();
    try {
      this.write('package.json', '{ "private": true, "type": "module" }\n');
      const { code, text } = await this.run('npm', ['install', '--registry', registry.url, 'nodens']);
      if (code !== 0) throw new Error(`npm install failed:\n${text}`);
    } finally {
      registry.stop();
    }
  }

  write(name: string, text: string): void {
    const file = path.join(this.folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** Runs a command to its end. */
  async run(command: string, args: readonly string[], cwd = this.folder): Promise<Said> {
    try {
      const { stdout, stderr } = await promisify(execFile)(command, args, { cwd, env: this.env });
      return { code: 0, text: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout?: string; stderr?: string };
      return { code, text: `${stdout ?? ''}${stderr ?? String(error)}` };
    }
  }

  /** TypeScript's compiler, which a user would have installed too. */
  tsc(...args: readonly string[]): Promise<Said> {
    return this.run(process.execPath, [path.join(ROOT, 'node_modules/@typescript/native/bin/tsc'), ...args]);
  }

  remove(): void {
    rmSync(this.parent, { recursive: true, force: true });
  }
}
