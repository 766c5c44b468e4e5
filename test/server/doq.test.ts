import { mkdtempSync, copyFileSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Reply, definePlugin, type Handler, type Query } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { PLUGINS } from '../../src/server/directives.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { Server } from '../../src/server/server.js';
import { decodeMessage, frame, rcodeName } from '../../src/wire/index.js';
import { TestLog } from '../support/block.js';
import { query, rr, texts } from '../support/dns.js';
import { QuicClient, quicLibrary, type QuicClientOptions } from '../support/quic-client.js';
import { until } from '../support/ways.js';

const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const pair = (name: string): QuicClientOptions => ({
  cert: readFileSync(`${FILES}/${name}cert.pem`),
  key: readFileSync(`${FILES}/${name}key.pem`),
});

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Queries for `slow.` wait until they are let go. */
class Slow implements Handler {
  readonly name = 'slow';
  readonly waiting: (() => void)[] = [];
  handle({ name, qname }: Query): Reply | Promise<Reply> {
    const reply = Reply.of(0, 0, { answer: [rr(`${qname} 60 IN TXT "${name}"`)] });
    return name === 'slow.' ? new Promise((resolve) => this.waiting.push(() => resolve(reply))) : reply;
  }
}

interface World {
  readonly server: Server;
  readonly slow: Slow;
  readonly connect: (options?: QuicClientOptions) => Promise<QuicClient>;
}

async function start(lines: readonly string[] = [], options: Partial<ServerOptions> = {}, tls = ''): Promise<World> {
  const slow = new Slow();
  const own = ['bind 127.0.0.1', tls || `tls ${FILES}/cert.pem ${FILES}/key.pem`, ...lines, 'slow'];
  const server = await Server.create({
    corefile: `quic://.:0 {\n${own.join('\n')}\n}\n`,
    log: new TestLog(),
    plugins: [...PLUGINS, definePlugin('slow', () => slow)],
    ...options,
  });
  await server.listen();
  ends.push(() => server.stop());
  const connect = async (how?: QuicClientOptions): Promise<QuicClient> => {
    const client = await QuicClient.connect(server.served[0]!.port, how);
    ends.push(() => client.close());
    return client;
  };
  return { server, slow, connect };
}

type Options = Parameters<typeof query>[2];
const message = (name = 'a.', type = 'TXT', options: Options = {}): Buffer =>
  Buffer.from(query(name, type, { id: 0, ...options }).bytes);
const changed = (change: (bytes: Buffer) => void): Buffer => {
  const bytes = message();
  change(bytes);
  return bytes;
};
const answer = (client: QuicClient, bytes: Uint8Array = message()): Promise<Buffer> =>
  new Promise((resolve) => client.ask(frame(bytes), (got) => resolve(got)));
const said = (got: Buffer): string[] => texts(decodeMessage(got.subarray(2)).answer);

describe.skipIf(quicLibrary === undefined)('DNS over QUIC', () => {
  it('answers many queries on one connection, each on its stream, as they get ready', async () => {
    const { server, slow, connect } = await start();
    const client = await connect();
    const late = answer(client, message('slow.'));
    await until(() => slow.waiting.length === 1);
    const names = Array.from({ length: 300 }, (_, i) => `n${i}.`);
    for (const name of names) {
      const got = await answer(client, message(name));
      expect(got.readUInt16BE(0)).toBe(got.length - 2);
      expect(said(got)).toEqual([`${name} 60 IN TXT "${name}"`]);
    }
    slow.waiting[0]!();
    expect(said(await late)).toEqual(['slow. 60 IN TXT "slow."']);
    expect(await server.runtime.metrics.text()).toContain(
      `coredns_dns_quic_responses_total{server="quic://127.0.0.1:${server.served[0]!.port}",status="0x0"} 301\n`,
    );
  });

  it('pads answers to padded queries (RFC 8467 section 4.1)', async () => {
    const { connect } = await start();
    const padded = message('a.', 'TXT', { edns: 1232, options: [{ code: 12, data: Buffer.alloc(20) }] });
    expect((await answer(await connect(), padded)).length - 2).toBe(468);
  });

  it('NOTIFY is a query as any other', async () => {
    const { connect } = await start();
    const got = await answer(
      await connect(),
      changed((bytes) => (bytes[2] = 4 << 3)),
    );
    expect(rcodeName(got[5]! & 15)).toBe('NOERROR');
  });

  it.each([
    { name: 'a message id', bytes: frame(message('a.', 'TXT', { id: 1 })) },
    { name: 'a message of no bytes', bytes: Buffer.from([0, 0]) },
    { name: 'a message of one byte', bytes: Buffer.from([0, 1, 0]) },
    { name: 'no message', bytes: Buffer.alloc(0) },
    { name: 'half a length', bytes: Buffer.from([0]) },
    { name: 'an end before the message is complete', bytes: frame(message()).subarray(0, 20) },
    { name: 'two messages on a stream', bytes: Buffer.concat([frame(message()), frame(message())]) },
    { name: 'a byte behind the message', bytes: Buffer.concat([frame(message()), Buffer.from([0])]) },
    { name: 'UPDATE', bytes: frame(changed((bytes) => (bytes[2] = 5 << 3))) },
    { name: 'a response', bytes: frame(changed((bytes) => (bytes[2] = 0x81))) },
    {
      name: 'the option for TCP connections',
      bytes: frame(message('a.', 'TXT', { edns: 1232, options: [{ code: 11, data: Buffer.alloc(0) }] })),
    },
  ])('$name ends the connection with DOQ_PROTOCOL_ERROR', async ({ bytes }) => {
    const { server, connect } = await start();
    const client = await connect();
    client.ask(bytes, () => undefined);
    await client.when(() => false);
    expect(client.code).toBe(2);
    expect(await server.runtime.metrics.text()).toContain('status="0x2"} 1\n');
  });

  it('takes a message byte by byte, but not for longer than messages may take', async () => {
    const clock = new ManualClock();
    const { connect } = await start([], { clock });
    ends.push(() => void setImmediate(() => clock.advance(60_000)));
    const client = await connect();
    const bytes = frame(message());
    const whole = answer(client, message('b.'));
    let got: Buffer | undefined;
    const id = client.ask(bytes.subarray(0, 1), (all) => (got = all), false);
    for (let i = 1; i < bytes.length; i++) client.write(id, bytes.subarray(i, i + 1), i === bytes.length - 1);
    await until(() => got !== undefined);
    expect(said(got!)).toEqual(['a. 60 IN TXT "a."']);
    expect(said(await whole)).toEqual(['b. 60 IN TXT "b."']);
    client.ask(bytes.subarray(0, 10), () => undefined, false);
    for (let i = 0; i < 40 && !client.closed; i++) {
      clock.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect([client.closed, client.code]).toEqual([true, 0]);
  });

  it('a client has as many streams at a time as max_streams says', async () => {
    const { slow, connect } = await start(['quic {\nmax_streams 2\n}']);
    const client = await connect();
    const both = [answer(client, message('slow.')), answer(client, message('slow.'))];
    await until(() => slow.waiting.length === 2);
    const third = answer(client, message('slow.'));
    await answer(await connect());
    expect([client.unsent.size, slow.waiting.length]).toEqual([1, 2]);
    for (const go of slow.waiting) go();
    await Promise.all(both);
    await until(() => slow.waiting.length === 3);
    slow.waiting[2]!();
    expect(said(await third)).toEqual(['slow. 60 IN TXT "slow."']);
  });

  it('queries beyond worker_pool_size wait for their turn; slow messages take nobody a place', async () => {
    const { slow, connect } = await start(['quic {\nworker_pool_size 1\n}']);
    const [one, other, third] = [await connect(), await connect(), await connect()];
    one.ask(frame(message()).subarray(0, 5), () => undefined, false);
    const late = answer(one, message('slow.'));
    await until(() => slow.waiting.length === 1);
    let answered = false;
    const next = answer(other).then((got) => ((answered = true), got));
    // What is sent later and refused at once tells that the query has come.
    await answer(third, message('x.', 'TXT', { id: 1 }));
    expect(answered).toBe(false);
    slow.waiting[0]!();
    expect(said(await late)).toEqual(['slow. 60 IN TXT "slow."']);
    await next;
  });

  it('a client that takes its queries back as fast as it sends them is closed', async () => {
    const { slow, connect } = await start();
    const client = await connect();
    for (let i = 0; i < 1000 && !client.closed; i++) {
      const id = client.ask(frame(message('slow.')), () => undefined);
      client.state.streamShutdown(id, 0, 3);
      client.pump();
      if (i % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(client.closed).toBe(true);
    expect(slow.waiting.length).toBeLessThan(300);
    for (const go of slow.waiting) go();
  });

  it('a client that sends much and asks nothing is closed', async () => {
    const { connect } = await start();
    const client = await connect();
    for (let i = 0; i < 2000 && !client.closed; i++) {
      client.noise();
      if (i % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(client.code).toBe(4);
  });

  it('takes nothing before the handshake is through (0-RTT)', async () => {
    const { connect } = await start();
    const first = await connect({ early: true });
    expect(said(await answer(first))).toEqual(['a. 60 IN TXT "a."']);
    const session = first.session!;
    expect(session.length).toBeGreaterThan(0);
    const second = await connect({ early: true, session });
    expect([second.wasEarly, second.resumed]).toEqual([false, true]);
  });

  it('speaks nothing but doq', async () => {
    const { connect } = await start();
    await expect(connect({ protocol: 'h3' })).rejects.toThrow('the server ended the connection');
  });

  it.each([
    { mode: 'nocert', none: true, own: true, known: true },
    { mode: 'require', none: false, own: true, known: true },
    { mode: 'require_and_verify', none: false, own: false, known: true },
  ])('client_auth $mode', async ({ mode, none, own, known }) => {
    const tls = `tls ${FILES}/cert.pem ${FILES}/key.pem ${FILES}/other-cert.pem {\nclient_auth ${mode}\n}`;
    const { connect } = await start([], {}, tls);
    const served = async (how?: QuicClientOptions): Promise<boolean> => {
      try {
        return (await answer(await connect(how))).length > 0;
      } catch {
        return false;
      }
    };
    expect([await served(), await served(pair('')), await served(pair('other-'))]).toEqual([none, own, known]);
  });

  it.each(['request', 'verify_if_given'])('client_auth %s is refused', async (mode) => {
    const tls = `tls ${FILES}/cert.pem ${FILES}/key.pem {\nclient_auth ${mode}\n}`;
    await expect(start([], {}, tls)).rejects.toThrow(
      "Corefile:1: server block key 'quic://.:0': clients over QUIC have to give a certificate, or are not asked for one: " +
        'client_auth allows nocert, require, require_and_verify here',
    );
  });

  it('shows a certificate whose files have changed to those who come then', async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-doq-'));
    ends.push(() => rmSync(dir, { recursive: true }));
    const put = (name: string, time: number): void =>
      ['cert', 'key'].forEach((part) => {
        copyFileSync(`${FILES}/${name}${part}.pem`, `${dir}/${part}.pem`);
        utimesSync(`${dir}/${part}.pem`, time, time);
      });
    put('', 1000);
    const clock = new ManualClock(Date.now());
    const { server, connect } = await start([], { clock }, `tls ${dir}/cert.pem ${dir}/key.pem`);
    ends.push(() => void setImmediate(() => clock.advance(60_000)));
    const shown = async (): Promise<string> =>
      new X509Certificate((await connect()).state.peerCertChain()![0]!).subject;
    const before = await shown();
    put('other-', 2000);
    clock.advance(10_000);
    expect((server.runtime.log as TestLog).lines.join()).toContain('read again');
    expect(await shown()).not.toBe(before);
    expect(await shown()).toBe(new X509Certificate(readFileSync(`${FILES}/other-cert.pem`)).subject);
  });

  it('ends its connections when the server stops, after the last answer', async () => {
    const { server, slow, connect } = await start();
    const [busy, idle] = [await connect(), await connect()];
    const late = answer(busy, message('slow.'));
    await until(() => slow.waiting.length === 1);
    const stopped = server.stop();
    await idle.when(() => false);
    expect([idle.code, busy.closed]).toEqual([0, false]);
    slow.waiting[0]!();
    expect(said(await late)).toEqual(['slow. 60 IN TXT "slow."']);
    await stopped;
    await busy.when(() => false);
    expect(busy.code).toBe(0);
  });
});
