import type { Duplex, Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { RawObject } from '../../kube/objects/raw.js';
import { SpdyConnection } from './spdy.js';
import type { SpdyStream } from './spdy.js';
import { PassThrough } from 'node:stream';

/** What a client that runs a program in a pod sends and gets, whatever carries it. */
export interface Channels {
  /** undefined where the client sends nothing. */
  readonly input: Readable | undefined;
  readonly write: (text: string) => void;
  readonly error: (text: string) => void;
  /** Tells how the program ended, and ends the connection. */
  readonly finish: (status: RawObject) => void;
  /** Calls back when the client has left. */
  readonly onClose: (callback: () => void) => void;
}

/** Which channels a client asked for. */
export interface WantedChannels {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The client opens a stream for each channel, and says which it is; `begin` is called when all are there. */
export function spdyChannels(socket: Duplex, wanted: WantedChannels, begin: (channels: Channels) => void): void {
  const streams = new Map<string, SpdyStream>();
  const names = ['error', ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => wanted[name])];
  let begun = false;
  const connection = new SpdyConnection(socket, (stream) => {
    streams.set(stream.headers.get('streamtype') ?? '', stream);
    if (begun || !names.every((name) => streams.has(name))) return;
    begun = true;
    begin({
      input: streams.get('stdin'),
      write: (text) => void streams.get('stdout')?.write(text),
      error: (text) => void streams.get('stderr')?.write(text),
      finish: (status) => {
        streams.get('error')!.write(JSON.stringify(status));
        for (const name of ['stdout', 'stderr', 'error']) streams.get(name)?.end();
        connection.end();
      },
      onClose: (callback) => void socket.once('close', callback),
    });
  });
}

const enum WebChannel {
  STDIN = 0,
  STDOUT = 1,
  STDERR = 2,
  ERROR = 3,
  CLOSE = 255,
}

/** The code with which a WebSocket ends in order (RFC 6455 section 7.4.1). */
const NORMAL = 1000;

/** Each message begins with a byte that says which channel it is for. */
export function webSocketChannels(socket: WebSocket, wanted: WantedChannels): Channels {
  const input = new PassThrough();
  const say = (channel: WebChannel, text: string): void => {
    if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
  };
  socket.on('message', (data: Buffer) => {
    const [channel, closed] = data;
    if (channel === WebChannel.STDIN) input.write(data.subarray(1));
    else if (channel === WebChannel.CLOSE && closed === WebChannel.STDIN) input.end();
  });
  socket.on('error', () => undefined);
  socket.once('close', () => input.end());
  return {
    input: wanted.stdin ? input : undefined,
    write: (text) => say(WebChannel.STDOUT, text),
    error: (text) => say(WebChannel.STDERR, text),
    finish: (status) => {
      say(WebChannel.ERROR, JSON.stringify(status));
      socket.close(NORMAL);
    },
    onClose: (callback) => void socket.once('close', callback),
  };
}
