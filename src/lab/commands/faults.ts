import type { RunningPod } from '../pods/running-pod.js';
import type { LabCommand, CommandIo } from '../session/command.js';
import { CommandError } from '../session/command.js';
import { parseOptions } from '../session/options.js';
import { podsMeant } from './target/targets.js';

const USAGE = '[-n NAMESPACE] POD|TYPE/NAME';

/** The pod that the arguments name; of a DaemonSet, the pod on the command's node. */
function podOf(program: string, args: readonly string[], io: CommandIo): RunningPod {
  const options = parseOptions(program, args, [{ name: '--namespace', short: '-n', value: true }]);
  if (options.words.length !== 1) throw new CommandError(`${program}: allowed: ${program} ${USAGE}`);
  return podsMeant(options.words[0], options, io)[0]!;
}

const crash: LabCommand = {
  name: 'crash',
  usage: USAGE,
  help: 'Kills the program in a pod; the pod is not ready until you run: restart',
  async run(args, io) {
    const pod = podOf('crash', args, io);
    await io.lab.kubelet.crash(pod);
    io.write(`pod ${pod.name} on ${pod.model.spec.node} crashed\n`);
    return 0;
  },
};

const hang: LabCommand = {
  name: 'hang',
  usage: USAGE,
  help: 'Makes the program in a pod hang until you run: restart. A pod without probes stays ready meanwhile.',
  run(args, io) {
    const pod = podOf('hang', args, io);
    io.lab.kubelet.hang(pod);
    io.write(`pod ${pod.name} on ${pod.model.spec.node} hangs\n`);
    return 0;
  },
};

const restart: LabCommand = {
  name: 'restart',
  usage: USAGE,
  help: 'Restarts the program in a pod after crash or hang.',
  async run(args, io) {
    const pod = podOf('restart', args, io);
    await io.lab.kubelet.restart(pod);
    io.write(`pod ${pod.name} on ${pod.model.spec.node} runs again\n`);
    return 0;
  },
};

const drop: LabCommand = {
  name: 'drop',
  usage: `[--off] ${USAGE}`,
  help: 'Drops what others send to a pod, as a policy that denies all does, until you run: drop --off',
  run(args, io) {
    const off = args.includes('--off');
    const pod = podOf(
      'drop',
      args.filter((arg) => arg !== '--off'),
      io,
    );
    if (pod.model.spec.hostNetwork)
      throw new CommandError(`drop: ${pod.name} is in its node's network, where no policy of a pod holds; try: hang`);
    io.lab.world.setPodDenied(pod.namespace, pod.name, !off);
    io.write(`packets to pod ${pod.name} on ${pod.model.spec.node} ${off ? 'pass again' : 'are dropped'}\n`);
    return 0;
  },
};

const apiServer: LabCommand = {
  name: 'api-server',
  usage: 'away|back',
  help: 'Takes the API server away: kubectl is refused, and what runs goes on with what it knew, until it is back.',
  run([state, ...more], io) {
    if ((state !== 'away' && state !== 'back') || more.length > 0)
      throw new CommandError(`api-server: got "${[state, ...more].join(' ')}", allowed: api-server away|back`);
    io.lab.setApiAway(state === 'away');
    io.write(`the API server at ${io.lab.apiAddress} is ${state}\n`);
    return 0;
  },
};

/** What goes wrong in clusters, at a word. */
export const FAULT_COMMANDS: readonly LabCommand[] = [crash, hang, drop, restart, apiServer];
