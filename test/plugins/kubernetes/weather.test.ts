import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Server } from '../../../src/server/server.js';
import { Type } from '../../../src/wire/index.js';
import { TestLog } from '../../support/block.js';
import { texts } from '../../support/dns.js';
import { FakeApi } from '../../support/fake-api.js';
import { namespace, pod, service, slice, until } from '../../support/kube.js';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

const WEB = 'web.default.svc.cluster.local.';

async function api(): Promise<FakeApi> {
  const fake = await new FakeApi([namespace('default'), service('web'), slice('web', ['10.0.0.1'])]).start();
  cleanup.push(() => fake.stop());
  return fake;
}

async function serve(corefile: string, log = new TestLog()): Promise<Server> {
  const server = await Server.create({ corefile, log });
  cleanup.push(() => server.stop());
  return server;
}

const corefile = (url: string, options = ''): string =>
  `.:0 {\n bind 127.0.0.1\n ready 127.0.0.1:0\n prometheus 127.0.0.1:0\n kubernetes cluster.local {\n endpoint ${url}\n startup_timeout 100ms\n${options}\n }\n}\n`;

async function told(server: Server, name = WEB, type: number = Type.A): Promise<string> {
  const message = (await server.inject({ name, type }))!;
  return [message.rcode, ...texts(message.answer)].join(' ');
}

const soon = async (server: Server, want: string, name = WEB): Promise<void> => {
  let last = '';
  await until(() => {
    void told(server, name).then((got) => (last = got));
    return last === want;
  }, want);
};

const FOUND = `0 ${WEB} 5 IN A 10.96.0.1`;

describe('the API', () => {
  it('is there: the first answer is right', async () => {
    const server = await serve(corefile((await api()).url, 'startup_timeout 5s'));
    expect(await told(server)).toBe(FOUND);
  });

  it('is down at the start: serving begins without it, and names are found once it is up', async () => {
    const fake = await api();
    await fake.stop();
    const log = new TestLog();
    const server = await serve(corefile(fake.url), log);
    expect(log.lines).toContain('[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API');
    expect(await told(server)).toBe('2');
    expect(await told(server, 'svc.cluster.local.')).toBe('0');
    await fake.start();
    await soon(server, FOUND);
    await soon(server, '3', 'nosuch.default.svc.cluster.local.');
  });

  it('is lost in the middle: what was known goes on being answered', async () => {
    const fake = await api();
    const server = await serve(corefile(fake.url, 'startup_timeout 5s'));
    await fake.stop();
    expect(await told(server)).toBe(FOUND);
    expect(await told(server, 'nosuch.default.svc.cluster.local.')).toBe('3');
    fake.apply(service('web', { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] }));
    await fake.start();
    await soon(server, `0 ${WEB} 5 IN A 10.96.0.9`);
  });

  it.each([
    { name: 'hangs', fault: { hang: true } as const },
    { name: 'breaks the connection', fault: { cut: true } as const },
    { name: 'answers 500', fault: { status: 500 } },
    { name: 'answers 429', fault: { status: 429, headers: { 'retry-after': '1' } } },
    { name: 'answers garbage', fault: { status: 200, body: 'It works!' } },
    { name: 'answers a part', fault: { status: 200, body: '{"kind":"ServiceList","items":[{"metadata":' } },
  ])('$name: SERVFAIL, and the process goes on', async ({ fault }) => {
    const fake = await api();
    fake.fail(fault, { purpose: 'list', kind: 'Service', times: 100 });
    expect(await told(await serve(corefile(fake.url)))).toBe('2');
  });

  it('sends half an event: what was known goes on being answered', async () => {
    const fake = await api();
    const server = await serve(corefile(fake.url, 'startup_timeout 5s'));
    await until(() => fake.watching('Service') === 1, 'a watch');
    fake.sendRaw('Service', '{"type":"MODIFIED","object":{"metadata":{"name":"web"');
    fake.endWatches({ cut: true });
    expect(await told(server)).toBe(FOUND);
  });

  it('sends objects that cannot be used: they are left out', async () => {
    const fake = await api();
    fake.apply(service('bad', { clusterIP: '10.96.0.300', clusterIPs: ['10.96.0.300'] }));
    fake.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'empty' } });
    fake.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'Not_A_Name' }, spec: {} });
    fake.apply(
      slice('half', [], {
        endpoints: [{}, { addresses: null }, { addresses: ['x'] }],
        ports: 'http',
        surprise: { a: 1 },
      }),
    );
    fake.apply(service('half', { clusterIP: 'None', clusterIPs: ['None'] }));
    const server = await serve(corefile(fake.url, 'startup_timeout 5s'));
    expect(await told(server)).toBe(FOUND);
    expect(await told(server, 'bad.default.svc.cluster.local.')).toBe('0');
    expect(await told(server, 'half.default.svc.cluster.local.')).toBe('3');
  });

  it('tells of changes: they are answered with', async () => {
    const fake = await api();
    const server = await serve(corefile(fake.url, 'startup_timeout 5s\npods verified'));
    await until(() => fake.watching('Service') === 1 && fake.watching('Pod') === 1, 'watches');
    expect(await told(server)).toBe(FOUND);
    fake.apply(service('web', { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] }));
    await soon(server, `0 ${WEB} 5 IN A 10.96.0.9`);
    fake.delete('Service', 'default', 'web');
    await soon(server, '3');
    fake.apply(pod('a', '10.0.0.7'));
    await soon(server, '0 10-0-0-7.default.pod.cluster.local. 5 IN A 10.0.0.7', '10-0-0-7.default.pod.cluster.local.');
  });

  it('is asked for what the options choose', async () => {
    const fake = await api();
    await serve(
      corefile(fake.url, 'startup_timeout 5s\nlabels app=web\nnamespace_labels team=a\nnoendpoints\npods verified'),
    );
    expect(fake.count('list', 'EndpointSlice')).toBe(0);
    const selectors = fake.requests
      .filter(({ purpose }) => purpose === 'list')
      .map(({ kind, query }) => [kind, query['labelSelector'], query['fieldSelector']]);
    expect(selectors.sort()).toEqual([
      ['Namespace', 'team=a', undefined],
      ['Pod', 'app=web', 'status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown'],
      ['Service', 'app=web', undefined],
    ]);
  });
});

describe('a reload', () => {
  it('goes on with the objects that are known, and the last one to need them ends the watches', async () => {
    const fake = await api();
    let text = corefile(fake.url, 'startup_timeout 5s');
    const server = await Server.create({ corefile: { name: 'Corefile', read: () => text }, log: new TestLog() });
    text = corefile(fake.url, 'startup_timeout 5s\nttl 7');
    expect(await server.reload()).toBe(true);
    expect(await told(server)).toBe(FOUND.replace(' 5 ', ' 7 '));
    expect(fake.count('list', 'Service')).toBe(1);
    await until(() => fake.watching('Service') === 1, 'a watch');
    await server.stop();
    await until(() => fake.watching('Service') === 0, 'the end of the watch');
  });

  it('to another API takes its objects, and leaves the former one', async () => {
    const [one, two] = [await api(), await api()];
    two.apply(service('web', { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] }));
    let text = corefile(one.url, 'startup_timeout 5s');
    const server = await Server.create({ corefile: { name: 'Corefile', read: () => text }, log: new TestLog() });
    cleanup.push(() => server.stop());
    text = corefile(two.url, 'startup_timeout 5s');
    expect(await server.reload()).toBe(true);
    expect(await told(server)).toBe(`0 ${WEB} 5 IN A 10.96.0.9`);
    await until(() => one.watching('Service') === 0, 'the end of the watch');
  });

  it('takes a kubeconfig that was written anew, and goes on with one that was not', async () => {
    const [one, two] = [await api(), await api()];
    two.apply(service('web', { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] }));
    const dir = mkdtempSync(path.join(tmpdir(), 'nodens-kubeconfig-'));
    cleanup.push(() => rmSync(dir, { recursive: true }));
    const file = path.join(dir, 'config');
    const kubeconfig = (url: string): string =>
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server: url } }],
        contexts: [{ name: 'x', context: { cluster: 'c' } }],
        'current-context': 'x',
      });
    writeFileSync(file, kubeconfig(one.url));
    const text = `cluster.local:0 {\n bind 127.0.0.1\n kubernetes {\n  kubeconfig ${file}\n  startup_timeout 5s\n }\n}\n`;
    const server = await serve(text);
    expect(await told(server)).toBe(FOUND);
    expect(await server.reload()).toBe(true);
    expect(one.count('list', 'Service')).toBe(1);
    // Longer, so that it is another one whatever the clock of the files says.
    writeFileSync(file, `${kubeconfig(two.url)}\n`);
    expect(await server.reload()).toBe(true);
    expect(await told(server)).toBe(`0 ${WEB} 5 IN A 10.96.0.9`);
    await until(() => one.watching('Service') === 0, 'the end of the watch');
  });

  it('that fails leaves everything as it was', async () => {
    const fake = await api();
    let text = corefile(fake.url, 'startup_timeout 5s');
    const server = await Server.create({ corefile: { name: 'Corefile', read: () => text }, log: new TestLog() });
    cleanup.push(() => server.stop());
    text = `${text}example.org:0 {\n kubernetes example.org {\n endpoint ${fake.url}\n pods never\n }\n}\n`;
    expect(await server.reload()).toBe(false);
    expect(await told(server)).toBe(FOUND);
    await until(() => fake.watching('Service') === 1, 'a watch');
  });

  it('of two blocks with one source asks once', async () => {
    const fake = await api();
    const server = await serve(
      `cluster.local:0 {\n kubernetes {\n endpoint ${fake.url}\n }\n}\nexample.org:0 {\n kubernetes {\n endpoint ${fake.url}\n ttl 9\n }\n}\n`,
    );
    expect(await told(server)).toBe(FOUND);
    expect(fake.count('list', 'Service')).toBe(1);
  });
});

describe('manifests', () => {
  const folder = (): string => {
    const dir = mkdtempSync(path.join(tmpdir(), 'nodens-manifests-'));
    cleanup.push(() => rmSync(dir, { recursive: true }));
    return dir;
  };
  const fromFiles = (dir: string, options = ''): string =>
    `.:0 {\n kubernetes cluster.local {\n manifests ${dir}\n${options}\n }\n}\n`;
  const put = (dir: string, name: string, ...objects: unknown[]): void => {
    writeFileSync(path.join(dir, `${name}.tmp`), objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    renameSync(path.join(dir, `${name}.tmp`), path.join(dir, name));
  };

  it('are answered from, and followed; a namespace is there with what stands in it', async () => {
    const dir = folder();
    put(dir, 'web.yaml', service('web'));
    const server = await serve(fromFiles(dir, 'pods insecure'));
    expect(await told(server)).toBe(FOUND);
    expect(await told(server, '10-0-0-1.default.pod.cluster.local.')).toMatch(/^0 .* A 10\.0\.0\.1$/);
    put(dir, 'web.yaml', service('web', { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] }));
    await soon(server, `0 ${WEB} 5 IN A 10.96.0.9`);
    rmSync(path.join(dir, 'web.yaml'));
    await soon(server, '3');
    expect(await told(server, '10-0-0-1.default.pod.cluster.local.')).toBe('3');
  });

  it('form slices of the pods that a service selects', async () => {
    const dir = folder();
    put(
      dir,
      'db.yaml',
      service('db', { clusterIP: 'None', clusterIPs: ['None'], selector: { app: 'db' } }),
      pod('db-0', '10.0.0.4', { app: 'db' }),
    );
    const server = await serve(fromFiles(dir));
    await soon(server, '0 db.default.svc.cluster.local. 5 IN A 10.0.0.4', 'db.default.svc.cluster.local.');
  });

  it('with a mistake keep what they held', async () => {
    const dir = folder();
    put(dir, 'web.yaml', service('web'));
    const log = new TestLog();
    const server = await serve(fromFiles(dir), log);
    writeFileSync(path.join(dir, 'web.yaml'), 'kind: Service\n  metadata: {');
    await until(
      () =>
        log.lines.some(
          (line) =>
            line.startsWith('[ERROR] plugin/kubernetes: ') &&
            line.includes('web.yaml') &&
            line.endsWith('its former objects stay'),
        ),
      'the error',
    );
    expect(await told(server)).toBe(FOUND);
  });

  it('of no path lead to the cluster around', async () => {
    await expect(serve('.:0 {\n kubernetes cluster.local {\n manifests {$NODENS_MANIFESTS}\n }\n}\n')).rejects.toThrow(
      'Corefile:2: kubernetes: not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set',
    );
  });
});

describe('metrics', () => {
  it('tell of requests to the API and how long changes take, as the reference names them', async () => {
    const fake = await api();
    const server = await serve(corefile(fake.url, 'startup_timeout 5s'));
    await until(() => ['Namespace', 'Service', 'EndpointSlice'].every((kind) => fake.watching(kind) === 1), 'watches');
    fake.apply(service('db', { clusterIP: 'None', clusterIPs: ['None'] }));
    await soon(server, '3', 'db.default.svc.cluster.local.');
    const time = new Date(Date.now() - 60).toISOString();
    const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': time };
    const labels = { 'kubernetes.io/service-name': 'web' };
    fake.apply(slice('web', ['10.0.0.3'], { metadata: { name: 'web-b', labels, annotations } }));
    fake.apply(
      slice('db', ['10.0.0.2'], {
        metadata: {
          name: 'db-a',
          labels: { 'kubernetes.io/service-name': 'db' },
          annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': time },
        },
      }),
    );
    await soon(server, '0 db.default.svc.cluster.local. 5 IN A 10.0.0.2', 'db.default.svc.cluster.local.');
    const lines = (await server.runtime.metrics.text())
      .split('\n')
      .filter((line) => line.includes('coredns_kubernetes_'));
    const host = new URL(fake.url).host;
    expect(lines).toEqual(
      expect.arrayContaining([
        '# HELP coredns_kubernetes_dns_programming_duration_seconds Histogram of the time (in seconds) it took to program a dns instance.',
        'coredns_kubernetes_dns_programming_duration_seconds_bucket{service_kind="headless_with_selector",le="0.032"} 0',
        'coredns_kubernetes_dns_programming_duration_seconds_bucket{service_kind="headless_with_selector",le="524.288"} 1',
        'coredns_kubernetes_dns_programming_duration_seconds_bucket{service_kind="cluster_ip",le="524.288"} 1',
        '# HELP coredns_kubernetes_rest_client_rate_limiter_duration_seconds Client side rate limiter latency in seconds. Broken down by verb and host.',
        `coredns_kubernetes_rest_client_rate_limiter_duration_seconds_bucket{host="${host}",verb="GET",le="0.005"} 3`,
        '# HELP coredns_kubernetes_rest_client_request_duration_seconds Request latency in seconds. Broken down by verb and host.',
        `coredns_kubernetes_rest_client_request_duration_seconds_count{host="${host}",verb="GET"} 3`,
        '# HELP coredns_kubernetes_rest_client_requests_total Number of HTTP requests, partitioned by status code, method, and host.',
        `coredns_kubernetes_rest_client_requests_total{code="200",host="${host}",method="GET"} 6`,
      ]),
    );
  });
});
