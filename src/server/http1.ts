import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { OpenExchange, Speaker, HttpReply } from './web-connection.js';

/** Longest head of a request, in bytes. */
const MAX_HEAD = 16 << 10;

/**
 * Speaks HTTP/1.1 on a connection (RFC 9112). Time limits are the connection's: most of Node's begin with listening.
 */
export function acceptHttp1(connection: Duplex, open: OpenExchange): Speaker {
  let ending = false;
  let pending = 0;
  const server = http.createServer({ keepAliveTimeout: 0, maxHeaderSize: MAX_HEAD }, (request, response) => {
    const { method = '', url = '', headers } = request;
    pending++;
    const exchange = open({ method, url, headers }, (answer) => send(request, response, answer, ending));
    response.on('close', () => {
      pending--;
      exchange.close();
    });
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => exchange.push(chunk));
    request.on('end', () => exchange.complete());
  });
  server.emit('connection', connection);
  return {
    end: () => {
      ending = true;
      if (pending === 0) connection.end();
    },
    destroy: () => connection.destroy(),
  };
}

function send(request: IncomingMessage, response: ServerResponse, answer: HttpReply, last: boolean): void {
  // The rest of a body that is too long is not waited for.
  const close = last || !request.complete ? { connection: 'close' } : {};
  response.writeHead(answer.status, { ...answer.headers, ...close, 'content-length': answer.body.length });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
  if (!request.complete) response.once('finish', () => request.destroy());
}
