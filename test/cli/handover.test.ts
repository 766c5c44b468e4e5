import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { handOver, inheritedSockets, tellServing } from '../../src/cli/handover.js';
import { ManualClock } from '../../src/lib/clock.js';
import { TestLog } from '../support/block.js';

/** A process that was started, and is told by hand what becomes of it. */
class Child extends EventEmitter {
  readonly done: string[] = [];
  kill = (signal: string): void => void this.done.push(`kill ${signal}`);
  unref = (): void => void this.done.push('unref');
}

function begin(pid = 7) {
  const [clock, log, child] = [new ManualClock(), new TestLog(), new Child()];
  const started: (readonly [string, readonly string[], SpawnOptions])[] = [];
  const serves = handOver({ HOME: '/here' }, log, {
    pid,
    clock,
    start: (...call) => {
      started.push(call);
      return child as unknown as ChildProcess;
    },
  });
  return { clock, log, child, started, serves };
}

describe('a hand-over', () => {
  it.each([
    { name: 'that serves', act: (child: Child) => child.emit('message', 'serving'), done: ['unref'], serves: true },
    {
      name: 'that says something else first',
      act: (child: Child) => ['loaded', 'serving'].map((word) => child.emit('message', word)),
      ...{ done: ['unref'], serves: true },
    },
    { name: 'that ends', act: (child: Child) => child.emit('exit', 3, null), why: 'it ended with 3' },
    {
      name: 'that is ended',
      act: (child: Child) => child.emit('exit', null, 'SIGKILL'),
      why: 'it was ended by SIGKILL',
    },
    { name: 'that cannot be started', act: (child: Child) => child.emit('error', new Error('EAGAIN')), why: 'EAGAIN' },
    {
      name: 'that says nothing',
      act: (_: Child, clock: ManualClock) => clock.advance(30_000),
      ...{ done: ['kill SIGKILL'], why: 'no word from it after 30 s' },
    },
  ])('to a process $name', async ({ act, done = [], serves = false, why }) => {
    const one = begin();
    one.clock.advance(29_999);
    act(one.child, one.clock);
    expect(await one.serves).toBe(serves);
    // What comes later changes nothing, and nothing is minded any more.
    one.child.emit('exit', 0, null);
    one.clock.advance(60_000);
    expect(one.child.done).toEqual(done);
    expect(one.log.lines).toEqual(
      why === undefined ? [] : [`[ERROR] the new process does not serve: ${why}; going on`],
    );
  });

  it('of process 1 is refused: a container ends with it', async () => {
    const { serves, started, log } = begin(1);
    expect([await serves, started]).toEqual([false, []]);
    expect(log.lines).toEqual(['[ERROR] process 1 of a container cannot hand over: the container ends with it']);
  });

  it.skipIf(process.platform !== 'linux')('starts the same command line with the sockets of this process', async () => {
    const [listener, other] = [net.createServer(), net.createServer()];
    for (const one of [listener, other]) await once(one.listen(0, '127.0.0.1'), 'listening');
    const { started } = begin();
    const [[program, args, { stdio, env }]] = started as [(typeof started)[0]];
    expect([program, args]).toEqual([process.execPath, [...process.execArgv, ...process.argv.slice(1)]]);
    expect((stdio as unknown[]).slice(0, 4)).toEqual(['inherit', 'inherit', 'inherit', 'ipc']);
    expect(env).toMatchObject({ HOME: '/here' });
    const told = JSON.parse(env!.NODENS_SOCKETS!) as { transport: string; address: string; port: number; fd: number }[];
    expect(told.map(({ fd }) => fd)).toEqual((stdio as unknown[]).slice(4).map((_, i) => i + 4));
    const { port } = listener.address() as net.AddressInfo;
    const own = told.find((socket) => socket.port === port);
    expect(own).toMatchObject({ transport: 'tcp', address: '127.0.0.1' });
    const { fd } = (listener as unknown as { _handle: { fd: number } })._handle;
    expect((stdio as unknown[])[own!.fd]).toBe(fd);
    for (const one of [listener, other]) one.close();
    expect(told.length).toBeGreaterThan(1);
  });
});

describe('a process that was started to take over', () => {
  it.each([{ NODENS_SOCKETS: '' }, {}])('is not one with %o', (env) => expect(inheritedSockets(env)).toBeUndefined());

  it('says that it serves, and then hears no more', () => {
    const done: string[] = [];
    tellServing({
      send: (word: string, then: () => void) => {
        done.push(word);
        then();
        return true;
      },
      disconnect: () => void done.push('disconnect'),
    } as unknown as NodeJS.Process);
    expect(done).toEqual(['serving', 'disconnect']);
    expect(() => tellServing({} as NodeJS.Process)).not.toThrow();
  });
});
