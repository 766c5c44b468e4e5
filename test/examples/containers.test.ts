import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type http from 'node:http';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Folder } from '../plugin-api/support.js';
import { example, said, serve, web } from './support.js';

const folder = new Folder();
afterAll(() => folder.remove());
const containers = await example('containers');

interface Network {
  readonly IPAddress?: string;
  readonly GlobalIPv6Address?: string;
  readonly Aliases?: string[] | null;
}
const container = (name: string, networks: Record<string, Network>): unknown => ({
  Names: [`/${name}`],
  NetworkSettings: { Networks: networks },
});

describe('containers, over the words of the API', () => {
  it('answers, and follows containers as they come and go', async () => {
    let running = [
      container('web', {
        front: { IPAddress: '172.20.0.2', GlobalIPv6Address: 'fd00::2', Aliases: ['www'] },
        back: { IPAddress: '172.21.0.2' },
      }),
    ];
    const listeners: http.ServerResponse[] = [];
    const site = await web(
      {
        '/containers/json': (_request, response) => void response.end(JSON.stringify(running)),
        '/events': (_request, response) => {
          response.write('\n');
          listeners.push(response);
        },
      },
      path.join(folder.path, 'engine.sock'),
    );
    const server = await serve(containers, `containers docker.test {\n socket ${site.url}\n network front\n}`);
    const ask = async (name: string, type = 'A'): Promise<string> => said(await server.ask({ name, type }));
    expect([
      await ask('web.docker.test'),
      await ask('WWW.docker.test', 'AAAA'),
      await ask('web.docker.test', 'MX'),
      await ask('db.docker.test'),
      await ask('docker.example'),
    ]).toEqual(['NOERROR 172.20.0.2', 'NOERROR fd00::2', 'NOERROR', 'NXDOMAIN', 'REFUSED']);
    const missing = await server.ask('db.docker.test');
    expect(missing?.authorities).toMatchObject([{ name: 'docker.test', type: 'SOA', data: { minimum: 5 } }]);
    running = [container('db', { front: { IPAddress: '172.20.0.3' } })];
    await expect.poll(() => listeners.length).toBe(1);
    listeners[0]!.write('{"Action":"start"}\n');
    await expect.poll(() => ask('db.docker.test')).toBe('NOERROR 172.20.0.3');
    expect(await ask('web.docker.test')).toBe('NXDOMAIN');
    await server.stop();
    await site.close();
  });

  it('says what is wrong with the engine, and serves once it is there', async () => {
    const file = path.join(folder.path, 'late.sock');
    const server = await serve(containers, `containers docker.test {\n socket unix://${file}\n}`);
    await server.ask('web.docker.test');
    expect(server.lines.find((line) => line.includes('[WARNING]'))).toMatch(
      /table containers: connect ENOENT .*late\.sock; it keeps its 0 entries/,
    );
    const site = await web(
      { '/containers/json': JSON.stringify([container('web', { a: { IPAddress: '172.20.0.9' } })]), '/events': 404 },
      file,
    );
    await server.advance(60_000);
    await expect.poll(async () => said(await server.ask('web.docker.test'))).toBe('NOERROR 172.20.0.9');
    await server.stop();
    await site.close();
  });
});

const noPodman = spawnSync('podman', ['--version']).status !== 0;
if (noPodman)
  console.log('test/examples/containers: podman is not installed (Debian: podman); its socket is not tried');

describe.skipIf(noPodman)("containers, over podman's socket", () => {
  it('reads what podman says', async () => {
    const socket = path.join(folder.path, 'podman.sock');
    const podman = spawn(
      'podman',
      [
        '--storage-driver',
        'vfs',
        '--root',
        path.join(folder.path, 'root'),
        '--runroot',
        path.join(folder.path, 'run'),
        'system',
        'service',
        '--time=60',
        `unix://${socket}`,
      ],
      { stdio: 'ignore' },
    );
    try {
      await expect.poll(() => existsSync(socket), { timeout: 15_000 }).toBe(true);
      const server = await serve(containers, `containers docker.test {\n socket unix://${socket}\n}`);
      expect(said(await server.ask('web.docker.test'))).toBe('NXDOMAIN');
      expect((await server.metrics()).get('coredns_containers_table_entries{table="containers",zones="."}')).toBe(0);
      expect(server.lines.filter((line) => line.startsWith('[WARNING]'))).toEqual([]);
      await server.stop();
    } finally {
      const closed = once(podman, 'close');
      podman.kill();
      await closed;
    }
  });
});
