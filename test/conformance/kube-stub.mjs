// A Kubernetes API that lists and watches objects held in memory: enough for a DNS server's reflectors.
import http from 'node:http';

const PATHS = {
  '/api/v1/namespaces': ['v1', 'Namespace'],
  '/api/v1/services': ['v1', 'Service'],
  '/api/v1/pods': ['v1', 'Pod'],
  '/api/v1/nodes': ['v1', 'Node'],
  '/api/v1/endpoints': ['v1', 'Endpoints'],
  '/apis/discovery.k8s.io/v1/endpointslices': ['discovery.k8s.io/v1', 'EndpointSlice'],
};

export class KubeStub {
  rv = 1000;
  objects = new Map();
  watchers = new Set();
  log = [];
  history = [];
  constructor(objs = []) {
    for (const o of objs) this.apply(o);
  }
  key(o) {
    return `${o.kind}/${o.metadata.namespace ?? ''}/${o.metadata.name}`;
  }
  apply(o) {
    if (o.kind === 'List') return o.items.forEach((x) => this.apply(x));
    o = structuredClone(o);
    o.metadata.resourceVersion = String(++this.rv);
    o.metadata.uid ??= `00000000-0000-0000-0000-${String(this.rv).padStart(12, '0')}`;
    o.metadata.creationTimestamp ??= '2025-07-30T05:41:20Z';
    if (o.kind !== 'Namespace' && o.kind !== 'Node') o.metadata.namespace ??= 'default';
    const k = this.key(o),
      type = this.objects.has(k) ? 'MODIFIED' : 'ADDED';
    this.objects.set(k, o);
    this.emit(type, o);
  }
  delete(kind, ns, name) {
    const k = `${kind}/${ns}/${name}`,
      o = this.objects.get(k);
    if (!o) return;
    this.objects.delete(k);
    o.metadata.resourceVersion = String(++this.rv);
    this.emit('DELETED', o);
  }
  emit(type, object) {
    const e = { type, object, rv: this.rv };
    this.history.push(e);
    for (const w of this.watchers) w(e);
  }
  list(kind) {
    return [...this.objects.values()].filter((o) => o.kind === kind);
  }
  listen(port = 0, host = '127.0.0.1') {
    this.server = http.createServer((req, res) => {
      const u = new URL(req.url, 'http://x');
      this.log.push(req.method + ' ' + req.url);
      if (u.pathname === '/version') return res.end(JSON.stringify({ major: '1', minor: '33', gitVersion: 'v1.33.2' }));
      const hit = PATHS[u.pathname];
      if (u.pathname.startsWith('/apis/discovery.k8s.io/v1') && !hit && u.pathname.split('/').length <= 4)
        return res.end(
          JSON.stringify({
            kind: 'APIResourceList',
            apiVersion: 'v1',
            groupVersion: 'discovery.k8s.io/v1',
            resources: [
              {
                name: 'endpointslices',
                singularName: '',
                namespaced: true,
                kind: 'EndpointSlice',
                verbs: ['list', 'watch'],
              },
            ],
          }),
        );
      res.setHeader('content-type', 'application/json');
      if (!hit) {
        res.statusCode = 404;
        return res.end(
          JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }),
        );
      }
      const [apiVersion, kind] = hit;
      const fs = u.searchParams.get('fieldSelector');
      const ls = u.searchParams.get('labelSelector');
      const match = (o) => {
        if (o.kind !== kind) return false;
        if (fs)
          for (const c of fs.split(',')) {
            const m = c.match(/^([^!=]+)(!?=)=?(.*)$/);
            if (!m) continue;
            const v = m[1].split('.').reduce((x, k) => x?.[k], o) ?? '';
            if (m[2] === '=' ? v !== m[3] : v === m[3]) return false;
          }
        if (ls)
          for (const c of ls.split(',')) {
            const neg = c.startsWith('!');
            const [k, v] = c.replace('!', '').split(/==?/);
            const has = o.metadata.labels?.[k];
            if (neg ? has !== undefined : v !== undefined ? has !== v : has === undefined) return false;
          }
        return true;
      };
      if (u.searchParams.get('watch') === 'true' || u.searchParams.get('watch') === '1') {
        if (u.searchParams.get('sendInitialEvents')) {
          res.statusCode = 422;
          return res.end(
            JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Invalid', code: 422 }),
          );
        }
        const since = Number(u.searchParams.get('resourceVersion') ?? 0);
        const send = (e) => {
          if (match(e.object)) res.write(JSON.stringify({ type: e.type, object: { apiVersion, ...e.object } }) + '\n');
        };
        for (const e of this.history) if (e.rv > since) send(e);
        this.watchers.add(send);
        req.on('close', () => this.watchers.delete(send));
        res.flushHeaders();
        return;
      }
      const all = this.list(kind).filter(match),
        from = Number(u.searchParams.get('continue') ?? 0);
      const limit = u.searchParams.get('resourceVersion') === '0' ? 0 : Number(u.searchParams.get('limit') ?? 0); // as the real API: lists from its cache ignore the limit
      const items = limit ? all.slice(from, from + limit) : all,
        rest = limit ? all.length - from - items.length : 0;
      res.end(
        JSON.stringify({
          kind: kind + 'List',
          apiVersion,
          metadata: {
            resourceVersion: String(this.rv),
            ...(rest > 0 ? { continue: String(from + limit), remainingItemCount: rest } : {}),
          },
          items,
        }),
      );
    });
    return new Promise((r) => this.server.listen(port, host, () => r(this.server.address().port)));
  }
  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
