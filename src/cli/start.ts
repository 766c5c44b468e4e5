import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { textLog } from '../server/log.js';
import type { Command } from './command.js';
import { runServer } from './serve.js';

/** `nodens start`: the sample Corefile at a port that needs no rights, and a line to try. */
export const start: Command = (_args, env) => {
  const file = fileURLToPath(new URL('../../corefiles/default.Corefile', import.meta.url));
  const port = env.NODENS_PORT ?? '1053';
  return runServer({
    corefile: { name: 'corefiles/default.Corefile', read: () => readFileSync(file, 'utf8') },
    port: Number(port),
    log: textLog(),
    env,
    quiet: false,
    pidfile: '',
    greeting: `\nTry it from another terminal:\n\n    dig @127.0.0.1 -p ${port} hello.nodens.test\n    dig @127.0.0.1 -p ${port} example.org\n\nCtrl-C ends it.\n`,
  });
};
