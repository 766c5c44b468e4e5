import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { HttpFacts } from '../chain/index.js';
import type { Exchange, OpenExchange, Speaker, HttpReply } from './web-connection.js';

const { NGHTTP2_NO_ERROR, NGHTTP2_FLAG_END_STREAM } = http2.constants;

/** Longest head of a request, in bytes: its fields with 32 bytes for each (RFC 9113 section 6.5.2). */
const MAX_HEAD = 16 << 10;

/** Bounds of one session: memory in MB, and faults of a client before it is closed. */
const SESSION = {
  maxSessionMemory: 1,
  maxHeaderListPairs: 64,
  maxSettings: 16,
  maxOutstandingPings: 4,
  maxSessionInvalidFrames: 50,
  maxSessionRejectedStreams: 50,
};

/**
 * Speaks HTTP/2 on a connection (RFC 9113).
 *
 * @param streams how many may be open at a time; Infinity for any number
 */
export function acceptHttp2(connection: Duplex, open: OpenExchange, streams: number): Speaker {
  const session = http2.performServerHandshake(connection, {
    ...SESSION,
    settings: {
      maxConcurrentStreams: Math.min(streams, 2 ** 32 - 1),
      maxHeaderListSize: MAX_HEAD,
      enablePush: false,
    },
  });
  // What is wrong with a session ends it; there is nobody to tell.
  session.on('error', () => undefined);
  session.on('stream', (stream, headers, flags) => take(stream, headers, flags, open));
  return { end: () => session.close(), destroy: () => session.destroy() };
}

function take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, open: OpenExchange): void {
  const exchange: Exchange = open(factsOf(headers), (answer) => send(stream, answer));
  stream.on('error', () => undefined);
  stream.on('close', () => exchange.close());
  if ((flags & NGHTTP2_FLAG_END_STREAM) !== 0) return exchange.complete();
  stream.on('data', (chunk: Buffer) => exchange.push(chunk));
  stream.on('end', () => exchange.complete());
}

function factsOf(all: IncomingHttpHeaders): HttpFacts {
  const headers: Record<string, string | readonly string[] | undefined> = {};
  for (const name in all) if (name.charCodeAt(0) !== 0x3a) headers[name] = all[name];
  return { method: all[':method'] ?? '', url: all[':path'] ?? '', headers };
}

function send(stream: ServerHttp2Stream, { status, headers, body, trailers }: HttpReply): void {
  if (stream.destroyed || stream.closed) return;
  if (body.length === 0 && trailers === undefined) {
    stream.respond({ ':status': status, ...headers }, { endStream: true });
  } else {
    const head = { ':status': status, ...headers, ...(trailers ? {} : { 'content-length': body.length }) };
    if (trailers !== undefined) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    stream.respond(head, { waitForTrailers: trailers !== undefined });
    stream.end(body);
  }
  // The rest of a body that is too long is not waited for (RFC 9113 section 8.1). The answer leaves at the end of this
  // turn of the event loop; newer versions of Node drop one whose stream is closed before.
  if (!stream.readableEnded && (status >= 400 || body.length === 0)) setImmediate(() => stream.close(NGHTTP2_NO_ERROR));
}
