import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Server } from '../../src/server/server.js';
import { TestLog } from '../support/block.js';

const COREFILE = `.:0 {
    bind 127.0.0.1
    hosts {
        192.0.2.1 hello.nodens.test
        2001:db8::1 hello.nodens.test
    }
}
`;

let server: Server;
let port: string;

beforeAll(async () => {
  server = await Server.create({ corefile: COREFILE, log: new TestLog() });
  await server.listen();
  port = String(server.served[0]!.port);
});
afterAll(() => server.stop());

/** Whether Debian's client is there; a test without it says what it misses. */
const missing = (tool: string): boolean => {
  const absent = spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0;
  if (absent)
    console.log(
      `test/e2e/tools: ${tool} is not installed (Debian: bind9-dnsutils, knot-dnsutils); its rows are skipped`,
    );
  return absent;
};

/** Runs a client without stopping this process, which is the server. */
async function run(command: string, ...args: string[]): Promise<string> {
  const { execFile } = await import('node:child_process');
  return new Promise((resolve) => execFile(command, args, { timeout: 10_000 }, (_error, stdout) => resolve(stdout)));
}

describe.skipIf(missing('dig'))('dig', () => {
  it.each([
    { name: 'A over UDP', args: ['+short', 'hello.nodens.test'], want: '192.0.2.1\n' },
    { name: 'A over TCP', args: ['+tcp', '+short', 'hello.nodens.test'], want: '192.0.2.1\n' },
    { name: 'AAAA', args: ['+short', 'hello.nodens.test', 'AAAA'], want: '2001:db8::1\n' },
    { name: 'PTR', args: ['+short', '-x', '192.0.2.1'], want: 'hello.nodens.test.\n' },
    { name: 'without EDNS', args: ['+noedns', '+short', 'HELLO.nodens.test'], want: '192.0.2.1\n' },
  ])('$name', async ({ args, want }) => expect(await run('dig', '@127.0.0.1', '-p', port, ...args)).toBe(want));

  it('sees no warning in an answer', async () => {
    const text = await run('dig', '@127.0.0.1', '-p', port, 'hello.nodens.test');
    expect(text).toContain('status: NOERROR');
    // Names of its own are answered without RA, as CoreDNS answers them, and dig says so to a question with RD.
    expect(text.replace(';; WARNING: recursion requested but not available\n', '')).not.toMatch(
      /warning|malformed|mismatch/i,
    );
  });
});

describe.skipIf(missing('nslookup'))('nslookup', () => {
  it('finds both addresses', async () => {
    const text = await run('nslookup', `-port=${port}`, 'hello.nodens.test', '127.0.0.1');
    expect(text).toMatch(
      /Name:\thello\.nodens\.test\nAddress: 192\.0\.2\.1\nName:\thello\.nodens\.test\nAddress: 2001:db8::1/,
    );
  });
});

describe.skipIf(missing('kdig'))('kdig', () => {
  it.each([
    { name: 'UDP', args: [] },
    { name: 'TCP', args: ['+tcp'] },
  ])('$name', async ({ args }) =>
    expect(await run('kdig', '@127.0.0.1', '-p', port, '+short', ...args, 'hello.nodens.test')).toBe('192.0.2.1\n'),
  );
});
