import dgram from 'node:dgram';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { AF_INET, SOCK_DGRAM, loadLibc } from '../../src/fastpath/libc.js';
import { StartingThreads, beginThread } from '../../src/fastpath/starting-thread.js';
import { UdpWorkerPool } from '../../src/fastpath/udp-worker-pool.js';
import { MAX_WORKERS } from '../../src/fastpath/worker-data.js';
import { encodeSockaddr } from '../../src/fastpath/sockaddr.js';
import { InheritedSockets } from '../../src/net/inherited-sockets.js';
import type { Endpoint, UdpSocket } from '../../src/net/network.js';
import { TestLog } from '../support/block.js';
import { compiledProgram } from '../support/compiled.js';
import { query } from '../support/dns.js';
import { entryFor } from '../support/shared-answer.js';

/** Flag of a socket that never waits (socket(2)), as Node's own are. */
const NONBLOCKING = 0o4000;
const LOCAL = { address: '127.0.0.1', port: 0 };
/** Threads cannot load the sources as they are. */
const program = pathToFileURL(path.join(path.dirname(compiledProgram()), '../fastpath/worker.js'));
/** No thread runs from there. */
const NOWHERE = new URL('./nowhere.mjs', import.meta.url);
const www = query('www.example.org.').bytes;

const pools: UdpWorkerPool[] = [];
const clients: Client[] = [];
let log: TestLog;

async function start(
  workers = 1,
  at = program,
  inherited?: InheritedSockets,
  begun?: StartingThreads,
): Promise<UdpWorkerPool> {
  log = new TestLog();
  const workerPool = await UdpWorkerPool.start({ workers, memory: 65_536, log, program: at, inherited, begun });
  pools.push(workerPool);
  return workerPool;
}

const exited = (worker: Worker): Promise<unknown> => new Promise((resolve) => worker.once('exit', resolve));

/** Binds, and sends everything back with an exclamation mark. */
async function echo(workerPool: UdpWorkerPool, at: Endpoint = LOCAL): Promise<UdpSocket> {
  const socket = workerPool.bindUdp(at, 0, (bytes, peer) =>
    socket.send(Buffer.concat([bytes, Buffer.from('!')]), bytes.length + 1, peer),
  );
  await socket.serving;
  return socket;
}

class Client {
  private readonly socket: dgram.Socket;
  private readonly got: Buffer[] = [];
  private wake = (): void => undefined;

  constructor(
    private readonly to: number,
    private readonly host = '127.0.0.1',
  ) {
    this.socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
    this.socket.on('message', (bytes) => {
      this.got.push(bytes);
      this.wake();
    });
    clients.push(this);
  }

  send(text: string | Uint8Array): void {
    this.socket.send(text, this.to, this.host);
  }

  /** The next datagram; undefined when none comes within `timeout` milliseconds. */
  async next(timeout = 5000): Promise<Buffer | undefined> {
    if (this.got.length === 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, timeout).unref();
      });
    }
    return this.got.shift();
  }

  async ask(text: string | Uint8Array, timeout?: number): Promise<string | undefined> {
    this.send(text);
    return (await this.next(timeout))?.toString('latin1');
  }

  close(): void {
    this.socket.close();
  }
}

/** Whether the machine has an IPv6 loopback address; says so where not. */
async function hasIpv6(): Promise<boolean> {
  const socket = dgram.createSocket('udp6');
  const bound = await new Promise<boolean>((resolve) =>
    socket.once('error', () => resolve(false)).bind(0, '::1', () => resolve(true)),
  );
  socket.close();
  if (!bound) console.log('test/fastpath/udp-worker-pool: no IPv6 here; skipped');
  return bound;
}

const sockets = (): number => readdirSync('/proc/self/fd').length;

afterEach(async () => {
  clients.splice(0).forEach((client) => client.close());
  await Promise.all(pools.splice(0).map((workerPool) => workerPool.stop()));
});

if (process.platform !== 'linux') console.log('test/fastpath/udp-worker-pool: batched I/O is for Linux; skipped');
describe.skipIf(process.platform !== 'linux')('the UDP workers', () => {
  it('hands datagrams over with their senders, and sends answers back', async () => {
    const socket = await echo(await start(2));
    expect(socket.local.port).toBeGreaterThan(0);
    const senders = Array.from({ length: 8 }, () => new Client(socket.local.port));
    expect(await Promise.all(senders.map((client, i) => client.ask(`hello ${i}`)))).toEqual(
      senders.map((_, i) => `hello ${i}!`),
    );
  });

  it('answers from the table without a look at the chain', async () => {
    const workerPool = await start();
    let asked = 0;
    const socket = workerPool.bindUdp(LOCAL, 4, () => asked++);
    await socket.serving;
    const slot = workerPool.table.put(
      entryFor({ bytes: www }, { server: 4 }, workerPool.table.seed),
      0,
      () => undefined,
    );
    const answer = await new Client(socket.local.port).ask(www);
    expect(Buffer.from(answer!, 'latin1').subarray(0, 12).toString('hex')).toBe('123485000001000100000000');
    expect(asked).toBe(0);
    expect(workerPool.table.takeHits(slot)).toEqual({ plain: 1, edns: 0 });
  });

  it('serves several addresses, each with its own server', async () => {
    const workerPool = await start();
    const served = [0, 1, 2].map((server) => {
      const socket = workerPool.bindUdp(LOCAL, server, (_, peer) => socket.send(Buffer.from(`${server}`), 1, peer));
      return socket;
    });
    await Promise.all(served.map((socket) => socket.serving));
    expect(await Promise.all(served.map((socket) => new Client(socket.local.port).ask('?')))).toEqual(['0', '1', '2']);
  });

  it('sends long answers', async () => {
    const workerPool = await start();
    const socket = workerPool.bindUdp(LOCAL, 0, (bytes, peer) =>
      [4000, 10].forEach((length) => socket.send(Buffer.alloc(length, bytes), length, peer)),
    );
    await socket.serving;
    const client = new Client(socket.local.port);
    client.send('x');
    expect([(await client.next())?.length, (await client.next())?.length]).toEqual([4000, 10]);
  });

  it('goes on after a fault of who takes a datagram, and logs it', async () => {
    const workerPool = await start();
    const socket = workerPool.bindUdp(LOCAL, 0, (bytes, peer) => {
      if (bytes.toString() === 'bad') throw new Error('on purpose');
      socket.send(bytes, bytes.length, peer);
    });
    await socket.serving;
    const client = new Client(socket.local.port);
    client.send('bad');
    expect(await client.ask('good')).toBe('good');
    expect(log.lines).toEqual([expect.stringContaining('[ERROR] taking a datagram: Error: on purpose')]);
  });

  it.each(['', '0.0.0.0'])('answers from the address that was asked, though it listens at all: %j', async (address) => {
    const workerPool = await start();
    const socket = await echo(workerPool, { address, port: 0 });
    const from: string[] = [];
    for (const host of ['127.0.0.1', '127.0.0.2', '127.3.2.1']) {
      const client = dgram.createSocket('udp4');
      const answer = new Promise<dgram.RemoteInfo>((resolve) => client.once('message', (_, peer) => resolve(peer)));
      client.send('?', socket.local.port, host);
      from.push((await answer).address);
      client.close();
    }
    expect(from).toEqual(['127.0.0.1', '127.0.0.2', '127.3.2.1']);
  });

  it('answers from the table from the address that was asked', async () => {
    const workerPool = await start();
    const socket = workerPool.bindUdp({ address: '', port: 0 }, 4, () => undefined);
    await socket.serving;
    workerPool.table.put(entryFor({ bytes: www }, { server: 4 }, workerPool.table.seed), 0, () => undefined);
    const client = dgram.createSocket('udp4');
    const answer = new Promise<dgram.RemoteInfo>((resolve) => client.once('message', (_, peer) => resolve(peer)));
    client.send(www, socket.local.port, '127.0.0.2');
    expect((await answer).address).toBe('127.0.0.2');
    client.close();
  });

  it('takes IPv6', async ({ skip }) => {
    if (!(await hasIpv6())) skip();
    const workerPool = await start();
    const one = await echo(workerPool, { address: '::1', port: 0 });
    expect(await new Client(one.local.port, '::1').ask('six')).toBe('six!');
    const peers: string[] = [];
    const all = workerPool.bindUdp({ address: '', port: 0 }, 0, (bytes, peer) => {
      peers.push(peer.address);
      all.send(bytes, bytes.length, peer);
    });
    await all.serving;
    expect(await new Client(all.local.port, '::1').ask('six')).toBe('six');
    expect(await new Client(all.local.port).ask('four')).toBe('four');
    expect(peers).toEqual(['::1', '127.0.0.1']);
  });
});

describe.skipIf(process.platform !== 'linux')('an address', () => {
  it('that somebody else has is refused', async () => {
    const workerPool = await start(2);
    const other = dgram.createSocket('udp4');
    await new Promise<void>((resolve) => other.bind(0, '127.0.0.1', resolve));
    const { port } = other.address();
    const before = sockets();
    expect(() => workerPool.bindUdp({ address: '127.0.0.1', port }, 0, () => undefined)).toThrow(
      expect.objectContaining({ code: 'EADDRINUSE', message: `bind EADDRINUSE 127.0.0.1:${port}` }) as Error,
    );
    expect(sockets()).toBe(before);
    other.close();
  });

  it('that this host does not have is refused', async () => {
    const workerPool = await start();
    expect(() => workerPool.bindUdp({ address: '192.0.2.1', port: 0 }, 0, () => undefined)).toThrow(
      expect.objectContaining({ code: 'EADDRNOTAVAIL' }) as Error,
    );
    expect(() => workerPool.bindUdp({ address: 'nonsense', port: 0 }, 0, () => undefined)).toThrow(
      "expected an IPv4 or IPv6 address, got 'nonsense'",
    );
  });

  it('beyond the 64th is refused', async () => {
    const workerPool = await start();
    for (let i = 0; i < 64; i++) workerPool.bindUdp(LOCAL, 0, () => undefined);
    expect(() => workerPool.bindUdp(LOCAL, 0, () => undefined)).toThrow(
      'at most 64 listening addresses are possible with batched I/O; -io dgram has no such limit',
    );
  });

  it('that is closed is silent, leaves no descriptor, and lets late answers go nowhere', async () => {
    const workerPool = await start(2);
    await echo(workerPool);
    const before = sockets();
    let late: (() => void) | undefined;
    const socket = workerPool.bindUdp(LOCAL, 0, (bytes, peer) => (late = () => socket.send(bytes, bytes.length, peer)));
    await socket.serving;
    const client = new Client(socket.local.port);
    expect(await client.ask('?', 300)).toBeUndefined();
    const withClient = sockets();
    socket.close();
    socket.close();
    while (sockets() > withClient - 2) await new Promise((resolve) => setTimeout(resolve, 10));
    const heir = await echo(workerPool);
    late!();
    expect(await new Client(heir.local.port).ask('still here')).toBe('still here!');
    expect(await client.next(100)).toBeUndefined();
    expect(before).toBeLessThan(withClient);
  });
});

describe.skipIf(process.platform !== 'linux')('the table', () => {
  it('has a seed of its own in each process', async () => {
    expect((await start()).table.seed).not.toEqual((await start()).table.seed);
  });
});

describe.skipIf(process.platform !== 'linux')('a pause', () => {
  it('delivers all that threads have taken, however slow the chain is', async () => {
    const workerPool = await start();
    const wait = (time: number): void => {
      for (const end = performance.now() + time; performance.now() < end;);
    };
    let delivered = 0;
    const socket = workerPool.bindUdp(LOCAL, 0, () => {
      delivered++;
      wait(0.4);
    });
    await socket.serving;
    const client = dgram.createSocket('udp4');
    await Promise.all(
      Array.from(
        { length: 1500 },
        () => new Promise((resolve) => client.send('?', socket.local.port, '127.0.0.1', resolve)),
      ),
    );
    // The thread takes them meanwhile.
    wait(50);
    await socket.pause!();
    const paused = delivered;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([paused > 0, delivered]).toEqual([true, paused]);
    client.close();
  });
});

describe.skipIf(process.platform !== 'linux')('a socket of another process', () => {
  it('that does not wait and is not made to be shared serves, without keeping a core busy', async () => {
    const libc = loadLibc();
    const fd = libc.socket(AF_INET, SOCK_DGRAM | NONBLOCKING, 0);
    const sockaddr = Buffer.from(encodeSockaddr(LOCAL));
    expect(libc.bind(fd, sockaddr, sockaddr.length)).toBe(0);
    libc.getsockname(fd, sockaddr, Buffer.from(Int32Array.of(sockaddr.length).buffer));
    const at = { address: '127.0.0.1', port: sockaddr.readUInt16BE(2) };
    // Sent before anybody of this process listens.
    const early = new Client(at.port);
    early.send('early');
    const socket = await echo(await start(2, program, new InheritedSockets([{ transport: 'udp', ...at, fd }])), at);
    expect(socket.local).toEqual(at);
    expect((await early.next())?.toString()).toBe('early!');
    const others = Array.from({ length: 8 }, () => new Client(at.port));
    expect(await Promise.all(others.map((client) => client.ask('?')))).toEqual(others.map(() => '?!'));
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(250);
  });
});

describe.skipIf(process.platform !== 'linux')('a thread', () => {
  it('that dies is replaced, and loses nothing that it did not take', async () => {
    const workerPool = await start();
    const socket = await echo(workerPool);
    const client = new Client(socket.local.port);
    expect(await client.ask('before')).toBe('before!');
    workerPool.kill(0);
    const got: (string | undefined)[] = [];
    for (let i = 0; i < 40; i++) {
      got.push(await client.ask(`${i}`));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(got).toEqual(Array.from({ length: 40 }, (_, i) => `${i}!`));
    expect(log.lines).toEqual(['[ERROR] worker 0 died, starting another: it ended']);
  });

  it('that was begun before is taken, and what is left of such ends', async () => {
    const left = beginThread(program);
    const ended = exited(left);
    const begun = new StartingThreads([left, beginThread(program)]);
    const workerPool = await start(1, NOWHERE, undefined, begun);
    await ended;
    expect(await new Client((await echo(workerPool)).local.port).ask('?')).toBe('?!');
  });

  it('that was begun before and has died is not waited for', async () => {
    const dead = beginThread(NOWHERE);
    await exited(dead);
    const workerPool = await start(1, program, undefined, new StartingThreads([dead]));
    expect(await new Client((await echo(workerPool)).local.port).ask('?')).toBe('?!');
  });

  it('that is dead does not hold up the opening and closing of addresses', async () => {
    const workerPool = await start(2);
    await echo(workerPool);
    workerPool.kill(1);
    const socket = await echo(workerPool);
    socket.close();
    expect(await new Client((await echo(workerPool)).local.port).ask('?')).toBe('?!');
  });

  it('that dies again and again is started again and again, and holds up neither opening nor closing nor the end', async () => {
    const workerPool = await start(1, new URL('../support/dying-worker.mjs', import.meta.url));
    for (let i = 0; i < 4; i++) {
      const socket = workerPool.bindUdp(LOCAL, 0, () => undefined);
      await socket.serving;
      await new Promise((resolve) => setTimeout(resolve, 100));
      socket.close();
    }
    await workerPool.stop();
    expect(log.lines.length).toBeGreaterThan(1);
    expect(new Set(log.lines)).toEqual(new Set(['[ERROR] worker 0 died, starting another: on purpose']));
  });

  it('that cannot be started is told at once', async () => {
    await expect(start(2, new URL('file:///nonexistent/worker.js'))).rejects.toThrow(/nonexistent/);
  });

  it('that cannot be started leaves its pool stopped', async () => {
    const workerPool = UdpWorkerPool.begin({
      workers: 2,
      memory: 65_536,
      log: new TestLog(),
      program: new URL('file:///nonexistent/worker.js'),
    });
    expect(workerPool.stopped).toBe(false);
    await expect(workerPool.running).rejects.toThrow(/nonexistent/);
    expect(workerPool.stopped).toBe(true);
  });

  it('that starts after the addresses are opened serves them, and so does one that is stopped before', async () => {
    const options = { workers: 1, memory: 65_536, log: new TestLog(), program };
    const workerPool = UdpWorkerPool.begin(options);
    pools.push(workerPool);
    const { local } = await echo(workerPool);
    expect(await new Client(local.port).ask('late')).toBe('late!');
    const early = UdpWorkerPool.begin(options);
    await early.stop();
    expect(early.stopped).toBe(true);
  });

  it.each([0, 1.5, MAX_WORKERS + 1])('cannot come in a number of %s', async (workers) => {
    await expect(start(workers)).rejects.toThrow(`workers: expected 1 to ${MAX_WORKERS}, got ${workers}`);
  });
});

describe.skipIf(process.platform !== 'linux')('the end', () => {
  it('leaves no descriptor and no thread, however often it is asked for', async () => {
    const before = sockets();
    const tasks = readdirSync('/proc/self/task').length;
    const workerPool = await start(3);
    await echo(workerPool);
    await Promise.all([workerPool.stop(), workerPool.stop()]);
    expect(readdirSync('/proc/self/task').length).toBe(tasks);
    expect(sockets()).toBeLessThanOrEqual(before + 4);
  });

  it('comes under load, with more handed over than there is room for', async () => {
    const workerPool = await start();
    const socket = workerPool.bindUdp(LOCAL, 0, () => {
      // The chain is slow.
      for (const end = performance.now() + 0.2; performance.now() < end;);
    });
    await socket.serving;
    const client = new Client(socket.local.port);
    // Ends with its client, also where the test is over before the pool is.
    const load = setInterval(() => {
      if (!clients.includes(client)) clearInterval(load);
      else for (let i = 0; i < 200; i++) client.send(Buffer.alloc(4000));
    }, 5);
    await new Promise((resolve) => setTimeout(resolve, 200));
    socket.close();
    await workerPool.stop();
    clearInterval(load);
    expect(workerPool.workers).toBe(1);
  });
});
