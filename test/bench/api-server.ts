import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Manifest } from '../support/fake-api.js';
import { protobufEvent } from '../support/kube-protobuf.js';
import { clusterObjects } from './cluster.js';

const TLS = new URL('../kube/tls/', import.meta.url);
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const PATHS: Readonly<Record<string, string>> = {
  '/api/v1/namespaces': 'Namespace',
  '/api/v1/services': 'Service',
  '/apis/discovery.k8s.io/v1/endpointslices': 'EndpointSlice',
};
/** As an API server writes, of many events at once. */
const PIECE = 32 << 10;

/** The certificate of the authority that vouches for the server. */
export const API_CA = new URL('ca.pem', TLS).pathname;

/** How an API sends all there is. */
export type ApiManner = 'streamed' | 'listed';

/**
 * An API that has all it sends ready, so that it costs no time while a client is measured: streamed lists in protobuf
 * over HTTP/2, as Kubernetes has them since 1.32, or compressed lists in JSON over HTTP/1.1.
 */
export class ApiServer {
  /** Bytes that clients were sent, without TLS. */
  sent = 0;
  private readonly bodies = new Map<string, Buffer>();
  private readonly server: http2.Http2SecureServer;
  private readonly sessions = new Set<http2.ServerHttp2Session>();

  constructor(
    services: number,
    private readonly manner: ApiManner,
  ) {
    for (const kind of Object.values(PATHS)) this.bodies.set(kind, bodyOf(kind, clusterObjects(services), manner));
    const [cert, key] = ['server.pem', 'server-key.pem'].map((name) => readFileSync(new URL(name, TLS)));
    const ALPNProtocols = manner === 'streamed' ? ['h2'] : ['http/1.1'];
    this.server = http2.createSecureServer({ cert, key, allowHTTP1: true, ALPNProtocols }, (request, response) =>
      this.answer(new URL(request.url, 'https://api'), response),
    );
    this.server.on('session', (session) => this.sessions.add(session));
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  stop(): void {
    for (const session of this.sessions) session.destroy();
    this.server.close();
  }

  private answer(url: URL, response: http2.Http2ServerResponse): void {
    const kind = PATHS[url.pathname];
    const watch = url.searchParams.has('watch');
    const streamed = url.searchParams.has('sendInitialEvents');
    if (kind === undefined || (streamed && this.manner !== 'streamed')) {
      response.writeHead(kind === undefined ? 404 : 422).end('{}');
      return;
    }
    const protobuf = this.manner === 'streamed';
    response.setHeader('content-type', protobuf ? `${PROTOBUF};stream=watch` : 'application/json');
    if (!watch) response.setHeader('content-encoding', 'gzip');
    response.writeHead(200);
    if (watch && !streamed) return;
    const body = this.bodies.get(kind)!;
    this.sent += body.length;
    const send = (from: number): void => {
      if (from < body.length) response.write(body.subarray(from, from + PIECE), () => send(from + PIECE));
      else if (!watch) response.end();
    };
    send(0);
  }
}

function bodyOf(kind: string, objects: readonly Manifest[], manner: ApiManner): Buffer {
  const own = objects.filter((object) => object.kind === kind);
  const metadata = { name: '', resourceVersion: '100000' };
  if (manner === 'streamed') {
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    return Buffer.concat([
      ...own.map((object) => protobufEvent('ADDED', object)),
      protobufEvent('BOOKMARK', { kind, metadata: { ...metadata, annotations } } as never),
    ]);
  }
  return gzipSync(JSON.stringify({ kind: `${kind}List`, apiVersion: 'v1', metadata, items: own }), { level: 1 });
}
