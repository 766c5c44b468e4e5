import { afterEach, describe, expect, it } from 'vitest';
import { beginThreads, earlyThreads } from '../../src/cli/early-threads.js';
import { defaultWorkers } from '../../src/server/io-flags.js';

describe.skipIf(process.platform !== 'linux')('threads that are begun before the program is loaded', () => {
  afterEach(() => earlyThreads()?.endRest());

  it.each([
    { name: 'as many as a server has', args: ['-conf', 'Corefile'], count: defaultWorkers() },
    { name: 'as many as the flag says', args: ['-workers', '3'], count: 3 },
    { name: 'none with plain sockets', args: ['-io', 'dgram'], count: 0 },
    { name: 'none where a flag is wrong', args: ['-workers', 'many'], count: 0 },
    { name: 'none for an unknown flag', args: ['-localip', '1'], count: 0 },
    { name: 'none for a command', args: ['check', 'Corefile'], count: 0 },
  ])('$name', ({ args, count }) => {
    beginThreads(args);
    const begun = Array.from({ length: count + 1 }, () => earlyThreads()?.take());
    expect(begun.filter((thread) => thread !== undefined)).toHaveLength(count);
    for (const thread of begun) void thread?.terminate();
  });
});
