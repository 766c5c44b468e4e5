import { CommandError } from '../session/command.js';
import type { LabCommand, CommandTable } from '../session/command.js';
import { explain } from './explain.js';
import { FAULT_COMMANDS } from './faults.js';
import { helm } from './helm.js';
import { BUILTINS } from '../shell/builtins.js';
import { executeInside, podFiles } from './kubectl/exec.js';
import { kubectl } from './kubectl/kubectl.js';
import { NODE_COMMANDS } from './node/node-tools.js';
import { POD_PROGRAMS } from './pod/in-pod.js';
import { missingProgram } from './missing.js';
import { nodeFile } from './target/node-files.js';
import { nodeNamed, nodeContext, podEnv } from './target/targets.js';
import { TEXT_COMMANDS } from './text/text.js';

const help: LabCommand = {
  name: 'help',
  usage: '[COMMAND]',
  help: 'Lists all commands, or explains one.',
  run([word], io) {
    for (const { name, usage, help: what } of word === undefined
      ? commands
      : commands.filter((command) => command.name === word))
      io.write(`${name} ${usage}\n    ${what}\n`);
    return 0;
  },
};

/** `kubens NAME`, as those type it who have kubectx. */
const kubens: LabCommand = {
  name: 'kubens',
  usage: '[NAMESPACE]',
  help: 'Prints or sets the namespace that kubectl means when a command names none.',
  run([name], io) {
    if (name === undefined) io.lab.api.list('Namespace').forEach((one) => io.write(`${one.name}\n`));
    else {
      if (!io.lab.api.get('Namespace', '', name))
        throw new CommandError(`error: no namespace exists with name "${name}".`);
      io.session.namespace = name;
      io.write(`Context "lab" modified.\nActive namespace is "${name}".\n`);
    }
    return 0;
  },
};

const commands: readonly LabCommand[] = [
  kubectl,
  explain,
  ...NODE_COMMANDS,
  helm,
  ...FAULT_COMMANDS,
  kubens,
  ...TEXT_COMMANDS,
  help,
];

/** Everything that can be typed in a lab. */
export const COMMANDS: CommandTable = {
  commands,
  nodeProgram(name) {
    const program = Object.hasOwn(POD_PROGRAMS, name) ? POD_PROGRAMS[name] : undefined;
    return program && ((args, io) => program(args, nodeContext(io.lab, nodeNamed(io.lab, io.node)), io));
  },
  runInPod: executeInside,
  podFiles,
  podEnv,
  nodeFile,
  missing: (name) =>
    missingProgram(name, [
      ...commands.map((command) => command.name),
      ...Object.keys(POD_PROGRAMS),
      ...Object.keys(BUILTINS),
    ]),
};
