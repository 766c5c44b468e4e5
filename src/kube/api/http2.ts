import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { repeat, type Clock } from '../../lib/clock.js';
import type { Milliseconds, Octets } from '../../lib/units.js';
import type { TlsMaterial } from '../auth/connection.js';
import { KEEP_ALIVE } from './api-agent.js';
import { headerOf, type ApiQuestion, type ApiResponse } from './exchange.js';
import { tlsOptions } from './tls-options.js';

/** What may be under way towards us and not read yet, of one stream and of all (RFC 9113 section 5.2). */
const STREAM_WINDOW: Octets = 256 << 10;
const WINDOW: Octets = 1 << 20;
/** Until a connection is there, its certificates checked. */
const CONNECT_LIMIT: Milliseconds = 30_000;
/** A connection is asked for a sign of life this often, and has until the next question to give it. */
const PING: Milliseconds = 30_000;
const H2 = 'h2';

/** A connection, and what it was made with. */
interface Current {
  readonly material: string;
  /** undefined: the API does not speak HTTP/2. */
  readonly session: Promise<http2.ClientHttp2Session | undefined>;
}

/**
 * Asks over HTTP/2 with TLS (RFC 9113): all questions on one connection, made anew when it ends, when the API asks for
 * that (GOAWAY), or when the credentials change; what is under way on the old one goes on.
 */
export class Http2 {
  private current: Current | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly url: URL,
    private readonly clock: Clock,
  ) {}

  /**
   * undefined when the API chooses HTTP/1.1 (RFC 7301). Rejects with the error of the connection; a body that is cut
   * short fails likewise.
   */
  async ask(question: ApiQuestion): Promise<ApiResponse | undefined> {
    const session = await orAborted(this.session(question.tls), question.signal);
    return session && request(session, question);
  }

  close(): void {
    this.closing.abort(new Error('no longer followed'));
    void this.current?.session.then(
      (session) => session?.destroy(),
      () => undefined,
    );
  }

  private session(material: TlsMaterial): Promise<http2.ClientHttp2Session | undefined> {
    const text = JSON.stringify(material);
    const { current } = this;
    if (current?.material === text) return current.session;
    // Questions under way are answered on the old connection.
    void current?.session.then(
      (session) => session?.close(),
      () => undefined,
    );
    const made: Current = { material: text, session: this.connect(material, () => this.forget(made)) };
    this.current = made;
    made.session.catch(() => this.forget(made));
    return made.session;
  }

  private forget(known: Current): void {
    if (this.current === known) this.current = undefined;
  }

  private async connect(material: TlsMaterial, onEnd: () => void): Promise<http2.ClientHttp2Session | undefined> {
    const socket = await this.secured(material);
    if (socket.alpnProtocol !== H2) {
      socket.destroy();
      onEnd();
      return undefined;
    }
    const session = http2.connect(this.url.origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    session.setLocalWindowSize(WINDOW);
    // Each question under way gets the error, too.
    session.on('error', () => undefined);
    session.once('goaway', onEnd);
    const pings = this.ping(session);
    session.once('close', () => {
      pings.cancel();
      onEnd();
    });
    return session;
  }

  private ping(session: http2.ClientHttp2Session): { cancel(): void } {
    let answered = true;
    return repeat(this.clock, PING, () => {
      if (!answered) return session.destroy(new Error(`no sign of life for ${PING / 1000} s`));
      answered = false;
      session.ping(() => (answered = true));
    });
  }

  private secured(material: TlsMaterial): Promise<tls.TLSSocket> {
    const host = this.url.hostname.replace(/^\[|\]$/g, '');
    return new Promise((resolve, reject) => {
      const socket = tls.connect({
        host,
        port: Number(this.url.port || 443),
        ALPNProtocols: [H2, 'http/1.1'],
        // A name is told, an address is not (RFC 6066 section 3).
        ...(net.isIP(host) === 0 && { servername: host }),
        ...tlsOptions(material),
      } as tls.ConnectionOptions);
      const timer = this.clock.setTimeout(
        () => socket.destroy(new Error(`no connection within ${CONNECT_LIMIT / 1000} s`)),
        CONNECT_LIMIT,
      );
      const stop = (): void => void socket.destroy(this.closing.signal.reason as Error);
      this.closing.signal.addEventListener('abort', stop);
      const settled = (): void => {
        timer.cancel();
        this.closing.signal.removeEventListener('abort', stop);
      };
      socket.setKeepAlive(true, KEEP_ALIVE);
      socket.once('secureConnect', () => {
        settled();
        resolve(socket);
      });
      // What is wrong is known when it closes.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        settled();
        reject(socket.errored ?? new Error('the connection was closed before it was secured'));
      });
    });
  }
}

function request(session: http2.ClientHttp2Session, { target, headers, signal }: ApiQuestion): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ...(headers as http2.OutgoingHttpHeaders), [http2.constants.HTTP2_HEADER_PATH]: target },
      { endStream: true, signal },
    );
    const cut = (): Error =>
      Object.assign(new Error(`the stream was reset with code ${stream.rstCode}`), { code: 'ERR_HTTP2_STREAM_ERROR' });
    // Node takes an answer that is broken off for one that has ended, and tells of it when the stream closes.
    const closed = new Promise<void>((close) => stream.once('close', close));
    stream.once('response', (answer) =>
      resolve({
        status: Number(answer[':status']),
        header: (name) => headerOf(answer, name),
        body: stream,
        ended: async () => {
          await closed;
          if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR) throw cut();
        },
      }),
    );
    stream.on('error', reject);
    void closed.then(() => reject(cut()));
  });
}

/** The promise's outcome, or the signal's reason when that is aborted first. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => (abort = () => reject(signal.reason as Error)));
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort));
}
