import { Worker } from 'node:worker_threads';
import { packagePath } from '../../../lib/package.js';
import { loadYaml } from '../../../kube/yaml.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo, LabCommand } from '../../session/command.js';
import { inRealTime } from '../../session/driven-clock.js';
import { linesIn } from '../../shell/stream.js';
import { inputOf } from './input.js';

/** Options that take the next word, and one that takes the next two. */
const WITH_VALUE: Readonly<Record<string, number>> = { '--arg': 2, '--argjson': 2, '--indent': 1 };
const SHORT_FLAGS = /^-[rcensSaCMj]+$/;
const LONG_FLAGS = new Set([
  ...['--raw-output', '--compact-output', '--exit-status', '--null-input', '--slurp', '--sort-keys', '--tab'],
  ...['--raw-input', '--join-output', '--indent', '--arg', '--argjson'],
  ...['--ascii-output', '--monochrome-output', '--color-output'],
]);

interface QueryWords {
  readonly flags: readonly string[];
  readonly filter: string;
  readonly files: readonly string[];
  /** `-y` of yq: YAML in place of JSON. */
  readonly yaml: boolean;
}

function wordsOf(name: string, args: readonly string[]): QueryWords {
  const flags: string[] = [];
  const words: string[] = [];
  let yaml = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '-y' && name === 'yq') yaml = true;
    else if (arg.startsWith('-') && arg !== '-') {
      if (!SHORT_FLAGS.test(arg) && !LONG_FLAGS.has(arg))
        throw new CommandError(`${name}: unknown option ${arg}, allowed: -r -c -e -n -s -S --arg NAME VALUE`, 2);
      const values = WITH_VALUE[arg] ?? 0;
      flags.push(arg, ...args.slice(i + 1, i + 1 + values));
      i += values;
    } else words.push(arg);
  }
  const [filter = '.', ...files] = words;
  return { flags, filter, files, yaml };
}

/** Runs in a thread of its own, so that a filter that never ends can be ended. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const jq = require(workerData.package);
parentPort.on('message', ({ text, filter, flags }) =>
  jq.raw(text, filter, flags).then(
    (output) => parentPort.postMessage({ output }),
    (error) => parentPort.postMessage({ error: String(error.message) }),
  ),
);
`;

interface JqResult {
  readonly output?: string;
  readonly error?: string;
}

/** jq itself, compiled to WebAssembly, for the length of one command. */
class JqThread {
  private readonly worker = new Worker(THREAD, { eval: true, workerData: { package: packagePath('jq-wasm') } });

  /** undefined where the command was interrupted. */
  run(text: string, { filter, flags }: QueryWords, signal: AbortSignal): Promise<JqResult | undefined> {
    const done = new Promise<JqResult | undefined>((resolve, reject) => {
      const stop = (): void => resolve(undefined);
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      this.worker.once('error', reject);
      this.worker.once('message', (outcome: JqResult) => {
        signal.removeEventListener('abort', stop);
        this.worker.off('error', reject);
        resolve(outcome);
      });
      this.worker.postMessage({ text, filter, flags });
    });
    return inRealTime(done);
  }

  async close(): Promise<void> {
    await inRealTime(this.worker.terminate());
  }
}

/** What jq is to read: whole, or a line at a time where each line is a value, as in a stream of flows. */
async function* valuesOf(name: string, { files, flags }: QueryWords, io: CommandIo): AsyncGenerator<string, void> {
  if (flags.some((flag) => /^(-[a-zA-Z]*n[a-zA-Z]*|--null-input)$/.test(flag))) {
    yield '';
    return;
  }
  const whole = flags.some((flag) => /^(-[a-zA-Z]*[sR][a-zA-Z]*|--slurp|--raw-input)$/.test(flag));
  if (files.length > 0 || !io.input || whole || name === 'yq') {
    yield await inputOf(name, files, io);
    return;
  }
  const held: string[] = [];
  for await (const line of linesIn(io.input))
    if (held.length === 0 && isJson(line)) yield line;
    else held.push(line);
  if (held.length > 0) yield held.join('\n');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** YAML documents as JSON, one after the other. */
function asJson(text: string): string {
  const documents = loadYaml().parseAllDocuments(text);
  return (Array.isArray(documents) ? documents : [])
    .map((document) => {
      const [error] = document.errors;
      if (error) throw new CommandError(`yq: ${error.message.split('\n')[0]!}`, 2);
      return JSON.stringify(document.toJS());
    })
    .join('\n');
}

const EXIT_ON_ERROR = 5;
const EXIT_ON_FILTER = 3;

const query = (name: 'jq' | 'yq'): LabCommand => ({
  name,
  usage: `[-r] [-c]${name === 'yq' ? ' [-y]' : ''} ['FILTER'] [FILE...]`,
  help:
    name === 'jq'
      ? 'Reads JSON and prints what the filter makes of it.'
      : "Reads YAML and prints as JSON what jq's filter makes of it; -y prints YAML.",
  async run(args, io) {
    const words = wordsOf(name, args);
    const jq = new JqThread();
    let code = 0;
    try {
      for await (const text of valuesOf(name, words, io)) {
        const outcome = await jq.run(name === 'yq' ? asJson(text) : text, words, io.signal);
        if (!outcome) return 130;
        const { output = '', error } = outcome;
        if (output !== '') io.write(words.yaml ? loadYaml().stringify(JSON.parse(output)) : `${output}\n`);
        if (error !== undefined) {
          io.error(`${error.trimEnd()}\n`);
          code = /compile error/.test(error) ? EXIT_ON_FILTER : EXIT_ON_ERROR;
        } else if (words.flags.includes('-e') && /^(null|false)?$/.test(output.split('\n').at(-1)!)) code = 1;
      }
    } finally {
      await jq.close();
    }
    return code;
  },
});

/** Programs that take values out of JSON and YAML. */
export const QUERIES: readonly LabCommand[] = [query('jq'), query('yq')];
