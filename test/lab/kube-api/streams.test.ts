import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { SpdyConnection } from '../../../src/lab/kube-api/spdy.js';
import type { SpdyStream } from '../../../src/lab/kube-api/spdy.js';
import { duplexPair } from '../../support/duplex-pair.js';
import { servedLab, TOKEN } from './client.js';
import { HeaderBlocks, data, frame } from './spdy-client.js';

const served = servedLab();

const PODS = '/api/v1/namespaces/default/pods';
const webSocket = (path: string, protocol: string): WebSocket =>
  new WebSocket(`${served().api.url.replace('https', 'wss')}${path}`, protocol, {
    ca: served().ca,
    headers: { authorization: `Bearer ${TOKEN}` },
  });

/** Runs a program over WebSocket; gives what came on each channel. */
async function exec(words: readonly string[], input?: string, more = ''): Promise<Record<number, string>> {
  const query = words.map((word) => `command=${encodeURIComponent(word)}`).join('&');
  const stdin = input === undefined ? '' : '&stdin=true';
  const socket = webSocket(
    `${PODS}/curl-pod/exec?${query}${stdin}&stdout=true&stderr=true${more}`,
    'v5.channel.k8s.io',
  );
  const said: Record<number, string> = {};
  socket.on('message', (data: Buffer) => (said[data[0]!] = (said[data[0]!] ?? '') + data.toString('utf8', 1)));
  await once(socket, 'open');
  if (input !== undefined) {
    socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(input)]));
    // Version 5 of the protocol: the input ends, the rest goes on.
    if (more === '') socket.send(Buffer.from([255, 0]));
  }
  const [code] = (await once(socket, 'close')) as [number];
  // kubectl takes any other for a fault.
  expect(code).toBe(1000);
  return said;
}

describe('exec over WebSocket', () => {
  it.each([
    { name: 'a program', words: ['hostname'], out: 'curl-pod\n' },
    { name: 'one that reads', words: ['grep', 'b'], input: 'a\nb\n', out: 'b\n' },
    { name: 'a shell that is fed', words: ['sh'], input: 'hostname\nexit 0\n', out: 'curl-pod\n' },
  ])('$name', async ({ words, input, out }) =>
    expect(await exec(words, input)).toEqual({ 1: out, 3: '{"metadata":{},"status":"Success"}' }),
  );

  it('tells with what code a program ended', async () => {
    const { 3: status } = await exec(['sh', '-c', 'exit 3']);
    expect(JSON.parse(status!)).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
  });

  it('a shell on a terminal echoes what is typed, and ends by exit', async () => {
    const { 1: out } = await exec(['sh'], 'hostname\rexit\r', '&tty=true');
    expect(out).toMatch(/curl-pod:~# .*hostname\r\n(exit\r\n)?curl-pod\r\n/);
  });

  it.each([
    { name: 'Ctrl-D on a terminal ends the input', input: 'a\n\x04', more: '&tty=true', want: 'a\r\n' },
    { name: 'Ctrl-D at once ends it, too', input: '\x04', more: '&tty=true', want: undefined },
    { name: 'without a terminal the signs are signs', input: 'a\x03b\x04c\n', more: '', want: 'a\x03b\x04c\n' },
  ])('$name', async ({ input, more, want }) => expect((await exec(['grep', '[a-z]'], input, more))[1]).toBe(want));

  it('Ctrl-C on a terminal ends a program', async () => {
    const { 1: out } = await exec(['ping', '10.96.0.10'], '\x03', '&tty=true');
    expect(out).toContain('PING 10.96.0.10');
  });
});

describe('an upgrade is refused', () => {
  it.each([
    {
      name: 'of a pod that is not there',
      path: `${PODS}/none/exec?command=ls`,
      protocol: 'v5.channel.k8s.io',
      status: 404,
    },
    { name: 'without a command', path: `${PODS}/curl-pod/exec`, protocol: 'v5.channel.k8s.io', status: 400 },
    {
      name: 'with an unknown protocol',
      path: `${PODS}/curl-pod/exec?command=ls`,
      protocol: 'channel.k8s.io',
      status: 400,
    },
    { name: 'of what has no streams', path: `${PODS}/curl-pod/log`, protocol: 'v5.channel.k8s.io', status: 404 },
  ])('$name', async ({ path, protocol, status }) => {
    const [error] = (await once(webSocket(path, protocol), 'error')) as [Error];
    expect(error.message).toContain(`Unexpected server response: ${status}`);
  });

  it('and so is a request that asks for none', async () => {
    expect((await served().ask('POST', `${PODS}/curl-pod/exec?command=ls`)).status).toBe(400);
  });
});

describe('logs', () => {
  const LOG = '/api/v1/namespaces/kube-system/pods/coredns-674b8bbfcf-gbnm8/log';

  it.each([
    { query: 'tailLines=1', want: /^nodens-\S+\n$/ },
    { query: 'tailLines=1&timestamps=true', want: /^\d{4}-\d\d-\d\dT[\d:.]+Z nodens-\S+\n$/ },
    { query: 'limitBytes=4', want: /^.{4}$/ },
    { query: 'sinceSeconds=100000&tailLines=2', want: /^\.:53\nnodens-\S+\n$/ },
  ])('$query', async ({ query, want }) => expect((await served().ask('GET', `${LOG}?${query}`)).body).toMatch(want));

  it.each([
    { query: 'tailLines=x', says: 'tailLines: got "x"' },
    { query: 'previous=true', says: 'previous terminated container' },
    { query: 'sinceTime=now', says: 'sinceTime: got "now"' },
  ])('refuses $query', async ({ query, says }) => {
    const { status, body } = await served().ask('GET', `${LOG}?${query}`);
    expect([status, body.message]).toEqual([400, expect.stringContaining(says)]);
  });
});

describe('SPDY/3.1', () => {
  it('streams have the headers that the client compressed, one block after another', async () => {
    const [client, server] = duplexPair();
    const streams: SpdyStream[] = [];
    new SpdyConnection(server, (stream) => streams.push(stream));
    const blocks = new HeaderBlocks();
    client.write(await blocks.opening(1, { streamtype: 'error' }));
    client.write(await blocks.opening(3, { streamtype: 'stdout' }));
    client.write(Buffer.concat([data(1, 'one'), data(3, 'two', 1), frame(6, 0, Buffer.from([0, 0, 0, 9]))]));
    let said = Buffer.alloc(0);
    const ping = frame(6, 0, Buffer.from([0, 0, 0, 9]));
    for await (const chunk of client as AsyncIterable<Buffer>) {
      said = Buffer.concat([said, chunk]);
      if (said.includes(ping)) break;
    }
    expect(streams.map(({ headers }) => headers.get('streamtype'))).toEqual(['error', 'stdout']);
    expect(streams.map((stream) => String(stream.read()))).toEqual(['one', 'two']);
    // A reply to each stream, the head of the compressed headers in the first alone.
    expect(said.subarray(0, 8 + 4 + 2 + 14).toString('hex')).toBe(
      '8003000200000014' + '00000001' + '7801' + '000400fbff00000000000000ffff',
    );
    expect(said.subarray(28, 28 + 12).toString('hex')).toBe('8003000200000012' + '00000003');
  });

  it.each([
    {
      name: 'headers that are not compressed',
      bytes: frame(1, 0, Buffer.from('00000001000000000000ffffffffffff', 'hex')),
    },
    { name: 'a frame without end', bytes: Buffer.from('800300010fffffff', 'hex') },
    { name: 'a frame that is cut short', bytes: frame(1, 0, Buffer.from([0])) },
  ])('$name ends the connection', async ({ bytes }) => {
    const [client, server] = duplexPair();
    new SpdyConnection(server, () => undefined);
    client.on('error', () => undefined).resume();
    client.write(bytes);
    await new Promise((resolve) => server.once('close', resolve));
    expect(server.destroyed).toBe(true);
  });
});
