import type { Command } from '../session/command.js';
import { CommandError } from '../session/command.js';
import { podNamed } from './spots.js';

/** The pod of a word, which may name its workload's namespace. */
const onePod = (name: string, usage: string): string => {
  if (name === '') throw new CommandError(usage);
  return name;
};

const crash: Command = {
  name: 'crash', usage: '[NAMESPACE/]POD', help: 'Lets the program in a pod die; the pod is not ready until: restart POD',
  async run([word = ''], io) {
    const pod = podNamed(io.lab, onePod(word, 'crash: allowed: crash [NAMESPACE/]POD'));
    await io.lab.kubelet.crash(pod);
    io.write(`pod ${pod.name} crashed\n`);
    return 0;
  },
};

const hang: Command = {
  name: 'hang', usage: '[NAMESPACE/]POD', help: 'Lets the program in a pod take nothing in, while the pod stays ready, until: restart POD',
  run([word = ''], io) {
    const pod = podNamed(io.lab, onePod(word, 'hang: allowed: hang [NAMESPACE/]POD'));
    pod.network.closed = true;
    io.write(`pod ${pod.name} hangs\n`);
    return 0;
  },
};

const restart: Command = {
  name: 'restart', usage: '[NAMESPACE/]POD', help: 'Starts the program in a pod anew, after crash or hang.',
  async run([word = ''], io) {
    const pod = podNamed(io.lab, onePod(word, 'restart: allowed: restart [NAMESPACE/]POD'));
    await io.lab.kubelet.restart(pod);
    io.write(`pod ${pod.name} runs again\n`);
    return 0;
  },
};

/** What goes wrong in clusters, at a word. */
export const FAULT_COMMANDS: readonly Command[] = [crash, hang, restart];
