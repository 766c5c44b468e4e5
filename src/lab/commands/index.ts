import type { Command } from '../session/command.js';
import { explain } from './explain.js';
import { FAULT_COMMANDS } from './faults.js';
import { helm } from './helm.js';
import { kubectl } from './kubectl/kubectl.js';
import { NODE_COMMANDS } from './node/node-tools.js';
import { TEXT_COMMANDS } from './text/text.js';

const help: Command = {
  name: 'help',
  usage: '[COMMAND]',
  help: 'Lists what can be typed.',
  run([word], io) {
    for (const { name, usage, help: what } of word === undefined
      ? COMMANDS
      : COMMANDS.filter((command) => command.name === word))
      io.write(`${name} ${usage}\n    ${what}\n`);
    return 0;
  },
};

/** Everything that can be typed in a lab. */
export const COMMANDS: readonly Command[] = [
  kubectl,
  explain,
  ...NODE_COMMANDS,
  helm,
  ...FAULT_COMMANDS,
  ...TEXT_COMMANDS,
  help,
];
