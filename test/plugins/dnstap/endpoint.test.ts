import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Network } from '../../../src/net/network.js';
import { dial, type TapEndpoint } from '../../../src/plugins/dnstap/endpoint.js';
import { openPort } from '../../../src/plugins/dnstap/ports.js';
import { dnstap } from '../../../src/plugins/dnstap/setup.js';
import { setup } from '../../support/block.js';
import { query } from '../../support/dns.js';
import { duplexPair } from '../../support/duplex-pair.js';
import { FakeNetwork } from '../../support/fake-network.js';

const FILES = path.resolve(import.meta.dirname, '../tls/files');
const pem = (name: string): string => readFileSync(`${FILES}/${name}.pem`, 'utf8');
const [CERT, KEY, OTHER_CERT, OTHER_KEY] = ['cert', 'key', 'other-cert', 'other-key'].map(pem) as [
  string,
  string,
  string,
  string,
];

let dir = '';
const closed: (() => void)[] = [];
/** Real sockets take no time here. */
const POLL = { interval: 2 };
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-dnstap-'));
});
afterEach(() => {
  for (const close of closed.splice(0)) close();
  rmSync(dir, { recursive: true, force: true });
});

/** A network where everybody who connects gets one end of a pair, and everybody who listens the ends of later ones. */
function pairs(onConnection: (stream: Duplex) => void = () => undefined) {
  const network = new FakeNetwork();
  const asked: string[] = [];
  const listens = new Map<string, (stream: Duplex) => void>();
  const end = { address: '127.0.0.1', port: 1 };
  const connectTcp: Network['connectTcp'] = (to) => {
    asked.push(`${to.address} ${to.port}`);
    const [near, far] = duplexPair();
    onConnection(far);
    return Promise.resolve({ stream: near, local: end, remote: to });
  };
  const listenTcp: Network['listenTcp'] = (at, accept) => {
    const key = `${at.address} ${at.port}`;
    if (listens.has(key)) return Promise.reject(new Error('listen EADDRINUSE'));
    listens.set(key, (stream) => accept({ stream, local: at, remote: end }));
    return Promise.resolve({ local: at, close: () => void listens.delete(key) });
  };
  return { network: Object.assign(network, { connectTcp, listenTcp }) as Network, asked, listens };
}

const never = new AbortController().signal;
const received = (stream: Duplex): Promise<string> =>
  new Promise((resolve, reject) => {
    stream.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('closed')));
  });

describe('a connection to a reader', () => {
  it('goes to a path', async () => {
    const [socket, texts] = [path.join(dir, 'tap.sock'), [] as Promise<string>[]];
    const server = net.createServer((stream) => void texts.push(received(stream)));
    closed.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const stream = await dial({ kind: 'unix', path: socket }, pairs(), true, never);
    stream.write('here');
    await expect.poll(() => texts.length, POLL).toBe(1);
    expect(await texts[0]).toBe('here');
    stream.destroy();
  });

  it('fails where nobody is at the path', () =>
    expect(dial({ kind: 'unix', path: path.join(dir, 'none') }, pairs(), true, never)).rejects.toThrow('ENOENT'));

  it('goes to an address as it is', async () => {
    const { network, asked } = pairs((far) => far.write('plain'));
    const stream = await dial({ kind: 'tcp', host: '192.0.2.1', port: 6000 }, { network }, true, never);
    expect(await received(stream)).toBe('plain');
    expect(asked).toEqual(['192.0.2.1 6000']);
  });

  /** A reader with TLS: what name it was asked for, and what it sends. */
  function secured() {
    const names: unknown[] = [];
    const world = pairs((far) => {
      const own = new tls.TLSSocket(far, { isServer: true, cert: CERT, key: KEY });
      own.on('error', () => undefined);
      own.on('secure', () => {
        names.push((own as tls.TLSSocket & { servername?: unknown }).servername);
        own.write('secret');
      });
    });
    return { ...world, names };
  }

  it.each([
    { name: 'by name', host: 'localhost', want: 'localhost' },
    { name: 'by address, which no name is asked for', host: '127.0.0.1', want: false },
  ])('is encrypted: $name', async ({ host, want }) => {
    const { network, names } = secured();
    const stream = await dial({ kind: 'tls', host, port: 6000 }, { network }, false, never);
    expect(await received(stream)).toBe('secret');
    expect(names).toEqual([want]);
    stream.destroy();
  });

  it('is refused where the certificate is not one to trust', async () => {
    const { network } = secured();
    await expect(dial({ kind: 'tls', host: '127.0.0.1', port: 6000 }, { network }, true, never)).rejects.toThrow(
      /self.signed|unable to verify/,
    );
  });

  it('is closed where it is given up before it is encrypted', async () => {
    const ends: Duplex[] = [];
    const { network } = pairs((far) => void ends.push(far.resume()));
    const giving = new AbortController();
    const failed = expect(
      dial({ kind: 'tls', host: '127.0.0.1', port: 6000 }, { network }, true, giving.signal),
    ).rejects.toThrow();
    await expect.poll(() => ends.length, POLL).toBe(1);
    giving.abort(new Error('too late'));
    await failed;
    await expect.poll(() => ends[0]!.destroyed, POLL).toBe(true);
  });
});

describe('a place for readers', () => {
  const places: { name: string; at: () => TapEndpoint }[] = [
    { name: 'a path', at: () => ({ kind: 'unix', path: path.join(dir, 'tap.sock') }) },
    { name: 'an address', at: () => ({ kind: 'tcp', host: '127.0.0.1', port: 6000 }) },
    { name: 'an address with TLS', at: () => ({ kind: 'tls', host: '::1', port: 6000 }) },
  ];

  it.each(places)('is taken over by the next configuration: $name', async ({ at }) => {
    const { network, listens } = pairs();
    const came: string[] = [];
    const connect = (): void => {
      const place = at();
      if (place.kind === 'unix')
        net.connect(place.path).on('error', (error) => came.push(error.message.split(' ')[1]!));
      else (listens.get(`${place.host} ${place.port}`) ?? (() => came.push('ENOENT')))(duplexPair()[0]);
    };
    const open = (name: string): Promise<() => void> =>
      openPort(at(), { network }, (stream) => {
        came.push(name);
        stream.destroy();
      });
    const first = await open('first');
    connect();
    await expect.poll(() => came, POLL).toEqual(['first']);
    const second = await open('second');
    first();
    connect();
    await expect.poll(() => came, POLL).toEqual(['first', 'second']);
    second();
    connect();
    await expect.poll(() => came, POLL).toEqual(['first', 'second', 'ENOENT']);
    const third = await open('third');
    connect();
    await expect.poll(() => came, POLL).toEqual(['first', 'second', 'ENOENT', 'third']);
    third();
  });

  it('is not where there is no such folder, nor at a name', async () => {
    const { network } = pairs();
    const none = (): void => undefined;
    const inNoFolder: TapEndpoint = { kind: 'unix', path: path.join(dir, 'none', 'tap.sock') };
    await expect(openPort(inNoFolder, { network }, none)).rejects.toThrow(/^listen /);
    await expect(openPort({ kind: 'tcp', host: 'here', port: 1 }, { network }, none)).rejects.toThrow(
      "got 'here', allowed: an address to listen at",
    );
  });
});

describe('dnstap listen', () => {
  it('sends what is seen to who comes, and ends with its block', async () => {
    const { network, listens } = pairs();
    const { block, ask } = setup(dnstap, 'dnstap listen tcp://127.0.0.1:6000', { network });
    await block.run('start');
    const [own, theirs] = duplexPair();
    let text = '';
    theirs.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    listens.get('127.0.0.1 6000')!(own);
    await expect.poll(() => text, POLL).toContain('protobuf:dnstap.Dnstap');
    theirs.write(Buffer.from('0000000000000022000000010000000100000016', 'hex'));
    theirs.write('protobuf:dnstap.Dnstap');
    await expect.poll(() => text.split('protobuf').length, POLL).toBe(3);
    await ask(query('www.example.org.'));
    await expect.poll(() => text, POLL).toContain('nodens-0.0.0');
    expect(text).toContain('box');
    await block.run('stop');
    expect(listens.size).toBe(0);
    await expect.poll(() => text.slice(-12), POLL).toBe('\0\0\0\0\0\0\0\x04\0\0\0\x03');
    expect(block.log.lines).toEqual([]);
  });

  it('says where nobody can come', async () => {
    const { block } = setup(dnstap, 'dnstap listen tcp://here:6000', pairs());
    await block.run('start');
    expect(block.log.lines).toEqual([
      "[ERROR] plugin/dnstap: no reader can come to tcp://here:6000: got 'here', allowed: an address to listen at",
    ]);
  });

  const own = { cert: CERT, key: KEY };
  const others = { cert: OTHER_CERT, key: OTHER_KEY };
  it.each([
    { name: 'anybody without a CA', option: 'tls cert key', client: {}, want: true },
    { name: 'who has a certificate of the CA', option: 'tls cert key cert', client: own, want: true },
    { name: 'nobody without a certificate', option: 'tls cert key cert', client: {}, want: false },
    { name: 'nobody with a certificate of somebody else', option: 'tls cert key cert', client: others, want: false },
    { name: 'anybody with skipverify', option: 'tls cert key cert\nskipverify', client: others, want: true },
    { name: 'also who has none with skipverify', option: 'tls cert key cert\nskipverify', client: {}, want: true },
  ])('over TLS serves $name', async ({ option, client, want }) => {
    const { network, listens } = pairs();
    const files = { cert: CERT, key: KEY };
    const { block } = setup(dnstap, `dnstap listen tls://127.0.0.1:6000 {\n${option}\n}`, { network, files });
    await block.run('start');
    const [near, far] = duplexPair();
    listens.get('127.0.0.1 6000')!(near);
    const reader = tls.connect({ socket: far, rejectUnauthorized: false, ...client });
    expect(
      await received(reader).then(
        (text) => text.includes('dnstap'),
        () => false,
      ),
    ).toBe(want);
    reader.destroy();
    await block.run('stop');
  });
});
