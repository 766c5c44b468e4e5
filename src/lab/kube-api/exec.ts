import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Readable } from 'node:stream';
import type { RawObject } from '../../kube/objects/raw.js';
import { COMMANDS } from '../commands/index.js';
import { isShell } from '../commands/kubectl/exec.js';
import type { Lab } from '../lab.js';
import type { RunningPod } from '../pods/running-pod.js';
import { told } from '../session/command.js';
import { Session } from '../session/session.js';
import { wantsMore } from '../shell/parse.js';
import { TextPipe } from '../shell/stream.js';
import type { Channels } from './channels.js';

const INTERRUPT = 0x03;
const END_OF_INPUT = 0x04;

const SUCCESS: RawObject = { metadata: {}, status: 'Success' };
const failed = (code: number): RawObject => ({
  metadata: {},
  status: 'Failure',
  reason: 'NonZeroExitCode',
  message: `command terminated with non-zero exit code: exit status ${code}`,
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
});

/** A program that a client runs in a pod. */
export interface Executed {
  readonly pod: RunningPod;
  readonly words: readonly string[];
  readonly tty: boolean;
}

/** Runs a program, or a shell, for a client, and tells it how that ended. */
export async function execute(executed: Executed, channels: Channels, lab: Lab): Promise<void> {
  const ended = new AbortController();
  channels.onClose(() => ended.abort());
  const { pod, words, tty } = executed;
  const session = new Session(lab, { read: noFile }, COMMANDS);
  const write = tty ? (text: string) => channels.write(text.replace(/\r?\n/g, '\r\n')) : channels.write;
  const error = tty ? write : channels.error;
  const shell = isShell(words[0] ?? '') && words.length === 1;
  const say = { write, error };
  let code: number;
  try {
    code = shell
      ? await (tty ? terminal : script)(session, executed, { ...channels, ...say }, ended.signal)
      : await COMMANDS.runInPod(pod, words, {
          lab,
          session,
          node: pod.model.spec.node,
          input: textOf(channels.input, tty, ended),
          env: {},
          ...say,
          signal: ended.signal,
          endless: true,
          interactive: false,
        });
  } catch (fault) {
    code = told(fault, say);
  }
  await session.close();
  channels.finish(code === 0 ? SUCCESS : failed(code));
}

function noFile(file: string): never {
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${file}'`), { code: 'ENOENT' });
}

/** What a program reads. On a terminal Ctrl-C ends the program, and Ctrl-D its input. */
function textOf(input: Readable | undefined, tty: boolean, ended: AbortController): TextPipe | undefined {
  if (!input) return undefined;
  const pipe = new TextPipe();
  input.on('data', (bytes: Buffer) => {
    if (tty && bytes.includes(INTERRUPT)) ended.abort();
    const end = tty ? bytes.indexOf(END_OF_INPUT) : -1;
    pipe.write((end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8'));
    if (end >= 0) pipe.end();
  });
  input.once('end', () => pipe.end());
  return pipe;
}

/** A shell that reads what is piped into it. */
async function script(
  session: Session,
  { pod }: Executed,
  { input, write, error }: Channels,
  signal: AbortSignal,
): Promise<number> {
  let text = '';
  for await (const chunk of (input ?? []) as AsyncIterable<Buffer>) text += chunk.toString('utf8');
  session.inside = pod;
  return text.trim() === '' ? 0 : session.run(text, { write, error, signal });
}

/** A shell that is typed into, with the history and the keys of a terminal. */
async function terminal(
  session: Session,
  { pod }: Executed,
  { input, write, error }: Channels,
  signal: AbortSignal,
): Promise<number> {
  if (!input) return 0;
  session.inside = pod;
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      write(chunk.toString('utf8'));
      done();
    },
  });
  const lines = createInterface({ input, output, terminal: true });
  signal.addEventListener('abort', () => lines.close());
  let running: AbortController | undefined;
  let typed = '';
  let code = 0;
  const prompt = (): void => {
    lines.setPrompt(typed === '' ? session.prompt : '> ');
    lines.prompt();
  };
  lines.on('SIGINT', () => {
    if (running) return running.abort();
    write('^C\n');
    typed = '';
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
    prompt();
  });
  prompt();
  for await (const line of lines) {
    typed = typed === '' ? line : `${typed}\n${line}`;
    if (!wantsMore(typed)) {
      running = new AbortController();
      const { signal: interrupted } = running;
      code = await session.run(typed, { write, error, signal: interrupted, interactive: true, terminal: true });
      running = undefined;
      typed = '';
      if (session.inside === undefined) break;
    }
    prompt();
  }
  lines.close();
  return code;
}
