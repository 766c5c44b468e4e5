import type { Command } from './command.js';
import { refuse, say } from './say.js';
import { helpOf } from './tool.js';
import { TOOLS } from './tools.js';

/** The commands that are no tools, each with its line. */
export const OTHERS: readonly { readonly name: string; readonly about: string }[] = [
  { name: 'node-cache', about: 'Serves DNS on a node, as node-cache of the Kubernetes addon does' },
  { name: 'start', about: 'Serves the sample Corefile at port 1053, to try it' },
  { name: 'lab', about: 'A model of a cluster in which to follow lookups; nodens lab help' },
  { name: 'plugin', about: 'Prints the manual page of a plugin from a file or a package' },
  { name: 'completion', about: 'Prints what has bash or zsh complete these commands' },
  { name: 'help', about: 'This page, or that of a command' },
];

function page(): string {
  const lines = [...TOOLS.map(({ name, about }) => ({ name, about: `${about.split(/[,;:]/)[0]}` })), ...OTHERS];
  const width = Math.max(...lines.map(({ name }) => name.length));
  return [
    'usage: nodens [flags]             serves a Corefile; nodens -h lists the flags',
    '       nodens COMMAND [flags]',
    '',
    'commands:',
    ...lines.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`),
    '',
    `nodens help COMMAND tells more of ${TOOLS[0]!.name} to ${TOOLS.at(-1)!.name};`,
    'nodens node-cache -help and nodens lab help tell more of those.',
    '',
  ].join('\n');
}

/** `nodens help [COMMAND]`. */
export const help: Command = ([name]) => {
  if (name === undefined) return Promise.resolve(say(page()));
  const tool = TOOLS.find((one) => one.name === name);
  if (tool !== undefined) return Promise.resolve(say(helpOf(tool)));
  const other = OTHERS.find((one) => one.name === name);
  if (other !== undefined) return Promise.resolve(say(`nodens ${name}: ${other.about}\n`));
  return Promise.resolve(refuse(`nodens help: there is no command '${name}'\n${page()}`));
};
