import { describe, expect, it } from 'vitest';
import type { ModelTcpSocket } from '../../src/datapath/sockets/tcp-socket.js';
import { LabStream } from '../../src/lab/network/lab-stream.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection, what the model was told of it, and what became of the stream. */
function connection(fails?: 'write' | 'end' | 'destroy') {
  const done: string[] = [];
  const call =
    (name: 'write' | 'end' | 'destroy') =>
    (data?: Uint8Array): void => {
      done.push(data ? `${name} ${Buffer.from(data).toString()}` : name);
      if (fails === name) throw new Error(`${name} fails`);
    };
  const socket = {
    peer: { ip: '10.0.0.1', port: 53 },
    write: call('write'),
    end: call('end'),
    destroy: call('destroy'),
  } as unknown as ModelTcpSocket;
  const stream = new LabStream(socket);
  const seen: string[] = [];
  stream.on('data', (data: Buffer) => seen.push(data.toString()));
  for (const event of ['end', 'finish', 'close']) stream.on(event, () => seen.push(event));
  stream.on('error', (error) => seen.push(`error ${error.message}`));
  return { stream, done, seen };
}

describe('a modelled connection as a stream', () => {
  it('tells who the peer is', () => {
    const { stream } = connection();
    expect([stream.remoteAddress, stream.remotePort]).toEqual(['10.0.0.1', 53]);
  });

  it('has what comes until the peer ends; what is written goes out after that, too', async () => {
    const { stream, done, seen } = connection();
    stream.received(Buffer.from('a'));
    stream.peerEnded();
    await turn();
    expect([seen, done]).toEqual([['a', 'end'], []]);
    stream.write('b');
    stream.end('c');
    await turn();
    expect(done.slice(0, 3)).toEqual(['write b', 'write c', 'end']);
    expect(seen).toEqual(['a', 'end', 'finish', 'close']);
    expect(done).not.toContain('destroy');
  });

  it.each<{ name: string; act: (stream: LabStream) => void; done: readonly string[]; seen: readonly string[] }>([
    {
      name: 'dropped: the peer is told by a RST',
      act: (stream) => stream.destroy(),
      done: ['destroy'],
      seen: ['close'],
    },
    {
      name: 'dropped for an error, after its end too',
      act: (stream) => (stream.end(), stream.destroy(new Error('no'))),
      done: ['end', 'destroy'],
      seen: ['error no', 'close'],
    },
    {
      name: 'ended and dropped: the handshake goes on',
      act: (stream) => (stream.end(), stream.destroy()),
      done: ['end', 'end'],
      seen: ['close'],
    },
    {
      name: 'over for an error: what had come is lost',
      act: (stream) => stream.finished(new Error('reset')),
      done: ['destroy'],
      seen: ['error reset', 'close'],
    },
    { name: 'over before it was ended here', act: (stream) => stream.finished(), done: ['end'], seen: ['close'] },
  ])('$name', async ({ act, done: wantDone, seen: wantSeen }) => {
    const { stream, done, seen } = connection();
    act(stream);
    await turn();
    expect([done, seen.filter((one) => one !== 'end' && one !== 'finish')]).toEqual([wantDone, wantSeen]);
  });

  it('over after it was ended here, is read to its end', async () => {
    const { stream, done, seen } = connection();
    stream.pause();
    stream.end('x');
    await turn();
    stream.received(Buffer.from('last'));
    stream.finished();
    stream.resume();
    await turn();
    expect(seen).toEqual(['finish', 'last', 'end', 'close']);
    expect(done).not.toContain('destroy');
  });

  it('hears nothing when it is gone', async () => {
    const { stream, seen } = connection();
    stream.destroy();
    stream.received(Buffer.from('a'));
    stream.peerEnded();
    stream.finished();
    await turn();
    expect(seen).toEqual(['close']);
  });

  it.each<{ fails: 'write' | 'end' | 'destroy'; act: (stream: LabStream) => void }>([
    { fails: 'write', act: (stream) => void stream.write('a') },
    { fails: 'end', act: (stream) => void stream.end() },
    { fails: 'destroy', act: (stream) => void stream.destroy() },
  ])('says so where the model refuses: $fails', async ({ fails, act }) => {
    const { stream, seen } = connection(fails);
    act(stream);
    await turn();
    expect(seen).toEqual([`error ${fails} fails`, 'close']);
  });
});
