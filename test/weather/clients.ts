import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { frame } from '../../src/wire/index.js';
import { askAll, queryFor } from './client.js';
import type { Figure, Scale, Weather } from './row.js';
import { WeatherServer } from './server.js';

const MB = 1e6;
const SLOW = 300;
/** Questions that a client asks on a connection which it does not read from. */
const UNREAD = 2000;
const TEXT = 'x'.repeat(200);

const COREFILE = `.:1053 {
 bind 127.0.0.1
 hosts {
 192.0.2.1 hello.nodens.test
 fallthrough
 }
 template IN TXT {
 answer "{{ .Name }} 60 IN TXT ${TEXT} ${TEXT} ${TEXT} ${TEXT}"
 }
}
`;

/** What it has in memory of its own: pages of the program's files come and go by themselves. */
export function resident(server: WeatherServer): number {
  const status = readFileSync(`/proc/${server.program.child.pid}/status`, 'latin1');
  const kb = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)![1]);
  return ((kb('VmRSS') - kb('RssFile')) * 1024) / MB;
}

const connect = async (): Promise<net.Socket> => {
  const socket = net.connect(1053, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
};

/** Clients that ask and never read. */
export async function slowReaders(count: number): Promise<net.Socket[]> {
  const asked = Buffer.concat(Array.from({ length: UNREAD }, () => frame(queryFor('long.nodens.test.', 'TXT'))));
  const all: net.Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = await connect();
    socket.pause();
    socket.write(asked);
    all.push(socket);
  }
  return all;
}

/** One connection after the other with a question, some of them broken off in the middle of it. */
export async function churn(count: number): Promise<number> {
  let unanswered = 0;
  for (let i = 0; i < count; i++) {
    const socket = await connect();
    const bytes = frame(queryFor('hello.nodens.test.'));
    const broken = i % 4 === 0;
    socket.write(broken ? bytes.subarray(0, 10) : bytes);
    const ended = once(socket, 'close').then(() => false);
    if (!broken && !(await Promise.race([once(socket, 'data').then(() => true), ended]))) unanswered++;
    socket.destroy();
  }
  return unanswered;
}

/** Clients over TCP that do not read, and connections that come and go, while somebody asks over UDP. */
export const clients: Weather = {
  name: 'clients',
  needs: [],
  async play(scale: Scale): Promise<Figure[]> {
    const full = scale === 'full';
    const server = await WeatherServer.start(COREFILE);
    const ask = (seconds: number) =>
      askAll({ port: 1053, names: new Array<string>(seconds * 100).fill('hello.nodens.test.'), rate: 100 });
    try {
      await churn(100);
      const before = resident(server);
      const sockets = await slowReaders(SLOW);
      const besides = await ask(full ? 10 : 1);
      const after = resident(server);
      for (const socket of sockets) socket.destroy();
      const count = full ? 20_000 : 500;
      const [unanswered, meanwhile] = await Promise.all([churn(count), ask(full ? 10 : 1)]);
      const { exitCode, signalCode } = server.program.child;
      return [
        {
          what: `${SLOW} clients that do not read: memory for them`,
          got: after - before,
          unit: 'MB',
          atMost: 40,
          timed: true,
        },
        {
          what: `lost or wrong of ${besides.asked} beside them`,
          got: besides.lost + besides.wrong,
          unit: '',
          atMost: 0,
        },
        { what: `${count} connections, a fourth broken off: unanswered`, got: unanswered, unit: '', atMost: 0 },
        {
          what: `lost or wrong of ${meanwhile.asked} meanwhile`,
          got: meanwhile.lost + meanwhile.wrong,
          unit: '',
          atMost: 0,
        },
        { what: 'crashes', got: exitCode === null && signalCode === null ? 0 : 1, unit: '', atMost: 0 },
      ];
    } finally {
      await server.stop();
    }
  },
};
