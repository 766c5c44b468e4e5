import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exitCodeOf, isExpected } from '../lib/errors.js';
import { FlagError, HelpAsked, parseFlags, usage } from '../lib/go-flags.js';
import type { FlagSpec } from '../lib/go-flags.js';
import { ManualClock } from '../lib/clock.js';
import { Lab } from '../lab/lab.js';
import { crowd, MOST_NODES, PODS_PER_NODE } from '../lab/topology/crowd.js';
import { LAB_FOLDER, loadTopology, shownName } from '../lab/topology/load.js';
import { DRIVEN_START, drive } from '../lab/session/driven-clock.js';
import { parseScript, playScript } from '../lab/session/script.js';
import { COMMANDS } from '../lab/commands/index.js';
import { Session } from '../lab/session/session.js';
import { LabFileError } from '../lab/topology/reader.js';
import type { Topology } from '../lab/topology/topology.js';
import { ControlClient } from './lab-control.js';
import { canEdit, editOnTerminal } from './lab-edit.js';
import { shell } from './lab-shell.js';
import { DEFAULT_PORT, findLab, kubeconfigPath } from './lab-sockets.js';
import { MAX_PORT, up } from './lab-up.js';
import { world } from './lab-world.js';
import type { Environment } from '../corefile/environment.js';
import { say } from './say.js';
import type { Command } from './command.js';

/** Pods for each node of a cluster whose nodes alone are counted. */
const PODS_BY_DEFAULT = 10;

type Subcommand = (args: readonly string[], env: Environment) => Promise<number>;

const HELP = `nodens lab - a cluster's DNS on this machine

  up [-topology NAME|FILE] [-port N] [-upstream]   starts a lab and serves it on loopback ports; Ctrl-C ends it
  up -nodes N [-pods N] [-port N] [-upstream]      the same, a cluster of so many nodes and pods
  run [-topology NAME|FILE] SCRIPT...              plays scripts, each in a lab of its own; a NAME stands for lab/scripts/NAME.lab
  shell [-port N]                                  a prompt in the running lab, or in one of its own
  exec [-port N] COMMAND...                        runs one command in the running lab
  kubeconfig [-port N]                             the file with which kubectl and others reach the running lab's API
  status [-port N]                                 what the running lab has, and its ports
  down [-port N]                                   ends the running lab
  world [-topology NAME|FILE] [-port N]            serves the names outside the cluster alone, on 127.0.0.1

-port N says which lab is meant where several are running: the one with this first port.
`;
const TOPOLOGY: FlagSpec = {
  name: 'topology',
  type: 'string',
  help: 'A topology file, or the name of one that comes along',
  default: 'two-nodes',
};
const UP_FLAGS: readonly FlagSpec[] = [
  TOPOLOGY,
  { name: 'port', type: 'string', help: 'First port on 127.0.0.1; 0 draws free ones', default: String(DEFAULT_PORT) },
  {
    name: 'nodes',
    type: 'string',
    help: `A cluster of so many nodes, 1 to ${MOST_NODES}, with the settings of -topology kind`,
    default: '',
  },
  {
    name: 'pods',
    type: 'string',
    help: `Pods of such a cluster, 1 to ${PODS_PER_NODE} for each node; 10 for each where it is left out`,
    default: '',
  },
  {
    name: 'upstream',
    type: 'bool',
    help: 'Names outside are asked from the resolver of this machine, not from the small world of the topology',
  },
];

const PORT: FlagSpec = {
  name: 'port',
  type: 'string',
  help: 'First port of the lab that is meant, where several are running',
};

function portOf(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > MAX_PORT)
    throw new FlagError(`-port: expected 0 to ${MAX_PORT}, got '${text}'`);
  return Number(text);
}

/** The words after `-port N`, and what it says. */
function whichLab(args: readonly string[]): { readonly port: number | undefined; readonly rest: readonly string[] } {
  const { values, given, rest } = parseFlags(args, [PORT]);
  return { port: given.has('port') ? portOf(values.port!) : undefined, rest };
}

function countOf(flag: string, text: string, most: number): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > most)
    throw new FlagError(`-${flag}: expected 1 to ${most}, got '${text}'`);
  return count;
}

/** The topology of `-topology`, or one of as many nodes and pods as are asked for. */
function topologyOf({ topology, nodes, pods }: Readonly<Record<string, string>>, given: ReadonlySet<string>): Topology {
  if (!given.has('nodes') && !given.has('pods')) return loadTopology(topology!);
  if (!given.has('nodes')) throw new FlagError('-pods: allowed with -nodes only');
  if (given.has('topology') && topology !== 'kind')
    throw new FlagError(`-nodes: allowed with -topology kind only, got '${topology}'`);
  const count = countOf('nodes', nodes!, MOST_NODES);
  return crowd(
    loadTopology('kind'),
    count,
    given.has('pods') ? countOf('pods', pods!, count * PODS_PER_NODE) : count * PODS_BY_DEFAULT,
  );
}

const startUp: Subcommand = async (args, env) => {
  const { values, given, rest } = parseFlags(args, UP_FLAGS);
  if (rest[0] !== undefined) throw new FlagError(`unexpected argument '${rest[0]}'`);
  return up({
    topology: topologyOf(values, given),
    port: portOf(values.port!),
    upstream: values.upstream === 'true',
    env,
  });
};

const run: Subcommand = async (args) => {
  const { values, rest } = parseFlags(args, [TOPOLOGY]);
  if (rest.length === 0) throw new FlagError('expected a script: nodens lab run SCRIPT...');
  for (const word of rest) {
    const file = /^[a-z0-9-]+$/.test(word) ? path.join(LAB_FOLDER, 'scripts', `${word}.lab`) : word;
    const script = parseScript(shownName(path.resolve(file)), readScript(word, file));
    const clock = new ManualClock(DRIVEN_START);
    const lab = await drive(clock, Lab.create(loadTopology(values.topology!), { clock }));
    const session = new Session(
      lab,
      {
        read: (name) => readFileSync(path.resolve(path.dirname(file), name), 'utf8'),
        write: (name, bytes) => writeFileSync(name, bytes),
      },
      COMMANDS,
    );
    const failures = await playScript(
      script,
      session,
      (text) => process.stdout.write(text),
      (work) => drive(clock, work),
    );
    await drive(
      clock,
      session.close().then(() => lab.stop()),
    );
    if (failures.length > 0) return 1;
  }
  return 0;
};

/** Throws a LabFileError that says which scripts there are. */
function readScript(word: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const there = readdirSync(path.join(LAB_FOLDER, 'scripts'))
      .map((name) => name.replace('.lab', ''))
      .join(', ');
    throw new LabFileError(
      word,
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? `there is no such script, allowed: a file, or one of ${there}`
        : (error as Error).message,
    );
  }
}

const WORLD_FLAGS: readonly FlagSpec[] = [
  TOPOLOGY,
  { name: 'port', type: 'string', help: 'Port on 127.0.0.1', default: '1053' },
];

const startWorld: Subcommand = (args) => {
  const { values, rest } = parseFlags(args, WORLD_FLAGS);
  if (rest[0] !== undefined) throw new FlagError(`unexpected argument '${rest[0]}'`);
  return world(loadTopology(values.topology!), portOf(values.port!));
};

/** Asks a running lab one thing. */
async function ask(
  port: number | undefined,
  request: Parameters<ControlClient['ask']>[0],
  env: Environment,
): Promise<number> {
  const client = await ControlClient.connect(await findLab(env, port));
  let interrupts = 0;
  const interrupt = (): void => {
    client.interrupt();
    // A lab that does not end the line is left to itself.
    if (++interrupts > 1) client.close();
  };
  process.on('SIGINT', interrupt);
  const code = await client.ask(
    request,
    (text) => process.stdout.write(text),
    canEdit(env) ? (text, ending) => editOnTerminal(env, text, ending) : undefined,
  );
  process.off('SIGINT', interrupt);
  client.close();
  return code;
}

/** A word as the lab's own reader takes it back. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word)
    ? word
    : ['|', '>', '>>', '&', '&&', '||', ';'].includes(word)
      ? word
      : `'${word.replaceAll("'", `'"'"'`)}'`;

const exec: Subcommand = (args, env) => {
  const { port, rest } = whichLab(args);
  if (rest.length === 0) throw new FlagError('expected a command: nodens lab exec COMMAND...');
  // One argument is a whole line, several are the words of one.
  return ask(
    port,
    { ask: 'run', line: rest.length === 1 ? rest[0]! : rest.map(quoted).join(' '), cwd: process.cwd() },
    env,
  );
};

/** A request without words of its own. */
const plain =
  (request: 'status' | 'down'): Subcommand =>
  (args, env) => {
    const { port, rest } = whichLab(args);
    if (rest[0] !== undefined) throw new FlagError(`unexpected argument '${rest[0]}'`);
    return ask(port, { ask: request }, env);
  };

const SUBS: Readonly<Record<string, Subcommand>> = {
  up: startUp,
  run,
  exec,
  world: startWorld,
  shell: (args, env) => {
    const { port, rest } = whichLab(args);
    if (rest[0] !== undefined) throw new FlagError(`unexpected argument '${rest[0]}'`);
    return shell(env, port);
  },
  kubeconfig: async (args, env) => {
    const { port, rest } = whichLab(args);
    if (rest[0] !== undefined) throw new FlagError(`unexpected argument '${rest[0]}'`);
    process.stdout.write(`${kubeconfigPath(await findLab(env, port))}\n`);
    return 0;
  },
  status: plain('status'),
  down: plain('down'),
};

/** `nodens lab`: a cluster's DNS on one machine. */
export const lab: Command = async (args, env) => {
  const [word = '', ...rest] = args;
  const sub = Object.hasOwn(SUBS, word) ? SUBS[word] : undefined;
  if (!sub) {
    const asked = word === '' || word === 'help' || word === '-h' || word === '--help' || word === '-help';
    (asked ? process.stdout : process.stderr).write(
      asked ? HELP : `unknown command 'lab ${word}', allowed: ${Object.keys(SUBS).join(', ')}\n`,
    );
    return asked ? 0 : 2;
  }
  try {
    return await sub(rest, env);
  } catch (error) {
    if (!isExpected(error)) throw error;
    const help = error instanceof FlagError && word === 'up' ? usage('nodens lab up', UP_FLAGS) : '';
    if (error instanceof HelpAsked) return say(help || HELP);
    process.stderr.write(`${error.message}\n${help}`);
    return exitCodeOf(error);
  }
};
