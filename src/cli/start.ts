import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_FOLDER } from '../lib/package-folder.js';
import type { Command } from './command.js';
import { loadServer } from './serve.js';

const SAMPLE = 'corefiles/default.Corefile';

/** `nodens start`: the sample Corefile at a port that needs no rights, and a line to try. */
export const start: Command = async (_args, env) => {
  const file = path.join(PACKAGE_FOLDER, SAMPLE);
  const port = env.NODENS_PORT ?? '1053';
  const { logOf, runServer } = await loadServer();
  return runServer({
    corefile: { name: SAMPLE, read: () => readFileSync(file, 'utf8') },
    port: Number(port),
    log: logOf('text'),
    env,
    quiet: false,
    pidfile: '',
    greeting:
      `\nTry it from another terminal:\n\n    dig @127.0.0.1 -p ${port} hello.nodens.test\n    ` +
      `dig @127.0.0.1 -p ${port} example.org\n\nCtrl-C ends it.\n`,
  });
};
