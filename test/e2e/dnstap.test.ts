import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { running, type Running } from '../support/running.js';

const installed = (program: string, from: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    console.log(`test/e2e/dnstap: ${program} is not installed (Debian: ${from}); skipped`);
    return false;
  }
};
const both = [installed('fstrm_capture', 'fstrm-bin'), installed('dnstap-ldns', 'dnstap-ldns')].every(Boolean);

const until = async (what: string, met: () => boolean): Promise<void> => {
  const end = Date.now() + 10_000;
  while (!met()) {
    if (Date.now() > end) throw new Error(`${what}: not within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

let dir = '';
let server: Running | undefined;
let capture: ChildProcess | undefined;
afterEach(async () => {
  await server?.stop();
  capture?.kill('SIGKILL');
  server = capture = undefined;
  rmSync(dir, { recursive: true, force: true });
});

/** Each message as dnstap-ldns shows it. */
const shown = (file: string): string[] =>
  execFileSync('dnstap-ldns', ['-r', file, '-y'], { encoding: 'utf8' })
    .split(/^---$/m)
    .filter((text) => text.trim() !== '');

describe('dnstap', () => {
  it.skipIf(!both)('is read by fstrm_capture, and by dnstap-ldns after that', async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-dnstap-'));
    const [socket, file] = [path.join(dir, 'tap.sock'), path.join(dir, 'tap')];
    capture = spawn('fstrm_capture', ['-t', 'protobuf:dnstap.Dnstap', '-u', socket, '-w', file], { stdio: 'ignore' });
    await until('fstrm_capture listens', () => existsSync(socket));
    const upstream = await running('.:0 {\nbind 127.0.0.1\nhosts {\n192.0.2.9 up.example\n}\n}');
    server = await running(`.:0 {
      bind 127.0.0.1
      dnstap ${socket} full {
        identity here
        version v1
        extra "asked {name}"
      }
      hosts {
        192.0.2.7 www.example
        fallthrough
      }
      forward . 127.0.0.1:${upstream.port}
    }`);
    await server.ask('WWW.example.', 'A', { id: 4711 });
    await server.ask('up.example.', 'A');
    await server.stop();
    await upstream.stop();
    const done = new Promise((resolve) => capture!.on('exit', resolve));
    await until('the messages are there', () => existsSync(file) && statSync(file).size > 0);
    capture.kill('SIGINT');
    await done;
    const messages = shown(file);
    const kinds = messages.map((text) => /^ {2}type: (\w+)/m.exec(text)![1]);
    expect(kinds).toEqual([
      'CLIENT_QUERY',
      'CLIENT_RESPONSE',
      'CLIENT_QUERY',
      'FORWARDER_QUERY',
      'FORWARDER_RESPONSE',
      'CLIENT_RESPONSE',
    ]);
    const [query, response, , asked, answered] = messages;
    for (const text of messages)
      expect(text).toMatch(
        /type: MESSAGE\nidentity: "here"\nversion: "v1"[^]*socket_family: INET\n {2}socket_protocol: UDP/,
      );
    expect(query).toMatch(/query_address: "127\.0\.0\.1"\n/);
    expect(query).toMatch(/query_message: \|[^]*id: 4711[^]*WWW\.example\.\s+IN\s+A/);
    expect(response).toMatch(/response_message: \|[^]*id: 4711[^]*WWW\.example\.\s+\d+\s+IN\s+A\s+192\.0\.2\.7/i);
    expect(asked).toContain(`response_port: ${upstream.port}`);
    expect(answered).toMatch(/up\.example\.\s+\d+\s+IN\s+A\s+192\.0\.2\.9/);
  });

  it('loses no query, and counts what it drops, where its reader has stopped', async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-dnstap-'));
    const socket = path.join(dir, 'tap.sock');
    const connections: net.Socket[] = [];
    const stopped = net.createServer((connection) => {
      connections.push(connection);
      connection.once('data', () => {
        const accept = Buffer.from('0000000000000022000000010000000100000016', 'hex');
        connection.write(Buffer.concat([accept, Buffer.from('protobuf:dnstap.Dnstap')]));
        connection.pause();
      });
    });
    await new Promise<void>((resolve) => stopped.listen(socket, resolve));
    server = await running(`.:0 {\nbind 127.0.0.1\ndnstap ${socket} full\nwhoami\n}`);
    await until('the reader is there', () => connections.length > 0);
    for (let i = 0; i < 200; i++)
      await Promise.all(Array.from({ length: 100 }, () => server!.server.inject({ name: 'x.', type: 1 })));
    expect((await server.ask('x.')).rcode).toBe(0);
    const text = await server.server.runtime.metrics.text();
    const dropped = Number(/^coredns_dnstap_dropped_total\{socket="[^"]*"\} (\d+)$/m.exec(text)?.[1]);
    expect(dropped).toBeGreaterThan(10_000);
    connections.forEach((connection) => connection.destroy());
    await new Promise((resolve) => stopped.close(resolve));
  });
});
