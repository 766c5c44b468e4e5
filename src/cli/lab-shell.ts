import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import { realClock } from '../lib/clock.js';
import { Lab } from '../lab/lab.js';
import { loadTopology } from '../lab/topology/load.js';
import { completions } from '../lab/commands/completion.js';
import type { Completions } from '../lab/commands/completion.js';
import { COMMANDS } from '../lab/commands/index.js';
import { Session } from '../lab/session/session.js';
import { wantsMore } from '../lab/shell/parse.js';
import type { Environment } from '../corefile/environment.js';
import { ControlClient } from './lab-control.js';
import type { Edit } from './lab-control.js';
import { canEdit, editOnTerminal } from './lab-edit.js';
import { HISTORY, historyFile, readHistory, writeHistory } from './lab-history.js';
import { NoSuchLabError, findLab } from './lab-sockets.js';
import { stopNow } from './lab-up.js';

/** A lab that lines are typed into: the running one, or one of this process. */
interface LabConnection {
  readonly open: boolean;
  readonly prompt: string;
  complete(line: string): Promise<Completions>;
  run(line: string, write: (text: string) => void, edit: Edit | undefined): Promise<number>;
  interrupt(): void;
  end(): Promise<void>;
}

/** The prompt of a line that goes on. */
const MORE = '> ';

/** `nodens lab shell`: a prompt with history and completion. Resolves with the exit code of the last line. */
export async function shell(env: Environment, port: number | undefined): Promise<number> {
  const partner = (await remote(env, port)) ?? (await local());
  const terminal = process.stdin.isTTY;
  const file = historyFile(env, terminal);
  const input = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal,
    historySize: HISTORY,
    history: readHistory(file),
    removeHistoryDuplicates: true,
    completer: (line: string, done: (error: null, result: [string[], string]) => void) =>
      void partner.complete(line).then(
        (found) => done(null, candidates(found)),
        () => done(null, [[], '']),
      ),
  });
  input.on('history', (lines: string[]) => writeHistory(file, lines));
  const edit: Edit | undefined = canEdit(env)
    ? async (text, ending) => {
        // The editor has the terminal for itself.
        input.pause();
        try {
          return await editOnTerminal(env, text, ending);
        } finally {
          input.resume();
        }
      }
    : undefined;
  const code = await lines(input, partner, terminal, edit);
  input.close();
  await partner.end();
  return code;
}

async function lines(
  input: Interface,
  partner: LabConnection,
  terminal: boolean,
  edit: Edit | undefined,
): Promise<number> {
  let code = 0;
  let busy = false;
  let typed = '';
  // Input that ended is read to its end all the same: lines are kept for who asks for them.
  let ended = false;
  input.once('close', () => (ended = true));
  const prompt = (): void => {
    if (ended) return;
    input.setPrompt(!terminal ? '' : typed === '' ? partner.prompt : MORE);
    input.prompt();
  };
  input.on('SIGINT', () => {
    if (busy) return partner.interrupt();
    // As a shell does: the line is given up, the prompt comes again.
    process.stdout.write('\n');
    typed = '';
    clearLine(input);
    prompt();
  });
  prompt();
  for await (const line of input) {
    typed = typed === '' ? line : `${typed}\n${line}`;
    const leaves = ['exit', 'quit', 'logout'].includes(typed.trim()) && partner.prompt.endsWith('$ ');
    if (leaves) break;
    if (!wantsMore(typed)) {
      busy = true;
      const whole = typed;
      typed = '';
      code = await partner.run(whole, (text) => process.stdout.write(text), edit);
      busy = false;
      if (!partner.open) {
        process.stdout.write('the lab has ended\n');
        break;
      }
    }
    prompt();
  }
  // What was begun and not ended is told, as a script would be.
  if (typed !== '' && wantsMore(typed))
    code = await partner.run(typed, (text) => process.stdout.write(text), undefined);
  return code;
}

/** For readline: the only candidate brings the blank after it along, unless it goes on. */
const candidates = ({ words, start }: Completions): [string[], string] => [
  words.length === 1 && !/[=/]$/.test(words[0]!) ? [`${words[0]!} `] : [...words],
  start,
];

/** Empties the line that is being typed. */
function clearLine(input: Interface): void {
  input.write(null, { ctrl: true, name: 'e' });
  input.write(null, { ctrl: true, name: 'u' });
}

/** undefined where no lab runs at all, and none was asked for. */
async function remote(env: Environment, port: number | undefined): Promise<LabConnection | undefined> {
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
    get prompt() {
      return client.prompt;
    },
    complete: async (line) => {
      let text = '';
      await client.ask({ ask: 'complete', line }, (part) => (text += part));
      return JSON.parse(text) as Completions;
    },
    run: (line, write, edit) =>
      client.ask(
        { ask: 'run', line, cwd: process.cwd(), interactive: true, terminal: process.stdin.isTTY },
        write,
        edit,
      ),
    interrupt: () => client.interrupt(),
    end: async () => client.close(),
  };
}

async function local(): Promise<LabConnection> {
  process.stdout.write('no lab is running: this one is your own, and ends with the prompt\n');
  const lab = await Lab.create(loadTopology('two-nodes'), { clock: realClock });
  const session = new Session(
    lab,
    {
      read: (file) => readFileSync(path.resolve(file), 'utf8'),
      write: (file, bytes) => writeFileSync(path.resolve(file), bytes),
      list: (folder) => readdirSync(path.resolve(folder)),
    },
    COMMANDS,
  );
  let running = new AbortController();
  return {
    open: true,
    get prompt() {
      return session.prompt;
    },
    complete: async (line) => completions(session, line),
    run: (line, write, edit) => {
      running = new AbortController();
      return session.run(line, {
        write,
        signal: running.signal,
        interactive: true,
        terminal: process.stdin.isTTY,
        ...(edit && { edit }),
      });
    },
    interrupt: () => running.abort(),
    end: async () => {
      await session.close();
      await stopNow(lab);
    },
  };
}
