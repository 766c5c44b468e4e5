import http from 'node:http';
import type { Network, TcpListener } from '../../net/network.js';
import type { Program } from './program.js';

const HTTP_PORT = 80;

/** A web server that answers every request with one text. */
export class WebProgram implements Program {
  readonly kind = 'web';
  private readonly server: http.Server;
  private listener: TcpListener | undefined;

  constructor(private readonly network: Network, body: () => string) {
    this.server = http.createServer((request, response) => {
      const text = body();
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(text) });
      response.end(request.method === 'HEAD' ? undefined : text);
    });
  }

  async start(): Promise<void> {
    this.listener = await this.network.listenTcp({ address: '', port: HTTP_PORT }, ({ stream }) => this.server.emit('connection', stream));
  }

  async stop(): Promise<void> {
    this.listener?.close();
    this.server.closeAllConnections();
    this.server.close();
  }
}
