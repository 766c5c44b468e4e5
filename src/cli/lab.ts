import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FlagError, parseFlags, usage } from '../lib/go-flags.js';
import type { FlagSpec } from '../lib/go-flags.js';
import { ManualClock } from '../lib/clock.js';
import { ManifestError } from '../kube/manifest-parse.js';
import { Lab } from '../lab/lab.js';
import { LAB_FOLDER, loadTopology } from '../lab/load.js';
import { DRIVEN_START, drive } from '../lab/session/driven-clock.js';
import { parseScript, playScript } from '../lab/session/script.js';
import { Session } from '../lab/session/session.js';
import { LabFileError } from '../lab/topology/reader.js';
import { ControlClient, socketPath } from './lab-control.js';
import { shell } from './lab-shell.js';
import { up } from './lab-up.js';
import type { Command } from './main.js';

type Env = Readonly<Record<string, string | undefined>>;
type Sub = (args: readonly string[], env: Env) => Promise<number>;

const HELP = `nodens lab - a cluster's DNS on this machine

  up [-topology NAME|FILE] [-port N] [-upstream]   starts a lab and serves it on loopback ports; Ctrl-C ends it
  shell                                            a prompt in the running lab, or in one of its own
  exec COMMAND...                                  runs one command in the running lab
  run [-topology NAME|FILE] SCRIPT...              plays scripts, each in a lab of its own; a NAME stands for lab/scripts/NAME.lab
  status                                           what the running lab has, and its ports
  down                                             ends the running lab
`;
const NO_LAB = 'no lab is running; start one in another terminal: nodens lab up\n';
const TOPOLOGY: FlagSpec = { name: 'topology', type: 'string', help: 'A topology file, or the name of one that comes along', default: 'two-nodes' };
const UP_FLAGS: readonly FlagSpec[] = [
  TOPOLOGY,
  { name: 'port', type: 'string', help: 'First port on 127.0.0.1; 0 draws free ones', default: '15300' },
  { name: 'upstream', type: 'bool', help: 'Names outside are asked from the resolver of this machine, not from the small world of the topology' },
];

const startUp: Sub = async (args, env) => {
  const { values, rest } = parseFlags(args, UP_FLAGS);
  if (rest[0] !== undefined) throw new FlagError(`unexpected argument '${rest[0]}'`);
  if (!/^\d+$/.test(values.port!) || Number(values.port) > 65_000) throw new FlagError(`-port: expected 0 to 65000, got '${values.port}'`);
  return up({ topology: loadTopology(values.topology!), port: Number(values.port), upstream: values.upstream === 'true', env });
};

const run: Sub = async (args) => {
  const { values, rest } = parseFlags(args, [TOPOLOGY]);
  if (rest.length === 0) throw new FlagError('expected a script: nodens lab run SCRIPT...');
  for (const word of rest) {
    const file = /^[a-z0-9-]+$/.test(word) ? path.join(LAB_FOLDER, 'scripts', `${word}.lab`) : word;
    const script = parseScript(path.relative(process.cwd(), file), readFileSync(file, 'utf8'));
    const clock = new ManualClock(DRIVEN_START);
    const lab = await drive(clock, Lab.create(loadTopology(values.topology!), { clock }));
    const session = new Session(lab, { read: (name) => readFileSync(path.resolve(path.dirname(file), name), 'utf8') });
    const failures = await playScript(script, session, (text) => process.stdout.write(text), (work) => drive(clock, work));
    await drive(clock, session.close().then(() => lab.stop()));
    if (failures.length > 0) return 1;
  }
  return 0;
};

/** Asks the running lab one thing. */
async function ask(request: Parameters<ControlClient['ask']>[0], env: Env): Promise<number> {
  const client = await ControlClient.connect(socketPath(env));
  if (!client) {
    process.stderr.write(NO_LAB);
    return 1;
  }
  const interrupt = (): void => client.interrupt();
  process.on('SIGINT', interrupt);
  const code = await client.ask(request, (text) => process.stdout.write(text));
  process.off('SIGINT', interrupt);
  client.close();
  return code;
}

/** A word as the lab's own reader takes it back. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : ["|", ">", "&"].includes(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`);

const exec: Sub = (args, env) => {
  if (args.length === 0) throw new FlagError('expected a command: nodens lab exec COMMAND...');
  // One argument is a whole line, several are the words of one.
  return ask({ ask: 'run', line: args.length === 1 ? args[0]! : args.map(quoted).join(' '), cwd: process.cwd() }, env);
};

const SUBS: Readonly<Record<string, Sub>> = {
  up: startUp, run, exec,
  shell: (_args, env) => shell(env),
  status: (_args, env) => ask({ ask: 'status' }, env),
  down: (_args, env) => ask({ ask: 'down' }, env),
};

/** `nodens lab`: a cluster's DNS on one machine. */
export const lab: Command = async (args, env) => {
  const [word = '', ...rest] = args;
  const sub = Object.hasOwn(SUBS, word) ? SUBS[word] : undefined;
  if (!sub) {
    const asked = word === '' || word === 'help' || word === '-h' || word === '--help' || word === '-help';
    (asked ? process.stdout : process.stderr).write(asked ? HELP : `unknown command 'lab ${word}', allowed: ${Object.keys(SUBS).join(', ')}\n`);
    return asked ? 0 : 2;
  }
  try {
    return await sub(rest, env);
  } catch (error) {
    if (error instanceof FlagError) process.stderr.write(`${error.message}\n${word === 'up' ? usage('nodens lab up', UP_FLAGS) : ''}`);
    else if (error instanceof LabFileError || error instanceof ManifestError || (error as NodeJS.ErrnoException).code !== undefined || ['ApiError', 'TopologyError', 'IpamError', 'LrpError', 'Error'].includes((error as Error).name)) process.stderr.write(`${(error as Error).message}\n`);
    else throw error;
    return error instanceof FlagError ? 2 : 1;
  }
};
