import type { Tool } from './tool.js';

/** The tools that look at a server, at its configuration, or at what it answers. Tables only: help loads no code. */
export const CHECK: Tool = {
  name: 'check',
  words: '[FILE|FOLDER...]',
  about:
    'Judges a Corefile, a ConfigMap that holds one, or a folder of manifests, and names what is wrong or unwise in it, ' +
    'by file and line; opens no socket',
  flags: [
    { name: 'conf', type: 'string', help: 'Corefile or manifests to judge, or stdin', default: 'Corefile' },
    { name: 'as', type: 'string', help: 'judge as for server or node-cache; told from the text where left out' },
    { name: 'o', type: 'string', help: 'form of the report: text, json, sarif or github', default: 'text' },
    { name: 'hints', type: 'bool', help: 'tell also what works and could be better' },
  ],
  exits: '0 nothing found, 1 warnings, 2 faults or a wrong command line',
  page: 'CHECK.md',
};

export const TOOLS: readonly Tool[] = [CHECK];
