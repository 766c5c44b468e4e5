import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Program, PROGRAM } from '../support/program.js';
import { Namespaces, inside, runIn, whyNot } from './node-local/namespaces.js';

const reason = whyNot(['ip', 'tc', 'dig', 'dnsperf', 'curl']);
if (reason !== undefined)
  console.log(`test/e2e/slow-way: ${reason} (Debian: iproute2, bind9-dnsutils, dnsperf, curl); skipped`);

/** A client behind a way that takes a kilobyte a second, and what the others ask. */
const SLOW = '127.0.0.9';

describe.skipIf(reason !== undefined).each([
  { name: 'batched', args: ['-io', 'batched', '-workers', '1'] },
  { name: 'dgram', args: ['-io', 'dgram'] },
])('one slow way out, -io $name', ({ args }) => {
  let namespaces: Namespaces;
  let host: string;
  let dir: string;
  let server: Program;

  beforeAll(async () => {
    namespaces = new Namespaces();
    host = namespaces.add('host');
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-slow-way-'));
    for (const words of [
      'qdisc add dev lo root handle 1: htb default 10',
      'class add dev lo parent 1: classid 1:10 htb rate 1gbit quantum 1500',
      'class add dev lo parent 1: classid 1:20 htb rate 8kbit quantum 1500',
      `filter add dev lo parent 1: protocol ip u32 match ip dst ${SLOW}/32 flowid 1:20`,
    ])
      runIn(host, 'tc', ...words.split(' '));
    const corefile = path.join(dir, 'Corefile');
    writeFileSync(
      corefile,
      '.:1053 .:1054 {\n    health 127.0.0.1:8080\n    prometheus 127.0.0.1:9153\n    cache\n    template IN A {\n        answer "{{ .Name }} 60 IN A 192.0.2.1"\n    }\n}\n',
    );
    writeFileSync(path.join(dir, 'names'), Array.from({ length: 20_000 }, (_, i) => `n${i % 500}.test A\n`).join(''));
    server = new Program(inside(host, ...PROGRAM, '-conf', corefile, ...args));
    await server.said(/nodens-/);
  });
  afterAll(async () => {
    await server?.stop();
    namespaces?.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  const dig = (port: number, ...more: string[]): string =>
    runIn(host, 'dig', '@127.0.0.1', '-p', `${port}`, '+short', '+tries=1', '+time=2', 'a.test', ...more).trim();

  it('loses the answers that find no room, and holds up nobody', async () => {
    const flood = new Program(
      inside(
        host,
        'dnsperf',
        '-s',
        '127.0.0.1',
        '-p',
        '1053',
        '-a',
        SLOW,
        '-d',
        path.join(dir, 'names'),
        '-l',
        '6',
        '-q',
        '5000',
        '-t',
        '1',
      ),
    );
    const answers: string[] = [];
    for (let i = 0; i < 8; i++) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      answers.push(dig(1053), dig(1054), dig(1053, '+tcp'));
    }
    const scrape = runIn(host, 'curl', '-sm', '3', 'http://127.0.0.1:8080/health', 'http://127.0.0.1:9153/metrics');
    await flood.stop();
    expect(answers).toEqual(Array(24).fill('192.0.2.1'));
    expect(scrape).toMatch(/^OK/);
  });
});
