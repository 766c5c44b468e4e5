import http from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { LabelSelector } from '../../src/kube/objects/label-selector.js';
import type { ObjectLabels } from '../../src/kube/objects/objects.js';

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
  | { status: number; headers?: Record<string, string>; body?: string }
  /** Accepts the request and never answers. */
  | { hang: true }
  /** Closes the connection at once. */
  | { cut: true };

interface PlannedFault {
  fault: Fault;
  purpose: 'list' | 'watch' | undefined;
  kind: string | undefined;
  continued: boolean;
  times: number;
}

export interface SeenRequest {
  readonly purpose: 'list' | 'watch';
  readonly kind: string;
  readonly query: Record<string, string>;
  readonly headers: http.IncomingHttpHeaders;
}

interface Watcher {
  readonly kind: string;
  readonly selects: (object: Manifest) => boolean;
  readonly response: ServerResponse;
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
  /** Whether compressed lists end half way. */
  cutsCompressed = false;
  private version = 100;
  private oldest = 0;
  private readonly objects = new Map<string, Manifest>();
  private history: { version: number; type: string; object: Manifest }[] = [];
  private readonly watchers = new Set<Watcher>();
  private faults: PlannedFault[] = [];
  private server: http.Server | undefined;
  private port = 0;

  constructor(
    objects: readonly Manifest[] = [],
    private readonly tls?: https.ServerOptions,
  ) {
    for (const object of objects) this.apply(object);
  }

  get url(): string {
    return `${this.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  /** Listens on a free port, or again on the one it had. */
  async start(): Promise<this> {
    const listener: RequestListener = (request, response) => this.serve(request, response);
    this.server = this.tls ? https.createServer(this.tls, listener) : http.createServer(listener);
    await new Promise<void>((resolve) => this.server!.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  /** Goes away in the middle of everything; the objects stay. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server?.close(resolve));
    this.server?.closeAllConnections();
    this.watchers.clear();
    await closed;
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
    }: { purpose?: 'list' | 'watch'; kind?: string; continued?: boolean; times?: number } = {},
  ): void {
    this.faults.push({ fault, purpose, kind, continued, times });
  }

  /** Forgets all history, as etcd does after five minutes: older versions are 410 Gone. */
  compact(): void {
    this.oldest = ++this.version;
    this.history = [];
  }

  /** Writes these octets into every open watch of a kind. */
  sendRaw(kind: string, text: string): void {
    for (const watcher of this.watchers) if (watcher.kind === kind) watcher.response.write(text);
  }

  bookmark(kind: string): void {
    this.sendRaw(
      kind,
      `${JSON.stringify({ type: 'BOOKMARK', object: { kind, metadata: { resourceVersion: String(++this.version) } } })}\n`,
    );
  }

  /** Ends all watches as a server does when their time is over; `cut` breaks their connections instead. */
  endWatches({ cut = false } = {}): void {
    for (const { response } of this.watchers) {
      if (cut) response.destroy();
      else response.end();
    }
    this.watchers.clear();
  }

  watching(kind: string): number {
    return [...this.watchers].filter((watcher) => watcher.kind === kind).length;
  }

  count(purpose: 'list' | 'watch', kind: string): number {
    return this.requests.filter((request) => request.purpose === purpose && request.kind === kind).length;
  }

  private tell(type: string, object: Manifest): void {
    this.history.push({ version: this.version, type, object });
    for (const watcher of this.watchers)
      if (watcher.kind === object.kind && watcher.selects(object)) watcher.response.write(eventLine(type, object));
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, this.url);
    const kind = KINDS[url.pathname];
    if (kind === undefined)
      return status(response, 404, 'NotFound', 'the server could not find the requested resource');
    const purpose = url.searchParams.get('watch') === 'true' ? 'watch' : 'list';
    this.requests.push({ purpose, kind, query: Object.fromEntries(url.searchParams), headers: request.headers });
    const planned = this.faults.find(
      (fault) =>
        (fault.purpose ?? purpose) === purpose &&
        (fault.kind ?? kind) === kind &&
        (!fault.continued || url.searchParams.has('continue')),
    );
    if (planned) return this.misbehave(planned, request, response);
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`)
      return status(response, 401, 'Unauthorized', 'Unauthorized');
    if (purpose === 'watch') this.watch(kind, url.searchParams, response);
    else this.list(kind, url.searchParams, response);
  }

  private misbehave(planned: PlannedFault, request: IncomingMessage, response: ServerResponse): void {
    if (--planned.times === 0) this.faults = this.faults.filter((other) => other !== planned);
    const { fault } = planned;
    if ('hang' in fault) return;
    if ('cut' in fault) {
      request.socket.destroy();
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
    response.setHeader('content-type', 'application/json');
    const text = JSON.stringify({ kind: `${kind}List`, apiVersion: 'v1', metadata, items: all.slice(token, end) });
    if (!this.compresses || response.req.headers['accept-encoding'] !== 'gzip') return void response.end(text);
    response.setHeader('content-encoding', 'gzip');
    const compressed = gzipSync(text);
    response.end(this.cutsCompressed ? compressed.subarray(0, compressed.length / 2) : compressed);
  }

  private watch(kind: string, query: URLSearchParams, response: ServerResponse): void {
    const since = Number(query.get('resourceVersion') ?? 0);
    response.setHeader('content-type', 'application/json');
    response.flushHeaders();
    if (since < this.oldest) {
      const message = `too old resource version: ${since} (${this.oldest})`;
      const object = { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410, message };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    const watcher: Watcher = { kind, selects: selector(query), response };
    for (const { version, type, object } of this.history)
      if (version > since && object.kind === kind && watcher.selects(object)) response.write(eventLine(type, object));
    this.watchers.add(watcher);
    response.on('close', () => this.watchers.delete(watcher));
  }
}

function keyOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}/${namespace ?? ''}/${name}`;
}

function eventLine(type: string, object: Manifest): string {
  return `${JSON.stringify({ type, object })}\n`;
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
