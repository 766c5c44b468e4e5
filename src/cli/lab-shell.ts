import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import { realClock } from '../lib/clock.js';
import { Lab } from '../lab/lab.js';
import { loadTopology } from '../lab/load.js';
import { Session } from '../lab/session/session.js';
import { ControlClient } from './lab-control.js';
import { NoSuchLabError, findLab } from './lab-sockets.js';
import { stopNow, wordsOf } from './lab-up.js';

/** A lab that lines are typed into: the running one, or one of this process. */
interface Partner {
  readonly open: boolean;
  words(): Promise<readonly string[]>;
  run(line: string, write: (text: string) => void): Promise<number>;
  interrupt(): void;
  end(): Promise<void>;
}

const HISTORY = 500;

/** `nodens lab shell`: a prompt with history and completion. Resolves with the exit code of the last line. */
export async function shell(env: Readonly<Record<string, string | undefined>>, port: number | undefined): Promise<number> {
  const partner = (await remote(env, port)) ?? (await local());
  const words = await partner.words();
  const input = createInterface({
    input: process.stdin, output: process.stdout, prompt: process.stdin.isTTY ? 'lab$ ' : '', terminal: process.stdin.isTTY, historySize: HISTORY, removeHistoryDuplicates: true,
    completer: (line: string): [string[], string] => complete(line, words),
  });
  let code = 0;
  let busy = false;
  input.on('SIGINT', () => {
    if (busy) partner.interrupt();
    else {
      // As a shell does: the line is given up, the prompt comes again.
      process.stdout.write('\n');
      clearLine(input);
      input.prompt();
    }
  });
  input.prompt();
  for await (const line of input) {
    if (['exit', 'quit'].includes(line.trim())) break;
    busy = true;
    code = await partner.run(line, (text) => process.stdout.write(text));
    busy = false;
    if (!partner.open) {
      process.stdout.write('the lab has ended\n');
      break;
    }
    input.prompt();
  }
  input.close();
  await partner.end();
  return code;
}

/** Candidates for the word before the cursor. */
export function complete(line: string, words: readonly string[]): [string[], string] {
  const start = /\S*$/.exec(line)![0];
  return [words.filter((word) => word.startsWith(start)), start];
}

/** Empties the line that is being typed. */
function clearLine(input: Interface): void {
  input.write(null, { ctrl: true, name: 'e' });
  input.write(null, { ctrl: true, name: 'u' });
}

/** undefined where no lab runs at all, and none was asked for. */
async function remote(env: Readonly<Record<string, string | undefined>>, port: number | undefined): Promise<Partner | undefined> {
  let file: string;
  try {
    file = await findLab(env, port);
  } catch (error) {
    if (!(error instanceof NoSuchLabError) || error.running || port !== undefined) throw error;
    return undefined;
  }
  const client = await ControlClient.connect(file);
  return {
    get open() {
      return client.open;
    },
    words: async () => {
      let text = '';
      await client.ask({ ask: 'words' }, (part) => (text += part));
      return JSON.parse(text) as string[];
    },
    run: (line, write) => client.ask({ ask: 'run', line, cwd: process.cwd() }, write),
    interrupt: () => client.interrupt(),
    end: async () => client.close(),
  };
}

async function local(): Promise<Partner> {
  process.stdout.write('no lab is running: this one is your own, and ends with the prompt\n');
  const lab = await Lab.create(loadTopology('two-nodes'), { clock: realClock });
  const session = new Session(lab, { read: (file) => readFileSync(path.resolve(file), 'utf8') });
  let running = new AbortController();
  return {
    open: true,
    words: async () => wordsOf(lab),
    run: (line, write) => {
      running = new AbortController();
      return session.run(line, { write, signal: running.signal });
    },
    interrupt: () => running.abort(),
    end: async () => {
      await session.close();
      await stopNow(lab);
    },
  };
}
