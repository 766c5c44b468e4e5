import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { compiledProgram } from './compiled.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** A command that was started and goes on. */
export interface Started {
  readonly child: ChildProcess;
  /** Resolves when the output matches; rejects with all of it when that takes too long. */
  readonly said: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** What it has printed so far, standard output and error together. */
  text(): string;
}

/**
 * The package as a clone has it after `npm ci`, compiled from the sources as they are now; a home and a folder for
 * temporary files of its own, and no network.
 */
export class Checkout {
  private readonly parent = mkdtempSync(path.join(os.tmpdir(), 'nodens-checkout-'));
  readonly folder = path.join(this.parent, 'clone');
  readonly temporary = path.join(this.parent, 'tmp');
  readonly env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: path.join(this.parent, 'home'),
    TMPDIR: this.temporary,
    // npm keeps what V8 made of it there too, with newer Nodes.
    NODE_DISABLE_COMPILE_CACHE: '1',
    npm_config_cache: path.join(this.parent, 'npm'),
    npm_config_update_notifier: 'false',
    npm_config_offline: 'true',
  };

  constructor(private readonly parts: readonly string[] = ['package.json', 'bin', 'lab', 'corefiles']) {}

  create(): void {
    for (const place of [this.folder, this.temporary, this.env.HOME!]) mkdirSync(place, { recursive: true });
    for (const part of this.parts) cpSync(path.join(ROOT, part), path.join(this.folder, part), { recursive: true });
    cpSync(path.join(path.dirname(compiledProgram()), '..'), path.join(this.folder, 'dist'), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(this.folder, 'node_modules'));
  }

  remove(): void {
    rmSync(this.parent, { recursive: true, force: true });
  }

  /** Starts a command in a process group of its own, as a terminal does. */
  start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
    const child = spawn(program, args, {
      cwd: this.folder,
      env: { ...this.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return {
      child,
      text: () => text,
      said: async (pattern) => {
        for (const deadline = performance.now() + 15_000; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
          const found = pattern.exec(text);
          if (found) return found;
          if (performance.now() > deadline) throw new Error(`waited for ${pattern}, got:\n${text}`);
        }
      },
    };
  }

  /** Runs a line of shell to its end and returns its output. Throws when its exit code is not 0. */
  type(line: string, input = ''): string {
    return execFileSync('sh', ['-c', line], { cwd: this.folder, env: this.env, input, encoding: 'utf8' });
  }
}

/**
 * What Ctrl-C in a terminal does: the signal goes to each process of the group. Resolves when the first of them has
 * ended.
 */
export async function interrupt({ child }: Started): Promise<void> {
  const closed = once(child, 'close');
  process.kill(-child.pid!, 'SIGINT');
  await closed;
}

/** Whether any process of the group is left. */
export function isAlive({ child }: Started): boolean {
  try {
    process.kill(-child.pid!, 0);
    return true;
  } catch {
    return false;
  }
}

/** Ends what is left of them, in whatever state it is. */
export function kill(...all: readonly (Started | undefined)[]): void {
  for (const one of all) if (one && isAlive(one)) process.kill(-one.child.pid!, 'SIGKILL');
}
