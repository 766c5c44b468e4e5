import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../../src/lib/clock.js';
import { Gateway } from '../../../src/lab/gateway/gateway.js';
import { Lab } from '../../../src/lab/lab.js';
import { loadTopology } from '../../../src/lab/topology/load.js';
import type { ClusterView, LiveEvents, LookupAnswer, PartDetails } from '../../../src/lab/web/api.js';
import { StaticFiles } from '../../../src/lab/web/static-files.js';
import { readLabFile } from '../../../src/lab/web/web-page.js';
import { HostNetwork } from '../../../src/net/host-network.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-web-test-'));
let lab: Lab;
let gateway: Gateway;
beforeAll(async () => {
  for (const [name, text] of [
    ['index.html', '<p>page'],
    ['page.js', 'let a;'],
    ['page.css', 'p {}'],
    ['icon.svg', '<svg/>'],
  ] as const)
    writeFileSync(path.join(folder, name), text);
  lab = await Lab.create(loadTopology('two-nodes'), { clock: realClock });
  gateway = new Gateway(lab, {
    host: new HostNetwork(),
    port: 0,
    files: new StaticFiles([path.join(folder, 'nowhere'), folder]),
  });
  await gateway.open();
});
afterAll(() => {
  gateway.close();
  // Nobody needs the servers' lame duck time.
  void lab.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}
const ask = (method: string, url: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = http.request(new URL(url, gateway.url), { method, headers }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    request.on('error', reject).end(body);
  });
const get = async <Value>(url: string): Promise<Value> => JSON.parse((await ask('GET', url)).text) as Value;
const post = (url: string, value: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  ask(
    'POST',
    url,
    { 'content-type': 'application/json', ...headers },
    typeof value === 'string' ? value : JSON.stringify(value),
  );
const run = async (line: string): Promise<{ readonly text: string; readonly code: number | undefined }> => {
  const lines = (await post('/api/exec', { line })).text
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one) as { text?: string; code?: number });
  return { text: lines.map(({ text = '' }) => text).join(''), code: lines.at(-1)?.code };
};

describe("the page's files", () => {
  it.each([
    { url: '/', type: 'text/html; charset=utf-8', text: '<p>page' },
    { url: '/page.js', type: 'text/javascript; charset=utf-8', text: 'let a;' },
    { url: '/page.css', type: 'text/css; charset=utf-8', text: 'p {}' },
    { url: '/icon.svg', type: 'image/svg+xml', text: '<svg/>' },
  ])('$url', async ({ url, type, text }) => {
    const first = await ask('GET', url);
    expect(first).toMatchObject({ status: 200, text });
    expect(first.headers).toMatchObject({
      'content-type': type,
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(first.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(await ask('GET', url, { 'if-none-match': first.headers.etag! })).toMatchObject({ status: 304, text: '' });
    expect(await ask('HEAD', url)).toMatchObject({
      status: 200,
      text: '',
      headers: { 'content-length': String(text.length) },
    });
  });

  it('that were not built are told with the way out', async () => {
    const without = new Gateway(lab, { host: new HostNetwork(), port: 0, files: new StaticFiles([]) });
    await without.open();
    expect(await ask('GET', without.url)).toMatchObject({
      status: 503,
      text: 'the page is not built; build it with: npm run build\n',
    });
    without.close();
  });

  it('are no others of the folder', async () => {
    writeFileSync(path.join(folder, 'secret'), 'secret');
    for (const url of ['/secret', '/../secret', '/page.js/..', '/%2e%2e/package.json'])
      expect((await ask('GET', url)).text).not.toContain('secret');
  });
});

describe('who may ask', () => {
  it.each<{ name: string; url: string; headers: Record<string, string>; status: number }>([
    { name: 'a rebound name', url: '/api/exec', headers: { host: 'evil.example' }, status: 421 },
    { name: 'another origin', url: '/api/exec', headers: { origin: 'http://evil.example' }, status: 403 },
    {
      name: 'another origin, for a lookup',
      url: '/api/lookup',
      headers: { origin: 'http://evil.example' },
      status: 403,
    },
    { name: 'a form', url: '/api/exec', headers: { 'content-type': 'application/x-www-form-urlencoded' }, status: 415 },
  ])('$name: $status, and nothing is run', async ({ url, headers, status }) => {
    const refused = await post(
      url,
      { line: 'kubectl delete pod curl-pod', pod: 'default/curl-pod', name: 'example.org' },
      headers,
    );
    expect(refused.status).toBe(status);
    expect(JSON.parse(refused.text)).toHaveProperty('error');
    expect(lab.kubelet.get('default', 'curl-pod')).toBeDefined();
  });

  it('a rebound name reads nothing either', async () => {
    for (const url of ['/', '/api/cluster', '/api/events', '/api/part?id=node/k8s-ctr'])
      expect((await ask('GET', url, { host: 'evil.example' })).status).toBe(421);
  });

  it('the wrong method is told which ones there are', async () => {
    expect(await ask('GET', '/api/exec')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(await ask('DELETE', '/')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  it('what pods answer is no program of the page', async () => {
    const { url } = gateway.http()[0]!;
    expect((await ask('GET', url)).headers['content-security-policy']).toBe("sandbox; default-src 'none'");
  });
});

it('/api/cluster: nodes, pods, services, hosts, and who asks whom', async () => {
  const view = await get<ClusterView>('/api/cluster');
  expect(view).toMatchObject({ name: 'two-nodes', domain: 'cluster.local', dns: '10.96.0.10', nodeCache: 'none' });
  expect(view.nodes.map(({ name }) => name)).toEqual(['k8s-ctr', 'k8s-w1']);
  expect(view.pods.find(({ name }) => name === 'curl-pod')).toEqual({
    id: 'pod/default/curl-pod',
    namespace: 'default',
    name: 'curl-pod',
    workload: 'curl-pod',
    node: 'k8s-ctr',
    ip: '172.20.1.236',
    hostNetwork: false,
    kind: 'idle',
    state: 'Running',
    ready: true,
    restarts: 0,
    faults: [],
    port: gateway.dns().find(({ pod }) => pod === 'default/curl-pod')!.port,
  });
  expect(view.hosts).toContainEqual({
    id: 'host/resolver',
    name: 'resolver',
    addresses: ['10.0.2.3'],
    dns: true,
    node: 'k8s-ctr',
  });
  expect(view.hosts.find(({ name }) => name === 'router')).not.toHaveProperty('node');
  expect(view.services.find(({ name }) => name === 'kube-dns')).toMatchObject({
    ips: ['10.96.0.10'],
    ports: ['53/UDP', '53/TCP', '9153/TCP'],
    redirects: [],
  });
  expect(view.links).toEqual(
    expect.arrayContaining([
      { from: 'pod/default/curl-pod', to: 'service/kube-system/kube-dns', kind: 'asks' },
      { from: 'service/kube-system/kube-dns', to: 'pod/kube-system/coredns-674b8bbfcf-vvgfm', kind: 'backend' },
      // Each server asks the resolver of its own node's network.
      { from: 'pod/kube-system/coredns-674b8bbfcf-vvgfm', to: 'host/resolver', kind: 'forwards' },
      { from: 'pod/kube-system/coredns-674b8bbfcf-gbnm8', to: 'host/resolver-w1', kind: 'forwards' },
    ]),
  );
});

describe('/api/lookup', () => {
  it('tells ten queries for google.com', async () => {
    const story = JSON.parse(
      (await post('/api/lookup', { pod: 'default/curl-pod', name: 'google.com' })).text,
    ) as LookupAnswer;
    expect(story.cost.queries).toBe(10);
    expect(story.steps.map(({ name }) => name)).toEqual([
      'google.com.default.svc.cluster.local.',
      'google.com.svc.cluster.local.',
      'google.com.cluster.local.',
      'google.com.Davolink.',
      'google.com.',
    ]);
    expect(story).toMatchObject({ nodeCache: 'none', at: expect.any(Number) });
    expect(story.asText).toContain('5. google.com.  (the name as it stands)\n   A to 10.96.0.10 by UDP: NOERROR');
    expect(
      story.steps.every(
        ({ queries }) =>
          queries
            .map(({ type }) => type)
            .sort()
            .join() === 'A,AAAA',
      ),
    ).toBe(true);
  });

  it.each([
    { name: 'no name', body: { pod: 'default/curl-pod' }, status: 400, error: 'name: got undefined, allowed: text' },
    {
      name: 'an empty name',
      body: { pod: 'default/curl-pod', name: ' ' },
      status: 400,
      error: 'name: got "", allowed: a domain name',
    },
    {
      name: 'two names',
      body: { pod: 'default/curl-pod', name: 'a b' },
      status: 400,
      error: 'name: got "a b", allowed: a domain name',
    },
    {
      name: 'a name too long',
      body: { pod: 'default/curl-pod', name: 'a'.repeat(1025) },
      status: 400,
      error: 'name: got 1025 characters, allowed: 1024',
    },
    {
      name: 'what is no name',
      body: { pod: 'default/curl-pod', name: 'bad..name' },
      status: 400,
      error: 'name: got "bad..name", which is no name; allowed: labels of 1 to 63 bytes',
    },
    {
      name: 'an address',
      body: { pod: 'default/curl-pod', name: '10.96.0.10' },
      status: 400,
      error: 'name: got "10.96.0.10", an address: programs take it as it is',
    },
    {
      name: 'no such pod',
      body: { pod: 'default/none', name: 'a' },
      status: 404,
      error: 'pod: got "default/none", allowed: ',
    },
    {
      name: 'no such library',
      body: { pod: 'default/curl-pod', name: 'a', libc: 'uclibc' },
      status: 400,
      error: 'libc: got "uclibc", allowed: glibc, musl, go, bind, busybox',
    },
    {
      name: 'no such type',
      body: { pod: 'default/curl-pod', name: 'a', types: ['MX'] },
      status: 400,
      error: 'types: got ["MX"], allowed: A, AAAA',
    },
    {
      name: 'no type',
      body: { pod: 'default/curl-pod', name: 'a', types: [] },
      status: 400,
      error: 'types: got [], allowed: A, AAAA',
    },
    { name: 'no JSON', body: '{', status: 400, error: 'body: ' },
    { name: 'a list', body: '[]', status: 400, error: 'body: expected a JSON object' },
    { name: 'too much', body: { pad: 'x'.repeat(17_000) }, status: 413, error: 'body: got more than 16384 bytes' },
  ])('refuses $name', async ({ body, status, error }) => {
    const refused = await post('/api/lookup', body);
    expect(refused.status).toBe(status);
    expect((JSON.parse(refused.text) as { error: string }).error).toContain(error);
  });
});

describe('/api/exec', () => {
  it.each([
    { line: 'kubectl exec curl-pod -- cat /etc/resolv.conf', text: 'options ndots:5', code: 0 },
    { line: 'nosuch', text: 'nosuch: command not found', code: 127 },
    { line: 'kubectl apply -f manifests/webpod.yaml', text: 'unchanged', code: 0 },
    { line: 'kubectl apply -f ../manifests/webpod.yaml', text: 'unchanged', code: 0 },
    { line: 'kubectl apply -f /etc/passwd', text: 'cannot read /etc/passwd: no such file', code: 1 },
    { line: 'kubectl apply -f /home/x', text: 'the page reads the files of the folder lab only', code: 1 },
    { line: 'kubectl apply -f ../../package.json', text: 'the page reads the files of the folder lab only', code: 1 },
    { line: 'kubectl apply -f manifests/none.yaml', text: 'no such file', code: 1 },
  ])('$line', async ({ line, text, code }) => {
    const ran = await run(line);
    expect(ran.text).toContain(text);
    expect(ran.code).toBe(code);
  });

  it.each([
    { name: 'several lines', body: { line: 'a\nb' }, error: 'line: got several lines, allowed: one' },
    { name: 'no line', body: {}, error: 'line: got undefined, allowed: text' },
    { name: 'a line too long', body: { line: 'a'.repeat(4097) }, error: 'line: got 4097 characters, allowed: 4096' },
  ])('refuses $name', async ({ body, error }) =>
    expect(await post('/api/exec', body)).toMatchObject({ status: 400, text: JSON.stringify({ error }) }),
  );

  it('ends what does not end when nobody reads it any more, and runs so many at a time', async () => {
    const open = (): Promise<http.ClientRequest> =>
      new Promise((resolve, reject) => {
        const request = http.request(
          new URL('/api/exec', gateway.url),
          { method: 'POST', headers: { 'content-type': 'application/json' } },
          (response) => {
            response.resume().on('error', () => undefined);
            resolve(request);
          },
        );
        request.on('error', reject).end(JSON.stringify({ line: 'hubble observe -f' }));
      });
    const running = await Promise.all(Array.from({ length: 8 }, open));
    expect(await post('/api/exec', { line: 'help' })).toMatchObject({
      status: 429,
      text: '{"error":"8 commands are running already"}',
    });
    for (const request of running) request.destroy();
    await expect.poll(async () => (await post('/api/exec', { line: 'help' })).status).toBe(200);
  });
});

describe('files that commands of the page read', () => {
  it.each(['/etc/passwd', '../../package.json', '..', 'manifests/../../package.json'])('%s is none', (file) =>
    expect(() => readLabFile(file)).toThrow('the page reads the files of the folder lab only'),
  );
  it("are the lab's", () => expect(readLabFile('manifests/lrp.yaml')).toBe(readLabFile('../manifests/lrp.yaml')));
});

describe('/api/part', () => {
  it.each([
    {
      id: 'pod/kube-system/coredns-674b8bbfcf-vvgfm',
      texts: ['/etc/resolv.conf', 'Corefile', 'Log, last 40 lines'],
      links: [':9153/metrics'],
    },
    { id: 'pod/default/curl-pod', texts: ['/etc/resolv.conf'], links: [] },
    { id: 'host/resolver', texts: ['Corefile'], links: [] },
    { id: 'node/k8s-ctr', texts: ['/etc/resolv.conf', 'Devices'], links: [] },
    { id: 'service/kube-system/kube-dns', texts: ['Translation'], links: [] },
  ])('$id', async ({ id, texts, links }) => {
    const details = await get<PartDetails>(`/api/part?id=${encodeURIComponent(id)}`);
    expect(details.texts.map(({ title }) => title)).toEqual(expect.arrayContaining(texts));
    expect(details.links.map(({ title }) => title)).toEqual(expect.arrayContaining(links));
    for (const { url } of details.links) expect((await ask('GET', url)).status).toBe(200);
  });

  it.each(['', 'pod/default/none', 'host/none', 'node/none', 'service/default/none', 'planet/mars'])(
    '%s: there is none',
    async (id) => {
      expect((await ask('GET', `/api/part?id=${encodeURIComponent(id)}`)).status).toBe(404);
    },
  );
});

describe('/api/events', () => {
  /** Reads events until `done` is content with them. */
  const listen = (
    done: (seen: Partial<Record<keyof LiveEvents, unknown[]>>) => boolean,
    ready: () => void,
  ): Promise<Partial<Record<keyof LiveEvents, unknown[]>>> =>
    new Promise((resolve, reject) => {
      const seen: Partial<Record<keyof LiveEvents, unknown[]>> = {};
      let rest = '';
      const request = http.get(new URL('/api/events', gateway.url), (response) => {
        expect(response.headers['content-type']).toBe('text/event-stream');
        ready();
        response
          .setEncoding('utf8')
          .on('error', () => undefined)
          .on('data', (chunk: string) => {
            const frames = (rest + chunk).split('\n\n');
            rest = frames.pop() ?? '';
            for (const frame of frames) {
              const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(frame) ?? [];
              if (name !== undefined) (seen[name as keyof LiveEvents] ??= []).push(JSON.parse(data!));
            }
            if (done(seen)) {
              request.destroy();
              resolve(seen);
            }
          });
      });
      request.on('error', reject);
    });

  it('tell the cluster, and queries and flows as they happen: who asked whom, by which service', async () => {
    const seen = await listen(
      ({ visits = [], flows }) =>
        flows !== undefined && JSON.stringify(visits).includes('"from":"pod/default/curl-pod"'),
      () => void run('kubectl exec curl-pod -- dig +short example.org'),
    );
    expect(seen.cluster?.[0]).toMatchObject({ name: 'two-nodes' });
    const visits = (seen.visits as LiveEvents['visits'][]).flatMap((one) => one.visits);
    expect(visits).toContainEqual(
      expect.objectContaining({
        server: expect.stringMatching(/^pod\/kube-system\/coredns-/),
        from: 'pod/default/curl-pod',
        by: 'service/kube-system/kube-dns',
        name: 'example.org.',
        type: 'A',
        transport: 'udp',
      }),
    );
    // The resolver sees the node's address; the table of translations says whose query it was.
    expect(visits).toContainEqual(
      expect.objectContaining({
        server: expect.stringMatching(/^host\/resolver/),
        from: expect.stringMatching(/^pod\/kube-system\/coredns-/),
      }),
    );
    const flows = (seen.flows as LiveEvents['flows'][]).flatMap((one) => one.flows);
    expect(flows).toContainEqual(
      expect.objectContaining({
        verdict: 'TRACED',
        point: 'pre-xlate-fwd',
        protocol: 'UDP',
        source: expect.objectContaining({ name: 'default/curl-pod', part: 'pod/default/curl-pod' }),
        destination: expect.objectContaining({ name: 'kube-system/kube-dns', port: 53 }),
      }),
    );
  });

  it('tell a cluster that has changed', async () => {
    const changed = await listen(
      ({ cluster = [] }) => (cluster.at(-1) as ClusterView | undefined)?.nodeCache === 'redirect',
      () =>
        void run('kubectl apply -f manifests/node-local-dns-lrp.yaml').then(() =>
          run('kubectl apply -f manifests/lrp.yaml'),
        ),
    );
    const view = changed.cluster!.at(-1) as ClusterView;
    expect(view.services.find(({ name }) => name === 'kube-dns')!.redirects).toEqual([
      {
        node: 'k8s-ctr',
        policy: 'kube-system/nodelocaldns',
        to: [expect.stringMatching(/^pod\/kube-system\/node-local-dns-/)],
      },
      {
        node: 'k8s-w1',
        policy: 'kube-system/nodelocaldns',
        to: [expect.stringMatching(/^pod\/kube-system\/node-local-dns-/)],
      },
    ]);
    expect(view.links).toContainEqual({
      from: expect.stringMatching(/^pod\/kube-system\/node-local-dns-/),
      to: 'service/kube-system/kube-dns-upstream',
      kind: 'forwards',
    });
  });
});
