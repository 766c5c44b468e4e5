import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/debian-server.js';
import { query } from '../support/dns.js';
import { KernelServer, SERVER_IP, missingForKernel } from '../support/kernel-server.js';
import { PROGRAM, Program } from '../support/program.js';
import { Namespaces } from './node-local/namespaces.js';

const why = missingForKernel();
if (why !== undefined) console.log(`test/e2e/logged: with answers in the kernel: ${why}; skipped`);

const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-logged-'));
const namespaces = new Namespaces();
let program: Program | undefined;
afterAll(async () => {
  await program?.stop('SIGKILL');
  namespaces.remove();
  rmSync(dir, { recursive: true, force: true });
});

const block = (key: string, ...directives: string[]): string =>
  `${key} {\n ${directives.join('\n ')}\n cache 3600\n template IN A . {\n  answer "{{ .Name }} 3600 IN A 192.0.2.1"\n }\n}\n`;
const FORMAT = '"{>id} {port} {name} {rsize}"';

/**
 * A program of a client with one port: asks the messages of its arguments one after the other, each when the one before
 * was answered, and says its port.
 */
const CLIENT = `const [host, port, ...messages] = process.argv.slice(1);
const socket = require('node:dgram').createSocket('udp4');
const ask = () => {
  const next = messages.shift();
  if (next !== undefined) return socket.send(Buffer.from(next, 'hex'), Number(port), host);
  process.stdout.write(String(socket.address().port));
  socket.close();
};
socket.on('message', ask);
ask();`;

/** Asks from one port, with ids from 1 on; resolves with that port. */
async function asked(words: readonly string[], host: string, port: number, names: readonly string[]): Promise<number> {
  const messages = names.map((name, i) => query(name, 'A', { id: i + 1 }).bytes.toString('hex'));
  const [command, ...args] = [...words, process.execPath, '-e', CLIENT, host, String(port), ...messages];
  const { stdout } = await promisify(execFile)(command!, args, { timeout: 60_000 });
  return Number(stdout);
}

/** The lines of that client, in the order of the log. */
const linesOf = (port: number): string[] =>
  [...program!.text.matchAll(/^\[INFO\] (\d+ \d+ \S+ \d+)$/gm)]
    .map(([, line]) => line!)
    .filter((line) => line.split(' ')[1] === String(port));

const wanted = (port: number, names: readonly string[]): string[] =>
  names.map((name, i) => `${i + 1} ${port} ${name} ${12 + (name.length + 1) + 4 + (name.length + 1) + 14}`);

describe('a log of every query', () => {
  it('has a line for each, those of a client in order, whoever has answered it', async () => {
    const port = await freePort();
    writeFileSync(path.join(dir, 'Corefile'), block(`.:${port}`, 'bind 127.0.0.1', `log . ${FORMAT}`));
    program = new Program([...PROGRAM, '-io', 'batched', '-workers', '2', '-conf', 'Corefile'], {}, dir);
    await program.said(/nodens-/);
    // Every seventh name is new, and so is no answer of a thread.
    const names = Array.from({ length: 400 }, (_, i) => (i % 7 === 3 ? `new${i}.test.` : `known${i % 3}.test.`));
    const ports = await Promise.all([0, 1, 2, 3].map(() => asked([], '127.0.0.1', port, names)));
    await program.stop();
    for (const from of ports) expect(linesOf(from)).toEqual(wanted(from, names));
  }, 60_000);

  it.skipIf(why !== undefined)(
    'has those too that the kernel would have answered, and only those',
    async () => {
      const server = new KernelServer(namespaces, 'kernel', path.join(dir, 'kernel'), ['10.99.0.2/24']);
      const logged = block('logged.test', `log . ${FORMAT}`);
      const others = block('.', `log . ${FORMAT} {\n  class error\n }`, 'prometheus 127.0.0.1:9153');
      await server.start({ Corefile: logged + others });
      ({ program } = server);
      const names = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 'a.logged.test.' : 'a.other.test.'));
      const from = await asked(server.inside('client'), SERVER_IP, 53, names);
      expect(server.outcome('noted')).toBeGreaterThan(10);
      expect(server.outcome('answered')).toBeGreaterThan(10);
      await program.stop();
      expect(linesOf(from)).toEqual(wanted(from, names).filter((line) => line.includes('logged')));
    },
    60_000,
  );
});
