import http from 'node:http';
import https from 'node:https';
import { KEEP_ALIVE, apiAgent } from './api-agent.js';
import { headerOf, type ApiQuestion, type ApiResponse } from './exchange.js';
import { tlsOptions } from './tls-options.js';

/** Asks over HTTP/1.1, through a proxy where there is one: a connection for each question under way. */
export class Http1 {
  private readonly agent: http.Agent;

  constructor(
    private readonly url: URL,
    proxy: URL | undefined,
  ) {
    this.agent = apiAgent(url, proxy);
  }

  /** Rejects with the error of the connection. */
  ask({ target, headers, tls, signal }: ApiQuestion): Promise<ApiResponse> {
    const secure = this.url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const options = {
        agent: this.agent,
        headers: headers as http.OutgoingHttpHeaders,
        signal,
        ...(secure && tlsOptions(tls)),
      };
      const url = new URL(target, this.url);
      const sent = secure ? https.get(url, options) : http.get(url, options);
      sent.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE));
      sent.on('response', (response) =>
        resolve({
          status: response.statusCode!,
          header: (name) => headerOf(response.headers, name),
          body: response,
          // A body that is cut short fails by itself.
          ended: () => Promise.resolve(),
        }),
      );
      sent.on('error', reject);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
