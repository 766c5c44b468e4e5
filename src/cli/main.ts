import path from 'node:path';
import { argv, env, exit, stderr, stdout } from 'node:process';
import { exitCodeOf, isExpected } from '../lib/errors.js';
import { isNodeCache } from '../nodelocal/is-node-cache.js';
import type { Command } from './command.js';
import { tuneEngine } from './engine.js';
import { serve } from './serve.js';
import { start } from './start.js';

/** Loaded when asked for: a server needs nothing of the node cache, nor of the lab. */
const nodeCache: Command = async (args, environment) => {
  tuneEngine();
  return (await import('./node-cache.js')).nodeCache(args, environment);
};

/**
 * Commands by name. Without one, the arguments are those of the server, as of CoreDNS, or of the node cache, whose
 * image has no command either.
 */
const COMMANDS: Readonly<Record<string, Command>> = {
  'node-cache': nodeCache,
  start,
  lab: async (args, environment) => (await import('./lab.js')).lab(args, environment),
  plugin: async (args, environment) => (await import('./plugin-page.js')).pluginPage(args, environment),
  check: async (args, environment) => (await import('./check.js')).checkCommand(args, environment),
  compare: async (args, environment) => (await import('./compare.js')).compareCommand(args, environment),
  doctor: async (args, environment) => (await import('./doctor.js')).doctorCommand(args, environment),
  explain: async (args, environment) => (await import('./explain.js')).explainCommand(args, environment),
  kernel: async (args, environment) => (await import('./kernel.js')).kernelCommand(args, environment),
  record: async (args, environment) => (await import('./record.js')).recordCommand(args, environment),
  top: async (args, environment) => (await import('./top.js')).topCommand(args, environment),
  completion: async (args, environment) => (await import('./completion.js')).completion(args, environment),
  help: async (args, environment) => (await import('./help.js')).help(args, environment),
};

/** What it is under the names of other images' programs, whose first argument is never a command. */
const NAMES: Readonly<Record<string, Command>> = { coredns: serve, 'node-cache': nodeCache };

const alias = NAMES[path.basename(argv[1] ?? '')];
const [word = '', ...rest] = alias === undefined ? argv.slice(2) : ['', ...argv.slice(2)];
const named = Object.hasOwn(COMMANDS, word);
const command = alias ?? (named ? COMMANDS[word]! : isNodeCache(argv.slice(2)) ? nodeCache : serve);

// Timers of servers do not keep a process alive, and a server that waits for an API to come up has nothing else. The
// command's end ends this too.
setInterval(() => undefined, 2 ** 30);

// Who reads the output may end before this program does, as `head` does. Servers serve on, untold; for everything
// else there is nothing left to do.
const BROKEN_PIPE = 128 + 13;
const serves =
  command === serve ||
  command === nodeCache ||
  command === start ||
  (word === 'lab' && (rest[0] === 'up' || rest[0] === 'world'));
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!serves && stream === stdout) exit(BROKEN_PIPE);
  });
}

command(named ? rest : argv.slice(2), env).then(
  (code) => exit(code),
  (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    stderr.write(`${isExpected(error) ? error.message : text}\n`);
    exit(exitCodeOf(error));
  },
);
