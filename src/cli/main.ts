import { argv, env, exit, stderr } from 'node:process';
import { isNodeCache, nodeCache } from './node-cache.js';
import { serve } from './serve.js';
import { start } from './start.js';

/** A command of the program: gets the words after its name, resolves with the exit code. */
export type Command = (args: readonly string[], env: Readonly<Record<string, string | undefined>>) => Promise<number>;

/** Commands by name. Without one, the arguments are those of the server, as of CoreDNS, or of the node cache, whose image has no command either. */
const COMMANDS: Readonly<Record<string, Command>> = {
  'node-cache': nodeCache, start,
  // Loaded when asked for: a server needs none of it.
  lab: async (args, environment) => (await import('./lab.js')).lab(args, environment),
};

const [word = '', ...rest] = argv.slice(2);
const named = Object.hasOwn(COMMANDS, word);
const command = named ? COMMANDS[word]! : isNodeCache(argv.slice(2)) ? nodeCache : serve;

// Timers of servers do not keep a process alive, and a server that waits for an API to come up has nothing else. The command's end ends this too.
setInterval(() => undefined, 2 ** 30);

command(named ? rest : argv.slice(2), env).then(
  (code) => exit(code),
  (error: unknown) => {
    stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    exit(1);
  },
);
