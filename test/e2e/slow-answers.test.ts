import dgram from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/wire/index.js';
import { DebianServer, freePort, isInstalled } from '../support/debian-server.js';
import { query } from '../support/dns.js';
import { InOrderRelay } from '../support/in-order-relay.js';
import { Program, PROGRAM } from '../support/program.js';

/** In milliseconds. */
const SLOW = 300;
const PAUSE = 5;

/** Whether the test can run here; says what is missing where not. */
function missing(): boolean {
  const absent = !isInstalled('nsd');
  if (absent) console.log('test/e2e/slow-answers: nsd is not installed (Debian: nsd); skipped');
  return absent;
}

interface Answered {
  rcode: number;
  /** In milliseconds. */
  took: number;
}

/** Asks for each name in turn, 200 a second, whether answers come or not. */
async function askAll(port: number, names: readonly string[]): Promise<(Answered | undefined)[]> {
  const socket = dgram.createSocket('udp4');
  const answers = new Array<Answered | undefined>(names.length).fill(undefined);
  const sent: number[] = [];
  socket.on('message', (bytes) => {
    const id = bytes.readUInt16BE(0);
    answers[id] ??= { rcode: decodeMessage(bytes).rcode, took: performance.now() - sent[id]! };
  });
  for (const [id, name] of names.entries()) {
    sent[id] = performance.now();
    socket.send(query(name, 'A', { id }).bytes, port, '127.0.0.1');
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  for (let tries = 0; tries < 60 && answers.includes(undefined); tries++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  socket.close();
  return answers;
}

describe.skipIf(missing())('slow answers of a server that works on one query of a connection at a time', () => {
  let dir: string;
  let nsd: DebianServer;
  let relay: InOrderRelay;
  let program: Program;
  let port: number;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-slow-'));
    nsd = await DebianServer.nsd(
      'example.org',
      '$TTL 300\n@ IN SOA ns.example.org. host.example.org. 1 3600 900 604800 300\n@ IN NS ns\nns IN A 192.0.2.1\n* IN A 192.0.2.2\n',
    );
    relay = await InOrderRelay.start(nsd.port, (bytes) => (bytes.includes('slow') ? SLOW : 0));
    port = await freePort();
    writeFileSync(
      path.join(dir, 'Corefile'),
      `.:${port} {\n    bind 127.0.0.1\n    forward . 127.0.0.1:${relay.port} {\n        force_tcp\n    }\n}\n`,
    );
    program = new Program([...PROGRAM, '-conf', 'Corefile'], {}, dir);
    await program.said(/nodens-/);
  });
  afterAll(async () => {
    await program.stop();
    relay.stop();
    await nsd.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('hold up no others, and none fails', async () => {
    const names = Array.from({ length: 800 }, (_, i) => `${i % 10 === 3 ? 'slow' : 'quick'}${i}.example.org.`);
    const answers = await askAll(port, names);
    expect(answers.map((answer) => answer?.rcode)).toEqual(new Array(names.length).fill(0));
    const quick = answers.filter((_, i) => i % 10 !== 3).map((answer) => answer!.took);
    // Half of what one slow answer takes: far beyond what a busy machine adds, and below what waiting for one costs.
    expect(quick.filter((took) => took > SLOW / 2).length).toBeLessThanOrEqual(quick.length / 50);
    expect(relay.connections).toBeLessThan(60);
  });
});
