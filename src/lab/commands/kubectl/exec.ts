import { statusWord } from '../../pods/pod-status.js';
import type { RunningPod } from '../../pods/running-pod.js';
import { CommandError, programHost } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import type { ShellFiles } from '../../shell/io.js';
import { Shell } from '../../shell/shell.js';
import { ciliumDbg } from '../node/cilium-dbg.js';
import { FILTERS } from '../text/filters.js';
import { POD_PROGRAMS } from '../pod/in-pod.js';
import { ipIn, socketsIn } from '../node/network-tools.js';
import { captureIn } from '../node/node-tools.js';
import { echo, wait } from '../text/shell-words.js';
import { podsMeant, podContext, podEnv } from '../target/targets.js';

const SHELLS = ['sh', 'bash', 'ash', 'zsh'];
const NETWORK = ['ip', 'tcpdump', 'ss', 'netstat'];
const NOT_FOUND = 127;
const NOT_EXECUTED = 126;

/** Whether a program is a shell. */
export const isShell = (program: string): boolean => SHELLS.includes(baseOf(program));

const baseOf = (program: string): string => program.replace(/^\/(usr\/)?(local\/)?s?bin\//, '');

/**
 * `kubectl exec POD -- COMMAND`: a program in a pod, a pipe of them with `sh -c`, or a shell in which the next lines
 * run.
 */
export async function exec(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl exec', args, [
    { name: '--namespace', short: '-n', value: true },
    { name: '--stdin', short: '-i' },
    { name: '--tty', short: '-t' },
    { name: '--container', short: '-c', value: true },
  ]);
  const [target, ...after] = options.words;
  const [pod] = podsMeant(target, options, io);
  const words = [...after, ...options.rest];
  if (!pod || words.length === 0)
    throw new CommandError('error: you must specify a pod and a command: kubectl exec POD -- COMMAND');
  if (pod.state !== 'Running')
    throw new CommandError(`error: cannot exec into a container of pod ${pod.name}: it is in state ${statusWord(pod)}`);
  if (isShell(words[0]!) && words.length === 1) return openShell(pod, io);
  const code = await runInPod(pod, words, io);
  if (code !== 0 && !io.signal.aborted) io.error(`command terminated with exit code ${code}\n`);
  return code;
}

/** A shell in a pod, in which the next lines run. Throws a CommandError where nobody types at a prompt. */
export function openShell(pod: RunningPod, io: CommandIo): number {
  if (!io.interactive)
    throw new CommandError(
      `error: a shell in a pod needs a prompt: type this in "nodens lab shell", or give a command: kubectl exec ${pod.name} -- COMMAND`,
      NOT_EXECUTED,
    );
  io.session.inside = pod;
  io.write(`programs run in ${pod.name} now; exit leaves it\n`);
  return 0;
}

/** A program in a pod. Throws a CommandError with code 127 for one that is not there. */
export async function runInPod(pod: RunningPod, words: readonly string[], io: CommandIo): Promise<number> {
  const name = baseOf(words[0]!);
  const rest = words.slice(1);
  if (SHELLS.includes(name)) {
    if (rest[0] === '-c' && rest[1] !== undefined) return shellLine(pod, rest[1], rest.slice(3), io);
    throw new CommandError(`error: ${name}: got "${rest.join(' ')}", allowed: ${name} -c 'COMMAND'`, NOT_EXECUTED);
  }
  if (name === 'tcpdump') return captureIn(pod.model.netns, rest, io, podContext(pod));
  if (name === 'ip') return ipIn(pod.model.netns, rest, io);
  if (name === 'ss' || name === 'netstat') return socketsIn(pod.model.netns, rest, io);
  if (name === 'time') return timed(pod, rest, io);
  if ((name === 'cilium-dbg' || name === 'cilium') && pod.model.spec.labels?.['k8s-app'] === 'cilium')
    return ciliumDbg.run(rest, { ...io, node: pod.model.spec.node });
  const program = Object.hasOwn(POD_PROGRAMS, name) ? POD_PROGRAMS[name] : undefined;
  if (program) return program(rest, podContext(pod), io);
  const filter = [...FILTERS, echo, wait].find((candidate) => candidate.name === name);
  if (filter) return filter.run(rest, io);
  throw new CommandError(
    `error: exec: "${name}": executable file not found in $PATH; there are ${programsThere().join(', ')}`,
    NOT_FOUND,
  );
}

/** `time PROGRAM`: what it took, on the lab's clock. */
async function timed(pod: RunningPod, words: readonly string[], io: CommandIo): Promise<number> {
  if (words.length === 0) throw new CommandError('time: got no program, allowed: time PROGRAM ARGUMENTS');
  const start = io.lab.clock.monotonic();
  const code = await runInPod(pod, words, io);
  const seconds = (io.lab.clock.monotonic() - start) / 1000;
  io.write(`real\t${Math.floor(seconds / 60)}m ${(seconds % 60).toFixed(2)}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n`);
  return code;
}

/** What can be run in a pod. */
export const programsThere = (): readonly string[] => [...Object.keys(POD_PROGRAMS), ...NETWORK, 'sh'];

/** The files that a shell in a pod sees; what it writes is the pod's. */
export const podFiles = (pod: RunningPod): ShellFiles => ({
  read: (file) => {
    const text = pod.files.read(file);
    if (text === undefined) throw new CommandError(`cannot read ${file}: no such file`);
    return text;
  },
  write: (file, text) => pod.files.write(file, text),
  kind: (file) => (pod.files.read(file) === undefined ? undefined : 'file'),
  list: () => [],
});

/** A line of a shell in a pod. */
function shellLine(pod: RunningPod, text: string, args: readonly string[], io: CommandIo): Promise<number> {
  let pids = 7;
  const shell = new Shell({
    clock: io.lab.clock,
    files: podFiles(pod),
    has: (name) => programsThere().includes(name),
    newPid: () => pids++,
    run: programHost((words, env, inner) => runInPod(pod, words, { ...io, ...inner, env, interactive: false })),
  });
  shell.scope.args = args;
  shell.scope.exportAll(podEnv(pod));
  return shell.run(text, io);
}

/** One program of a line that is typed in a pod's shell. */
export function executeInside(pod: RunningPod, words: readonly string[], io: CommandIo): Promise<number> {
  if (io.lab.kubelet.get(pod.namespace, pod.name) !== pod) {
    io.session.inside = undefined;
    throw new CommandError(`pod ${pod.name} is gone; programs run on ${io.node} again`, 137);
  }
  if (words[0] === 'help') io.write(`in ${pod.name} there are ${programsThere().join(', ')}; exit leaves it\n`);
  return words[0] === 'help' ? Promise.resolve(0) : runInPod(pod, words, io);
}
