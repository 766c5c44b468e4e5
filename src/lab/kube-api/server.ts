import { timingSafeEqual } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Lab } from '../lab.js';
import { accessReview } from './access-review.js';
import type { ServerIdentity } from './certificate.js';
import { discovery } from './discovery.js';
import { ApiFault } from './fault.js';
import { FieldManagers } from './field-managers.js';
import { ObjectJournal } from './journal.js';
import { openapi } from './openapi.js';
import { ObjectReader } from './reader.js';
import { resourceAt } from './route.js';
import { ObjectRemover } from './remover.js';
import { Upgrades } from './upgrades.js';
import { Verbs, send } from './verbs.js';
import { ObjectWriter } from './writer.js';

export interface KubeApiOptions {
  readonly lab: Lab;
  readonly identity: ServerIdentity;
  /** What clients show as their bearer token. */
  readonly token: string;
  /** Port on 127.0.0.1; 0 draws one. */
  readonly port?: number;
  /** Changes of each kind that a watch can begin before. */
  readonly kept?: number;
  /** Takes faults of this program, which the client is told of in one line. */
  readonly onFault: (error: unknown) => void;
}

const LOOPBACK = '127.0.0.1';
const HEALTH = ['/healthz', '/livez', '/readyz'];
/** Open connections; kubectl needs one or two. */
const CONNECTIONS = 256;

/** The model's objects as a Kubernetes API, for kubectl and other clients on this machine. */
export class KubeApi {
  readonly journal: ObjectJournal;
  readonly reader: ObjectReader;
  private readonly verbs: Verbs;
  private readonly upgrades: Upgrades;
  private readonly server: https.Server;
  private readonly sockets = new Set<Socket>();
  private readonly forget: () => void;
  private port: number;

  constructor(private readonly options: KubeApiOptions) {
    const { lab, identity, port = 0 } = options;
    this.port = port;
    const managers = new FieldManagers();
    this.journal = new ObjectJournal({
      lab,
      managers: (uid) => managers.of(uid),
      ...(options.kept !== undefined && { kept: options.kept }),
    });
    const writer = new ObjectWriter(lab, this.journal, managers);
    const remover = new ObjectRemover(lab, this.journal, managers, options.onFault);
    this.reader = new ObjectReader(lab, this.journal);
    this.upgrades = new Upgrades(options);
    this.verbs = new Verbs({ lab, journal: this.journal, reader: this.reader, writer, remover });
    this.server = https.createServer(
      { key: identity.key, cert: identity.certificate, ALPNProtocols: ['http/1.1'] },
      (request, response) => void this.serve(request, response),
    );
    this.server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    this.server.maxConnections = CONNECTIONS;
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.forget = lab.api.reach.subscribe((now) =>
      now === 'away' ? this.shut() : void this.open().catch(options.onFault),
    );
  }

  /** Rejects with what the system said when the port is taken. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.port, LOOPBACK, () => {
        this.server.off('error', reject);
        // Where it is away for a while, it comes back at the port that its clients know.
        this.port = (this.server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  get url(): string {
    return `https://${LOOPBACK}:${this.port}`;
  }

  close(): void {
    this.forget();
    this.journal.close();
    this.shut();
  }

  /** Connections are refused, and those that were open end. */
  private shut(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
      if (HEALTH.includes(pathname)) return void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
      this.authenticate(request);
      if (request.method === 'GET' && this.document(pathname, request, response)) return;
      const review = await accessReview(pathname, request);
      if (review) return send(response, 201, review);
      const path = resourceAt(pathname);
      if (!path) throw new ApiFault('NotFound', 'the server could not find the requested resource');
      await this.verbs.carryOut({ path, query: searchParams, request, response });
    } catch (error) {
      this.refuse(error, response);
    }
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
      this.authenticate(request);
      const path = resourceAt(pathname);
      if (!path) throw new ApiFault('NotFound', 'the server could not find the requested resource');
      this.upgrades.carryOut({ path, query: searchParams, request, socket, head });
    } catch (error) {
      const { status, object } = this.faultOf(error);
      const text = JSON.stringify(object);
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/json\r\nConnection: close\r\n` +
          `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      );
    }
  }

  private authenticate({ headers }: IncomingMessage): void {
    const given = Buffer.from(/^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? '');
    const wanted = Buffer.from(this.options.token);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
      throw new ApiFault('Unauthorized', "Unauthorized: the token of the lab's kubeconfig is needed");
  }

  private document(pathname: string, { headers }: IncomingMessage, response: ServerResponse): boolean {
    const accept = headers.accept ?? '';
    const schema = openapi(pathname, accept);
    if (schema) response.writeHead(200, { 'content-type': schema.type }).end(schema.body);
    const document = schema ? undefined : discovery(pathname, accept, this.url);
    if (document) response.writeHead(200, { 'content-type': document.type }).end(JSON.stringify(document.body));
    return schema !== undefined || document !== undefined;
  }

  private refuse(error: unknown, response: ServerResponse): void {
    const fault = this.faultOf(error);
    if (response.headersSent) return void response.destroy();
    send(response, fault.status, fault.object);
  }

  private faultOf(error: unknown): ApiFault {
    if (error instanceof ApiFault) return error;
    this.options.onFault(error);
    return new ApiFault('InternalError', `Internal error occurred: ${(error as Error).message}`);
  }
}
