import http from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { LabelSelector } from '../../src/kube/objects/label-selector.js';
import type { ObjectLabels } from '../../src/kube/objects/objects.js';
import { hasProtobuf, protobufEvent, protobufList } from './kube-protobuf.js';

/** A Kubernetes object as the API sends it. */
export interface Manifest {
  apiVersion?: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: ObjectLabels;
    annotations?: ObjectLabels;
    resourceVersion?: string;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** Something that goes wrong with a request instead of an answer. */
export type Fault =
  | { status: number; headers?: Record<string, string>; body?: string | Uint8Array }
  /** Accepts the request and never answers. */
  | { hang: true }
  /** Closes the connection at once. */
  | { cut: true };

/** A stream is a watch that is to begin with all there is. */
export type Purpose = 'list' | 'watch' | 'stream';

interface PlannedFault {
  fault: Fault;
  purpose: Purpose | undefined;
  kind: string | undefined;
  continued: boolean;
  times: number;
}

export interface SeenRequest {
  readonly purpose: Purpose;
  readonly kind: string;
  readonly query: Record<string, string>;
  readonly httpVersion: string;
  readonly headers: http.IncomingHttpHeaders;
}

interface Watcher {
  readonly kind: string;
  readonly selects: (object: Manifest) => boolean;
  readonly response: ServerResponse;
  readonly protobuf: boolean;
}

const KINDS: Record<string, string> = {
  '/api/v1/namespaces': 'Namespace',
  '/api/v1/services': 'Service',
  '/api/v1/pods': 'Pod',
  '/api/v1/nodes': 'Node',
  '/apis/discovery.k8s.io/v1/endpointslices': 'EndpointSlice',
  '/apis/multicluster.x-k8s.io/v1alpha1/serviceimports': 'ServiceImport',
};

/** A Kubernetes API on a loopback port that lists and watches objects held in memory, and misbehaves when told to. */
export class FakeApi {
  readonly requests: SeenRequest[] = [];
  /** When set, requests need it as their bearer token. */
  token: string | undefined;
  /** As a real server, which ignores the limit of lists that it answers from its cache. */
  cachedListsIgnoreLimit = true;
  /** Whether lists are compressed for those who take that, as a real server does with long ones. */
  compresses = false;
  /** Whether it has protobuf for those who take that, as a real server does. */
  protobuf = false;
  /** What becomes of a watch that is to begin with all there is: older servers do not know that. */
  streams: 'sent' | 'refused' | 'ignored' = 'refused';
  /** The code with which lists are reset half way, over HTTP/2. */
  resetsLists: number | undefined;
  /** Connections that were made. */
  connections = 0;
  /** Whether compressed lists end half way. */
  cutsCompressed = false;
  private version = 100;
  private oldest = 0;
  private readonly objects = new Map<string, Manifest>();
  private history: { version: number; type: string; object: Manifest }[] = [];
  private readonly watchers = new Set<Watcher>();
  private faults: PlannedFault[] = [];
  private server: http.Server | https.Server | http2.Http2SecureServer | undefined;
  private readonly sockets = new Set<Socket>();
  readonly sessions = new Set<http2.ServerHttp2Session>();
  private port = 0;

  constructor(
    objects: readonly Manifest[] = [],
    private readonly tls?: https.ServerOptions,
    /** With TLS: whether it speaks HTTP/2, too. */
    private readonly http2 = false,
  ) {
    for (const object of objects) this.apply(object);
  }

  get url(): string {
    return `${this.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  /** Listens on a free port, or again on the one it had. */
  async start(): Promise<this> {
    const listener: RequestListener = (request, response) => this.serve(request, response);
    this.server = this.create(listener);
    this.server.on(this.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket.on('close', () => this.sockets.delete(socket)));
    });
    await new Promise<void>((resolve) => this.server!.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  /** Goes away in the middle of everything; the objects stay. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server?.close(resolve));
    for (const session of this.sessions) session.destroy();
    for (const socket of this.sockets) socket.destroy();
    this.watchers.clear();
    await closed;
  }

  private create(listener: RequestListener): http.Server | https.Server | http2.Http2SecureServer {
    if (this.tls === undefined) return http.createServer(listener);
    if (!this.http2) return https.createServer(this.tls, listener);
    const server = http2.createSecureServer({ ...this.tls, allowHTTP1: true }, listener as never);
    return server.on('session', (session) => {
      this.sessions.add(session.on('close', () => this.sessions.delete(session)).on('error', () => undefined));
    });
  }

  apply(object: Manifest): void {
    const stored = structuredClone(object);
    if (stored.kind !== 'Namespace' && stored.kind !== 'Node') stored.metadata.namespace ??= 'default';
    const key = keyOf(stored.kind, stored.metadata.namespace, stored.metadata.name);
    const type = this.objects.has(key) ? 'MODIFIED' : 'ADDED';
    stored.metadata.resourceVersion = String(++this.version);
    this.objects.set(key, stored);
    this.tell(type, stored);
  }

  delete(kind: string, namespace: string, name: string): void {
    const key = keyOf(kind, namespace || undefined, name);
    const object = this.objects.get(key);
    if (!object) throw new Error(`the fake API has no ${key}`);
    this.objects.delete(key);
    this.tell('DELETED', { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.version) } });
  }

  /**
   * The next `times` requests of the given sort (`continued`: further pages of a list) get the fault instead of an
   * answer.
   */
  fail(
    fault: Fault,
    {
      purpose,
      kind,
      continued = false,
      times = 1,
    }: { purpose?: Purpose; kind?: string; continued?: boolean; times?: number } = {},
  ): void {
    this.faults.push({ fault, purpose, kind, continued, times });
  }

  /** Forgets all history, as etcd does after five minutes: older versions are 410 Gone. */
  compact(): void {
    this.oldest = ++this.version;
    this.history = [];
  }

  /** Writes these octets into every open watch of a kind. */
  sendRaw(kind: string, bytes: string | Uint8Array): void {
    for (const watcher of this.watchers) if (watcher.kind === kind) watcher.response.write(bytes);
  }

  bookmark(kind: string, annotations: ObjectLabels = {}): void {
    const object = { kind, metadata: { name: '', resourceVersion: String(++this.version), annotations } };
    for (const watcher of this.watchers) if (watcher.kind === kind) send(watcher, 'BOOKMARK', object);
  }

  /** Ends all watches as a server does when their time is over; `cut` breaks their connections instead. */
  endWatches({ cut = false, only }: { cut?: boolean; only?: string } = {}): void {
    for (const watcher of this.watchers) {
      if (only !== undefined && watcher.kind !== only) continue;
      this.watchers.delete(watcher);
      if (cut) watcher.response.destroy();
      else watcher.response.end();
    }
  }

  /** Resets the streams of all watches, over HTTP/2, with a code (RFC 9113 section 7). */
  resetWatches(code: number): void {
    for (const { response } of this.watchers) reset(response, code);
    this.watchers.clear();
  }

  watching(kind: string): number {
    return [...this.watchers].filter((watcher) => watcher.kind === kind).length;
  }

  count(purpose: Purpose, kind: string): number {
    return this.requests.filter((request) => request.purpose === purpose && request.kind === kind).length;
  }

  private tell(type: string, object: Manifest): void {
    this.history.push({ version: this.version, type, object });
    for (const watcher of this.watchers)
      if (watcher.kind === object.kind && watcher.selects(object)) send(watcher, type, object);
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, this.url);
    const kind = KINDS[url.pathname];
    if (kind === undefined)
      return status(response, 404, 'NotFound', 'the server could not find the requested resource');
    const streamed = url.searchParams.get('sendInitialEvents') === 'true';
    const purpose = url.searchParams.get('watch') !== 'true' ? 'list' : streamed ? 'stream' : 'watch';
    const { headers, httpVersion } = request;
    this.requests.push({ purpose, kind, query: Object.fromEntries(url.searchParams), headers, httpVersion });
    const planned = this.faults.find(
      (fault) =>
        (fault.purpose ?? purpose) === purpose &&
        (fault.kind ?? kind) === kind &&
        (!fault.continued || url.searchParams.has('continue')),
    );
    if (planned) return this.misbehave(planned, request, response);
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`)
      return status(response, 401, 'Unauthorized', 'Unauthorized');
    if (purpose === 'list') this.list(kind, url.searchParams, response);
    else if (streamed && this.streams === 'refused')
      status(response, 422, 'Invalid', 'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch');
    else this.watch(kind, url.searchParams, response);
  }

  private misbehave(planned: PlannedFault, request: IncomingMessage, response: ServerResponse): void {
    if (--planned.times === 0) this.faults = this.faults.filter((other) => other !== planned);
    const { fault } = planned;
    if ('hang' in fault) return;
    if ('cut' in fault) {
      const { stream } = response as unknown as Partial<http2.Http2ServerResponse>;
      if (stream) stream.session?.destroy();
      else request.socket.destroy();
      return;
    }
    response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
  }

  private list(kind: string, query: URLSearchParams, response: ServerResponse): void {
    // A token names where the next page begins and the version of the list.
    const token = Number((query.get('continue') ?? '0').split('@')[0]);
    if (query.has('continue') && Number(query.get('continue')!.split('@')[1]) < this.oldest)
      return status(response, 410, 'Expired', 'The provided continue parameter is too old');
    const all = [...this.objects.values()].filter((object) => object.kind === kind && selector(query)(object));
    const cached = query.get('resourceVersion') === '0' && this.cachedListsIgnoreLimit;
    const end = token + (cached ? Infinity : Number(query.get('limit') ?? Infinity));
    const metadata = {
      resourceVersion: String(this.version),
      ...(end < all.length ? { continue: `${end}@${this.version}`, remainingItemCount: all.length - end } : {}),
    };
    const items = all.slice(token, end);
    const protobuf = this.speaksProtobuf(kind, response);
    const body = protobuf
      ? protobufList(kind, metadata, items)
      : JSON.stringify({ kind: `${kind}List`, apiVersion: 'v1', metadata, items });
    response.setHeader('content-type', protobuf ? PROTOBUF : 'application/json');
    if (this.resetsLists !== undefined) {
      const code = this.resetsLists;
      return void response.write(body.slice(0, body.length / 2), () => reset(response, code));
    }
    if (!this.compresses || response.req.headers['accept-encoding'] !== 'gzip') return void response.end(body);
    response.setHeader('content-encoding', 'gzip');
    const compressed = gzipSync(body);
    response.end(this.cutsCompressed ? compressed.subarray(0, compressed.length / 2) : compressed);
  }

  private watch(kind: string, query: URLSearchParams, response: ServerResponse): void {
    const since = Number(query.get('resourceVersion') ?? 0);
    const protobuf = this.speaksProtobuf(kind, response);
    response.setHeader('content-type', protobuf ? `${PROTOBUF};stream=watch` : 'application/json');
    response.flushHeaders();
    const watcher: Watcher = { kind, selects: selector(query), response, protobuf };
    const streamed = query.get('sendInitialEvents') === 'true';
    if (!streamed && since < this.oldest) {
      const message = `too old resource version: ${since} (${this.oldest})`;
      send(watcher, 'ERROR', { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410, message });
      return void response.end();
    }
    if (streamed) this.sendAll(watcher);
    else
      for (const { version, type, object } of this.history)
        if (version > since && object.kind === kind && watcher.selects(object)) send(watcher, type, object);
    this.watchers.add(watcher);
    response.on('close', () => this.watchers.delete(watcher));
  }

  private sendAll(watcher: Watcher): void {
    const { kind } = watcher;
    for (const object of this.objects.values())
      if (object.kind === kind && watcher.selects(object)) send(watcher, 'ADDED', object);
    if (this.streams === 'ignored') return;
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    const metadata = { name: '', resourceVersion: String(this.version), annotations };
    send(watcher, 'BOOKMARK', { kind, metadata });
  }

  private speaksProtobuf(kind: string, response: ServerResponse): boolean {
    return this.protobuf && hasProtobuf(kind) && response.req.headers.accept?.startsWith(PROTOBUF) === true;
  }
}

/** An object of a watch, or a Status. */
type Sent = Pick<Manifest, 'kind' | 'apiVersion'> & Readonly<Record<string, unknown>>;

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

function send({ response, protobuf }: Watcher, type: string, object: Sent): void {
  response.write(protobuf ? protobufEvent(type, object) : `${JSON.stringify({ type, object })}\n`);
}

function reset(response: ServerResponse, code: number): void {
  (response as unknown as http2.Http2ServerResponse).stream.close(code);
}

function keyOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}/${namespace ?? ''}/${name}`;
}

function selector(query: URLSearchParams): (object: Manifest) => boolean {
  const labels = LabelSelector.parse(query.get('labelSelector') ?? '');
  return (object) => labels.matches(object.metadata.labels ?? {});
}

function status(response: ServerResponse, code: number, reason: string, message: string): void {
  response
    .writeHead(code, { 'content-type': 'application/json' })
    .end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code }));
}
