import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import type net from 'node:net';

interface Written {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

const resource = (name: string, kind: string): object => ({
  name,
  kind,
  singularName: '',
  namespaced: true,
  verbs: ['create', 'get', 'patch'],
});

/** What the server says that it knows, by group and version. */
const RESOURCES: Readonly<Record<string, readonly object[]>> = {
  v1: [
    { ...resource('services', 'Service'), shortNames: ['svc'] },
    resource('serviceaccounts', 'ServiceAccount'),
    resource('configmaps', 'ConfigMap'),
  ],
  'apps/v1': [
    { ...resource('daemonsets', 'DaemonSet'), shortNames: ['ds'] },
    { ...resource('deployments', 'Deployment'), shortNames: ['deploy'] },
  ],
  'cilium.io/v2': [resource('ciliumlocalredirectpolicies', 'CiliumLocalRedirectPolicy')],
};

const OPENAPI = 'application/octet-stream';
/** `swagger: "2.0"`, an empty `info` and empty `paths` in the encoding of protobuf. */
const NO_SCHEMA = Buffer.from([0x0a, 3, ...Buffer.from('2.0'), 0x12, 0, 0x42, 0]);

/**
 * As much of an API server as kubectl needs to create, to get and to patch: it keeps what it is given, checks nothing,
 * and nothing runs.
 */
export class ApiStub {
  readonly written: Written[] = [];
  private readonly server = http.createServer((request, response) => void this.answer(request, response));

  /** @param objects what is there, by path */
  constructor(private readonly objects: Map<string, unknown>) {}

  /** Writes the file that leads kubectl here. */
  async start(kubeconfig: string): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const { port } = this.server.address() as net.AddressInfo;
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'stub',
      clusters: [{ name: 'stub', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'stub', user: {} }],
      contexts: [{ name: 'stub', context: { cluster: 'stub', user: 'stub' } }],
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?');
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const send = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const known = discovery(path);
    if (known) return send(200, known);
    // An empty document: kubectl checks no field then.
    if (path === '/openapi/v2') return void response.writeHead(200, { 'content-type': OPENAPI }).end(NO_SCHEMA);
    const there = this.objects.get(path) as object | undefined;
    if (request.method === 'GET')
      return there ? send(200, there) : send(404, { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 });
    const body = JSON.parse(text) as object;
    this.written.push({ method: request.method ?? '', path, body });
    send(request.method === 'POST' ? 201 : 200, { ...there, ...body });
  }
}

function discovery(path: string): object | undefined {
  const groups = Object.keys(RESOURCES).filter((version) => version.includes('/'));
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis')
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: groups.map((groupVersion) => {
        const [name, version] = groupVersion.split('/');
        return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
      }),
    };
  const groupVersion = /^\/apis?\/(.+)$/.exec(path)?.[1] ?? '';
  const resources = RESOURCES[groupVersion];
  return resources && { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}
