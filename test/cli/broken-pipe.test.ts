import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { realClock } from '../../src/lib/clock.js';
import { secureRandom } from '../../src/lib/random.js';
import { exchangeOnce } from '../../src/exchange/index.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { compiledProgram } from '../support/compiled.js';
import { query } from '../support/dns.js';

const program = compiledProgram();
let child: ChildProcessByStdio<Writable, Readable, Readable>;

afterEach(() => void child.kill('SIGKILL'));

/** Starts a program whose reader ends after the first piece of output. */
async function readOnce(
  args: readonly string[],
  input = '',
): Promise<{ first: string; errors: () => string; end: Promise<unknown[]> }> {
  child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const end = once(child, 'exit');
  child.stdin.end(input);
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  child.stdout.destroy();
  return { first: first.toString(), errors: () => errors, end };
}

it('a command whose reader has ended ends too, without a word', async () => {
  const { errors, end } = await readOnce(['lab', 'run', 'names']);
  expect([await end, errors()]).toEqual([[141, null], '']);
});

it('a server whose reader has ended serves on', async () => {
  const { first, errors, end } = await readOnce(
    ['-conf', 'stdin', '-io', 'dgram'],
    '.:0 {\n    bind 127.0.0.1\n    whoami\n    log\n}\n',
  );
  const port = Number(/:(\d+)/.exec(first)?.[1]);
  const ask = (): Promise<Buffer> =>
    exchangeOnce(
      new HostNetwork(),
      realClock,
      secureRandom,
      query('www.example.org.').bytes,
      { address: '127.0.0.1', port },
      { timeoutMs: 5000 },
    );
  // Each query is logged.
  for (let i = 0; i < 5; i++) expect((await ask())[3]! & 0xf).toBe(0);
  child.kill('SIGTERM');
  expect([await end, errors()]).toEqual([[0, null], '']);
});

it('a server whose output nobody reads ends when it is told to, though a thread waits for the reader', async () => {
  child = spawn(process.execPath, [program, '-conf', 'stdin', '-io', 'dgram'], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end('.:0 {\n    bind 127.0.0.1\n    whoami\n    log\n}\n');
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  child.stdout.pause();
  const port = Number(/:(\d+)/.exec(first.toString())?.[1]);
  const socket = createSocket('udp4');
  const { bytes } = query(`${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example.org.`);
  for (let i = 0; i < 4000; i++) {
    socket.send(bytes, port, '127.0.0.1');
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  // Datagrams are taken in order: with the answer to the last one all others have had their lines.
  const last = Buffer.from(bytes);
  last.writeUInt16BE((bytes.readUInt16BE(0) + 1) & 0xffff, 0);
  const answered = new Promise<void>((resolve) => {
    socket.on('message', (answer) => {
      if (answer.readUInt16BE(0) === last.readUInt16BE(0)) resolve();
    });
  });
  const again = setInterval(() => socket.send(last, port, '127.0.0.1'), 200);
  await answered;
  clearInterval(again);
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.close();
  const end = once(child, 'exit');
  child.kill('SIGTERM');
  // A socket, as these are, cannot be opened a second time for writes that do not wait.
  expect(await end).toEqual([null, 'SIGKILL']);
});
