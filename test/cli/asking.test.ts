import { PassThrough } from 'node:stream';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Reply } from '../../src/chain/index.js';
import { adminRoutes } from '../../src/cli/admin-routes.js';
import { explainCommand } from '../../src/cli/explain.js';
import { apiReader } from '../../src/cli/read-api.js';
import { recordCommand } from '../../src/cli/record.js';
import { topCommand, watch, type Terminal } from '../../src/cli/top.js';
import { AdminEndpoint, type AdminRoute } from '../../src/insight/admin/admin-endpoint.js';
import { askAdmin } from '../../src/insight/admin/ask-admin.js';
import { ENTER, LEAVE } from '../../src/insight/top/top-screen.js';
import { realClock } from '../../src/lib/clock.js';
import { VERSION } from '../../src/lib/package-folder.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { DEFAULT_RECORDER, FlightRecorder } from '../../src/record/flight-recorder.js';
import { Server } from '../../src/server/server.js';
import { TopRecorder } from '../../src/top/recorder.js';
import { POD_API } from '../insight/explain/pod-api.js';
import { query } from '../support/dns.js';
import { processEvents } from '../support/process-events.js';
import { toldOnStderr, toldOnStdout } from '../support/told.js';

const COREFILE = `. {
  acl {
    allow net 10.1.2.3/32 127.0.0.1/32
    block
  }
  hosts {
    192.0.2.1 a.example web.shop.svc.corp.local
  }
}`;

const [said, shown] = [toldOnStderr(), toldOnStdout()];
const tell = processEvents();

let folder: string;
let server: Server;
const closing: { close(): unknown }[] = [];
const at = (name: string): string => `unix:${path.join(folder, name)}`;

/** Has routes answered at a socket of the folder. */
const open = async (name: string, routes: readonly AdminRoute[]): Promise<void> =>
  void closing.push(
    await AdminEndpoint.open({ at: { path: path.join(folder, name) } }, routes, {
      network: new HostNetwork(),
      clock: realClock,
    }),
  );

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-asking-'));
  server = await Server.create({ corefile: COREFILE });
  const top = new TopRecorder(realClock, [1, 2]);
  for (const [name, count] of [
    ['a.example.', 3],
    ['b.example.', 1],
  ] as const)
    // prettier-ignore
    for (let i = 0; i < count; i++) top.answered(query(name), 0, 0.001);
  const recorder = new FlightRecorder(DEFAULT_RECORDER, realClock);
  for (const name of ['a.example.', 'b.example.'])
    recorder.atOnce(query(name), Reply.failure(2, new Error('x')), undefined);
  await open('all', adminRoutes(server, top, recorder));
  await open('none', adminRoutes(server, top, undefined));
  closing.push({ close: () => top.stop() }, { close: () => server.stop() });
});
afterAll(async () => {
  for (const one of closing) await one.close();
  rmSync(folder, { recursive: true });
});

describe('a server tells', () => {
  it('who it is', async () => {
    const caller = { at: { path: path.join(folder, 'all') }, timeout: 5000 };
    expect(await askAdmin(caller, '/')).toEqual({ version: VERSION, pid: process.pid, serves: ['dns://:53'] });
  });

  it.each([
    { name: 'to a terminal', to: undefined },
    { name: 'to a file', to: 'recording' },
  ])('nodens record what it keeps, $name', async ({ to }) => {
    const file = to && path.join(folder, to);
    expect(await recordCommand(['-server', at('all'), ...(file ? ['-to', file] : [])], {})).toBe(0);
    const text = file ? readFileSync(file, 'utf8') : shown();
    expect(JSON.parse(text)).toMatchObject({ occasion: 'asked for', queries: [{ why: ['failed'] }, {}] });
    if (file) expect([lstatSync(file).mode & 0o777, shown()]).toEqual([0o600, '']);
  });

  it('that it keeps nothing', async () => {
    expect(await recordCommand(['-server', at('none')], {})).toBe(2);
    expect(said()).toMatch(/^nodens record: unix:.*none: /);
  });
});

describe('nodens top', () => {
  it.each([
    { args: ['-o', 'json'], want: /^\{\n {2}"rate"[^]*"key": "b\.example\."[^]*\n\}\n$/ },
    { args: ['-o', 'json', '-rows', '1'], want: /^(?![^]*"b\.example)[^]*"a\.example\."/ },
    { args: ['-o', 'json', '-filter', 'B.EX'], want: /^(?![^]*"a\.example)[^]*"b\.example\."/ },
    { args: [], want: /queries a second[^]*\na\.example\. [^]*\nb\.example\. / },
    { args: ['-rows', '1'], want: /^(?![^]*b\.example)[^]*queries a second[^]*a\.example/ },
  ])('$args', async ({ args, want }) => {
    expect(await topCommand(['-server', at('all'), ...args], {})).toBe(0);
    expect(shown()).toMatch(want);
  });

  describe('on a terminal', () => {
    /** A terminal whose keys are pressed, and frames shown, by hand. */
    function terminal() {
      const input = Object.assign(new PassThrough(), {
        modes: [] as boolean[],
        setRawMode(raw: boolean) {
          input.modes.push(raw);
          return input;
        },
      });
      const output = Object.assign(new PassThrough(), { columns: 0, rows: 0, text: '' });
      output.on('data', (bytes: Buffer) => (output.text += bytes.toString()));
      const size = (columns: number, rows: number): void => {
        Object.assign(output, { columns, rows });
        output.emit('resize');
      };
      return { input, output, size };
    }
    const frames = (text: string): string[] => text.split('\x1b[H').slice(1);
    const caller = (name = 'all') => ({ at: { path: path.join(folder, name) }, timeout: 5000 });
    const WISH = { rows: 20, sort: 'rate', filter: '' } as const;
    /** So long that it is keys alone that have it asked again. */
    const NEVER = 2 ** 30;

    it('shows what there is, does what keys say, and leaves the terminal as it was', async () => {
      const { input, output, size } = terminal();
      const done = watch(caller(), WISH, NEVER, { input, output } as unknown as Terminal);
      await vi.waitFor(() => expect(frames(output.text)).toHaveLength(1));
      expect(output.text.startsWith(ENTER)).toBe(true);
      const lines = frames(output.text)[0]!.split('\r\n');
      expect(lines.length).toBeLessThanOrEqual(24);
      expect(lines.every((line) => line.replace('\x1b[K', '').length <= 80 + '\x1b[K\x1b[J'.length)).toBe(true);
      expect(lines[0]).toContain('sorted by rate');
      input.write('s');
      await vi.waitFor(() => expect(frames(output.text).at(-1)).toContain('sorted by time'));
      input.write('2');
      await vi.waitFor(() => expect(frames(output.text).at(-1)).not.toContain('CLIENT'));
      size(40, 10);
      expect(frames(output.text).at(-1)!.split('\r\n')[0]!.length).toBeLessThanOrEqual(43);
      expect([input.modes, input.isPaused()]).toEqual([[true], false]);
      const count = frames(output.text).length;
      input.write('q');
      expect(await done).toBe(0);
      expect([input.modes, input.isPaused()]).toEqual([[true, false], true]);
      expect(frames(output.text)).toHaveLength(count);
      expect(output.text.endsWith(LEAVE)).toBe(true);
    });

    it.each(['SIGTERM', 'SIGHUP'])('ends by %s, and Ctrl-C', async (signal) => {
      for (const end of [(): number => tell(signal), undefined]) {
        const { input, output } = terminal();
        const done = watch(caller(), WISH, NEVER, { input, output } as unknown as Terminal);
        await vi.waitFor(() => expect(output.text).toContain(ENTER));
        if (end) expect(end()).toBe(1);
        else input.write('\x03');
        expect(await done).toBe(0);
      }
    });

    it('asks anew where a key says so, and only there', async () => {
      const { input, output } = terminal();
      const asked: (string | null)[] = [];
      await topCommand(['-server', at('all'), '-o', 'json'], {});
      const body = shown();
      await open('sorting', [
        {
          path: '/top',
          answer: ({ query: wish }) => {
            asked.push(wish.get('sort'));
            return { status: 200, body };
          },
        },
      ]);
      const done = watch(caller('sorting'), WISH, NEVER, { input, output } as unknown as Terminal);
      await vi.waitFor(() => expect(frames(output.text)).toHaveLength(1));
      input.write('2');
      await vi.waitFor(() => expect(frames(output.text)).toHaveLength(2));
      input.write('s');
      await vi.waitFor(() => expect(frames(output.text).at(-1)).toContain('sorted by time'));
      expect(asked).toEqual(['rate', 'rate', 'time']);
      input.write('q');
      expect(await done).toBe(0);
    });

    it('goes on asking, but not while it is paused, and tells why a server does not answer', async () => {
      const { input, output, size } = terminal();
      size(200, 24);
      const report = JSON.parse(
        await topCommand(['-server', at('all'), '-o', 'json'], {}).then(() => shown()),
      ) as object;
      const asked: (string | null)[] = [];
      let fails = false;
      await open('counting', [
        {
          path: '/top',
          answer: ({ query: wish }) => {
            asked.push(wish.get('rows'));
            if (fails) throw new Error('it is tired');
            return { status: 200, body: JSON.stringify(report), headers: { 'content-type': 'application/json' } };
          },
        },
      ]);
      const done = watch(caller('counting'), WISH, 1, { input, output } as unknown as Terminal);
      await vi.waitFor(() => expect(asked.length).toBeGreaterThan(4));
      expect(asked.slice(0, 2)).toEqual(['20', '200']);
      fails = true;
      await vi.waitFor(() => expect(frames(output.text).at(-1)).toContain('it is tired'));
      fails = false;
      await vi.waitFor(() => expect(frames(output.text).at(-1)).not.toContain('it is tired'));
      input.write('p');
      await vi.waitFor(() => expect(frames(output.text).at(-1)).toContain('PAUSED'));
      input.write(' ');
      await vi.waitFor(() => expect(frames(output.text).at(-1)).not.toContain('PAUSED'));
      input.write('q');
      expect(await done).toBe(0);
      // What was under way when it ended is over after some requests that came later.
      const later = (): Promise<unknown> => askAdmin(caller('counting'), '/none').catch(() => undefined);
      for (let i = 0; i < 3; i++) await later();
      const count = asked.length;
      for (let i = 0; i < 3; i++) await later();
      expect(asked).toHaveLength(count);
    });
  });
});

describe('nodens explain', () => {
  it.each([
    { args: ['a.example.'], code: 0, want: /NOERROR[^]*192\.0\.2\.1/ },
    { args: ['a.example.', 'AAAA'], code: 1, want: /NODATA/ },
    { args: ['none.example.'], code: 1, want: /SERVFAIL/ },
    { args: ['a.example.', '-client', '192.0.2.9'], code: 1, want: /REFUSED/ },
    {
      args: ['a.example.', '-o', 'json'],
      code: 0,
      want: /^\{\n {2}"name": "a\.example\."[^]*"transport": "udp"[^]*\n\}\n$/,
    },
    { args: ['a.example.', '-o', 'json', '-tcp'], code: 0, want: /"transport": "tcp"/ },
  ])('$args: $code', async ({ args, code, want }) => {
    expect([await explainCommand(['-server', at('all'), ...args], {}), said()]).toEqual([code, '']);
    expect(shown()).toMatch(want);
  });

  it('tells with -v also of plugins that had no part in it', async () => {
    await explainCommand(['-server', at('all'), 'a.example.'], {});
    expect(shown()).not.toContain('acl');
    await explainCommand(['-server', at('all'), '-v', 'a.example.'], {});
    expect(shown()).toContain('acl');
  });

  it.each([
    { args: [], want: [/a\.example\./, /b\.example\./] },
    { args: ['a.example.'], want: [/a\.example\./, /^(?![^]*b\.example)/] },
    { args: ['-o', 'json'], want: [/^\{\n[^]*"reasons": \[/, /\n\}\n$/] },
  ])('tells a recording: $args', async ({ args, want }) => {
    const file = path.join(folder, 'told');
    if (!existsSync(file)) await recordCommand(['-server', at('all'), '-to', file], {});
    expect(await explainCommand(['-record', file, ...args], {})).toBe(0);
    for (const pattern of want) expect(shown()).toMatch(pattern);
  });
});

describe('objects of a cluster', () => {
  /** An API that has some objects, and others that nobody may read, or that fail. */
  const CODES: Readonly<Record<string, number>> = { '/forbidden': 403, '/gone': 404, '/broken': 500, '/odd': 409 };
  let kubeconfig: string;
  const seen: string[] = [];
  beforeAll(async () => {
    const api = http.createServer((request, response) => {
      seen.push(`${request.url} ${request.headers['user-agent']}`);
      const { pathname } = new URL(request.url!, 'http://api');
      const object = POD_API[pathname];
      response.writeHead(object === undefined ? (CODES[pathname] ?? 404) : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(object ?? {}));
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    closing.push({ close: () => api.close().closeAllConnections() });
    kubeconfig = path.join(folder, 'kubeconfig');
    const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const one = (kind: string, body: object): object => ({ [`${kind}s`]: [{ name: 'x', [kind]: body }] });
    const parts = [one('context', { cluster: 'x', user: '' }), one('cluster', { server: url })];
    writeFileSync(kubeconfig, JSON.stringify(Object.assign({ 'current-context': 'x' }, ...parts)));
  });
  afterEach(() => vi.unstubAllEnvs());

  it('are read, and what is absent or forbidden counts as not there', async () => {
    const api = apiReader('', { KUBECONFIG: `${kubeconfig}${path.delimiter}/nowhere` });
    const pod = '/api/v1/namespaces/shop/pods/web';
    expect(await api.read(pod, { pretty: 'no' })).toEqual(POD_API[pod]);
    expect(seen).toEqual([`${pod}?pretty=no nodens/${VERSION}`]);
    expect([await api.read('/forbidden'), await api.read('/gone')]).toEqual([undefined, undefined]);
    await expect(api.read('/odd')).rejects.toThrow('Conflict');
    api.close();
  });

  it('are bounded', async () => {
    const pod = '/api/v1/namespaces/shop/pods/web';
    const { length } = JSON.stringify(POD_API[pod]);
    const [enough, short] = [0, 1].map((less) => apiReader(kubeconfig, {}, length - less));
    expect(await enough!.read(pod)).toEqual(POD_API[pod]);
    await expect(short!.read(pod)).rejects.toThrow(`${pod}: an answer of more than ${length - 1} bytes`);
    for (const api of [enough!, short!]) api.close();
  });

  it.each([
    {
      name: 'what is named',
      kubeconfig: '/nowhere/named',
      env: { KUBECONFIG: '/nowhere/else' },
      want: '/nowhere/named',
    },
    { name: 'what the environment names', kubeconfig: '', env: { KUBECONFIG: '/nowhere/else' }, want: '/nowhere/else' },
    { name: 'the usual file', kubeconfig: '', env: {}, home: true, want: '.kube/config' },
    { name: 'the cluster around', kubeconfig: '', env: {}, want: 'not in a cluster' },
    {
      name: 'the cluster around before the usual file',
      kubeconfig: '',
      env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
      home: true,
      want: 'not in a cluster',
    },
  ])('are those of $name', ({ kubeconfig: named, env, home = false, want }) => {
    const folderOfUser = path.join(folder, home ? 'user' : 'nobody');
    vi.stubEnv('HOME', folderOfUser);
    if (home) {
      mkdirSync(path.join(folderOfUser, '.kube'), { recursive: true });
      writeFileSync(path.join(folderOfUser, '.kube/config'), '{}');
    }
    expect(() => apiReader(named, env)).toThrow(want);
  });

  it.each([
    { args: ['web'], code: 0, want: /web\.shop\.svc\.corp\.local/ },
    { args: ['none'], code: 1, want: /none/ },
    { args: ['web', '-o', 'json'], code: 0, want: /^\{\n[^]*"profile": "glibc"[^]*\n\}\n$/ },
    { args: ['web', '-o', 'json', '-cluster-dns', '10.9.9.9,'], code: 0, want: /"10\.9\.9\.9"/ },
    { args: ['web', '-cluster-domain', 'other.local'], code: 1, want: /web\.shop\.svc\.other\.local/ },
  ])('tell nodens explain -pod what a pod asks: $args', async ({ args, code, want }) => {
    const all = ['-server', at('all'), '-pod', 'shop/web', '-kubeconfig', kubeconfig, ...args];
    expect([await explainCommand(all, {}), said()]).toEqual([code, '']);
    expect(shown()).toMatch(want);
  });
});
