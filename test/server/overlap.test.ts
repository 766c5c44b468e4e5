import dgram from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Server } from '../../src/server/server.js';
import { decodeMessage } from '../../src/wire/index.js';
import { TestLog } from '../support/block.js';
import { query } from '../support/dns.js';
import { PROGRAM, Program } from '../support/program.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A port that nothing listens at. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const template = (zone: string, address: string, more = ''): string =>
  `${zone} {\n${more}\ntemplate IN A . {\nanswer "{{ .Name }} 5 IN A ${address}"\n}\n}\n`;

/** Asks over UDP and over TCP: the last octet of the address, or the rcode. */
async function told(name: string, address: string, port: number): Promise<string[]> {
  const { bytes } = query(name);
  const said = (reply: Buffer): string => {
    const { answer, rcode } = decodeMessage(reply);
    return answer.length === 0 ? `rcode ${rcode}` : String(answer[0]!.rdata.at(-1));
  };
  const udp = new Promise<string>((resolve, reject) => {
    const socket = dgram.createSocket('udp4');
    socket.on('message', (reply) => {
      socket.close();
      resolve(said(reply));
    });
    socket.on('error', reject);
    socket.send(bytes, port, address);
  });
  const tcp = new Promise<string>((resolve, reject) => {
    const stream = net.connect(port, address, () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      stream.write(Buffer.concat([length, bytes]));
    });
    stream.once('data', (reply) => {
      stream.destroy();
      resolve(said(reply.subarray(2)));
    });
    stream.on('error', reject);
  });
  return Promise.all([udp, tcp]);
}

const THREE = (port: number): string =>
  template(`corp.example:${port}`, '192.0.2.1') +
  template(`.:${port}`, '192.0.2.2', 'bind 127.0.0.1') +
  template(`.:${port}`, '192.0.2.3', 'bind 127.0.0.2');

async function expectThree(port: number): Promise<void> {
  expect(await told('a.corp.example.', '127.0.0.1', port)).toEqual(['2', '2']);
  expect(await told('a.corp.example.', '127.0.0.2', port)).toEqual(['3', '3']);
  expect(await told('a.corp.example.', '127.0.0.3', port)).toEqual(['1', '1']);
  expect(await told('elsewhere.', '127.0.0.3', port)).toEqual(['rcode 5', 'rcode 5']);
}

describe('several addresses of one port', () => {
  async function serve(text: () => string): Promise<Server> {
    const server = await Server.create({ corefile: { name: 'Corefile', read: text }, log: new TestLog() });
    ends.push(() => server.stop());
    await server.listen();
    return server;
  }

  it('a block at one address stands beside one at all', async () => {
    const port = await freePort();
    await serve(() => THREE(port));
    await expectThree(port);
  });

  it('as well where threads take the datagrams', async () => {
    const port = await freePort();
    const dir = mkdtempSync(path.join(os.tmpdir(), 'overlap-'));
    ends.push(() => rmSync(dir, { recursive: true }));
    writeFileSync(path.join(dir, 'Corefile'), THREE(port));
    const program = new Program([...PROGRAM, '-conf', path.join(dir, 'Corefile')]);
    ends.push(() => program.stop());
    await program.said(/corp\.example\.:/);
    await vi.waitFor(() => expectThree(port), 10_000);
  });

  it('IPv4 at all addresses beside one', async () => {
    const port = await freePort();
    await serve(
      () => template(`.:${port}`, '192.0.2.1', 'bind 127.0.0.1') + template(`.:${port}`, '192.0.2.2', 'bind 0.0.0.0'),
    );
    expect(await told('a.', '127.0.0.1', port)).toEqual(['1', '1']);
    expect(await told('a.', '127.0.0.2', port)).toEqual(['2', '2']);
  });

  it('comes and goes with reloads', async () => {
    const port = await freePort();
    const one = template(`.:${port}`, '192.0.2.1', 'bind 127.0.0.1');
    const all = template(`corp.example:${port}`, '192.0.2.2');
    let text = one;
    const server = await serve(() => text);
    for (const next of [one + all, one, all, one + all]) {
      text = next;
      expect(await server.reload()).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await told('a.corp.example.', '127.0.0.1', port)).toEqual(next.includes('bind') ? ['1', '1'] : ['2', '2']);
      if (next.includes('corp')) expect(await told('a.corp.example.', '127.0.0.2', port)).toEqual(['2', '2']);
    }
  });

  it('a reload that fails leaves the one address listening', async () => {
    const port = await freePort();
    const taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    ends.push(() => taken.close());
    const one = template(`.:${port}`, '192.0.2.1', 'bind 127.0.0.1');
    let text = one;
    const server = await serve(() => text);
    text = `${one}${template(`corp.example:${port}`, '192.0.2.2')}${template(`.:${(taken.address() as net.AddressInfo).port}`, '192.0.2.3', 'bind 127.0.0.1')}`;
    expect(await server.reload()).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await told('a.corp.example.', '127.0.0.1', port)).toEqual(['1', '1']);
  });
});
