import { chmodSync, chownSync, existsSync, lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminEndpoint, jsonAnswer, type AdminRoute } from '../../../src/insight/admin/admin-endpoint.js';
import { askAdmin } from '../../../src/insight/admin/ask-admin.js';
import { socketFault } from '../../../src/insight/admin/token.js';
import { realClock } from '../../../src/lib/clock.js';
import { HostNetwork } from '../../../src/net/host-network.js';
import { adminAddress, adminFromFlags, recordFromFlags, type AdminOptions } from '../../../src/server/admin-flags.js';

const TOKEN = 'correct-horse-battery';
const ROUTES: readonly AdminRoute[] = [
  { path: '/echo', answer: ({ query }) => jsonAnswer({ got: query.get('word') }) },
  {
    path: '/fails',
    answer: () => {
      throw new Error('it failed');
    },
  },
];

let folder: string;
const open: AdminEndpoint[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'admin-'));
});
afterEach(() => {
  for (const endpoint of open.splice(0)) endpoint.close();
  rmSync(folder, { recursive: true, force: true });
});

const inFolder = (name: string): string => path.join(folder, name);

async function start(options: AdminOptions, routes = ROUTES): Promise<AdminEndpoint> {
  const endpoint = await AdminEndpoint.open(options, routes, { network: new HostNetwork(), clock: realClock });
  open.push(endpoint);
  return endpoint;
}

function tokenFile(text = TOKEN, mode = 0o600): string {
  const file = inFolder('token');
  writeFileSync(file, `${text}\n`);
  chmodSync(file, mode);
  return file;
}

const ask = (options: AdminOptions, route: string, params?: Record<string, string>): Promise<unknown> =>
  askAdmin({ ...options, timeout: 5000 }, route, params);

/** One request as it stands; the status of its answer. */
const status = (at: http.RequestOptions): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const request = http.request({ ...at, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject).end();
  });

describe('the admin endpoint', () => {
  it('answers at a Unix socket that is its user’s alone, and leaves none behind', async () => {
    const at = { path: inFolder('admin.sock') };
    const endpoint = await start({ at });
    expect(lstatSync(at.path).mode & 0o777).toBe(0o600);
    expect(endpoint.at).toEqual(at);
    expect(await ask({ at }, '/echo', { word: 'a b&c' })).toEqual({ got: 'a b&c' });
    endpoint.close();
    expect(existsSync(at.path)).toBe(false);
  });

  it('answers at a loopback address whoever shows the token', async () => {
    const token = tokenFile();
    const { at } = await start({ at: { address: '127.0.0.1', port: 0 }, tokenFile: token });
    if ('path' in at) throw new Error('it listens elsewhere');
    expect(await ask({ at, tokenFile: token }, '/echo', { word: 'x' })).toEqual({ got: 'x' });
    await expect(ask({ at }, '/echo')).rejects.toThrow('the token is missing or another one');
    writeFileSync(inFolder('wrong'), 'correct-horse-batterz');
    await expect(ask({ at, tokenFile: inFolder('wrong') }, '/echo')).rejects.toThrow('the token is missing');
    // Nor does anybody learn which paths there are.
    expect(await status({ host: at.address, port: at.port, path: '/nothing' })).toBe(401);
  });

  it.each([
    { name: 'another path', path: '/nothing', method: 'GET', want: 404 },
    { name: 'another method', path: '/echo', method: 'POST', want: 405 },
    { name: 'a line as long as it may be', path: `/echo?word=${'x'.repeat(4085)}`, method: 'GET', want: 200 },
    { name: 'a line longer by one', path: `/echo?word=${'x'.repeat(4086)}`, method: 'GET', want: 414 },
    { name: 'a long line', path: `/echo?word=${'x'.repeat(5000)}`, method: 'GET', want: 414 },
    { name: 'a line beyond all bounds', path: `/echo?word=${'x'.repeat(50_000)}`, method: 'GET', want: 431 },
    { name: 'a route that fails', path: '/fails', method: 'GET', want: 500 },
  ])('$name: $want', async ({ path: target, method, want }) => {
    const at = { path: inFolder('admin.sock') };
    await start({ at });
    expect(await status({ socketPath: at.path, path: target, method })).toBe(want);
  });

  it('answers few at once', async () => {
    const at = { path: inFolder('admin.sock') };
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => (release = resolve));
    await start({ at }, [{ path: '/wait', answer: () => until.then(() => jsonAnswer('done')) }]);
    const all = Array.from({ length: 9 }, () => ask({ at }, '/wait').catch((error: Error) => error.message));
    expect(await Promise.race(all)).toContain('8 requests are under way');
    expect(await status({ socketPath: at.path, path: '/wait' })).toBe(503);
    release();
    expect((await Promise.all(all)).filter((answer) => answer === 'done')).toHaveLength(8);
  });

  it('ends connections with itself, and listens where one of its name was left behind', async () => {
    const at = { path: inFolder('admin.sock') };
    writeFileSync(`${at.path}.${process.pid}`, '');
    const endpoint = await start({ at });
    const connection = net.connect(at.path);
    await once(connection, 'connect');
    const closed = once(
      connection.on('error', () => undefined),
      'close',
    );
    endpoint.close();
    await closed;
    expect(existsSync(at.path)).toBe(false);
  });

  it('takes the place of one that is left, and one that ends leaves its successor alone', async () => {
    const at = { path: inFolder('admin.sock') };
    const first = await start({ at }, [{ path: '/', answer: () => jsonAnswer('first') }]);
    await start({ at }, [{ path: '/', answer: () => jsonAnswer('second') }]);
    expect(await ask({ at }, '/')).toBe('second');
    first.close();
    expect(await ask({ at }, '/')).toBe('second');
  });
});

describe('what is not safe is refused', () => {
  it('a file in the place', async () => {
    writeFileSync(inFolder('admin.sock'), 'precious');
    await expect(start({ at: { path: inFolder('admin.sock') } })).rejects.toThrow('something else stands there');
  });

  it('a link in the place', async () => {
    symlinkSync(inFolder('elsewhere'), inFolder('admin.sock'));
    await expect(start({ at: { path: inFolder('admin.sock') } })).rejects.toThrow('something else stands there');
  });

  it('a folder that others may write to', async () => {
    chmodSync(folder, 0o777);
    await expect(start({ at: { path: inFolder('admin.sock') } })).rejects.toThrow(
      'others could put a socket of theirs',
    );
    chmodSync(folder, 0o1777);
    await start({ at: { path: inFolder('admin.sock') } });
  });

  it('no folder', async () => {
    await expect(start({ at: { path: inFolder('none/admin.sock') } })).rejects.toThrow('there is no folder');
  });

  it.each([
    { name: 'a token that others may read', text: TOKEN, mode: 0o644, error: 'got mode 0644, allowed: one that' },
    { name: 'a short token', text: 'short', mode: 0o600, error: 'got a token of 5 characters, allowed: at least 16' },
    { name: 'a token in two words', text: `${TOKEN} ${TOKEN}`, mode: 0o600, error: 'without spaces' },
    { name: 'a token one too short', text: 'x'.repeat(15), mode: 0o600, error: 'got a token of 15 characters' },
    { name: 'a token that is a book', text: 'x'.repeat(4096), mode: 0o600, error: '4096' },
    { name: 'no token', text: '', mode: 0o600, error: 'got a token of 0 characters' },
  ])('$name', async ({ text, mode, error }) => {
    const options = { at: { address: '127.0.0.1', port: 0 }, tokenFile: tokenFile(text, mode) };
    await expect(start(options)).rejects.toThrow(error);
  });

  it.each([16, 4095])('but a token of %i characters is not', async (length) => {
    const token = tokenFile('x'.repeat(length));
    const { at } = await start({ at: { address: '127.0.0.1', port: 0 }, tokenFile: token });
    expect(await ask({ at, tokenFile: token }, '/echo', { word: 'x' })).toEqual({ got: 'x' });
  });

  it('a socket of somebody else, by its server and by who asks', async () => {
    const place = inFolder('admin.sock');
    await start({ at: { path: place } });
    const uid = process.getuid!();
    // What belongs to root is trusted by everybody.
    if (uid === 0) expect(socketFault(place, 1000)).toBeUndefined();
    if (uid === 0) chownSync(place, 12_345, 0);
    expect(socketFault(place, uid + 1)).toContain('it belongs to user');
    if (uid === 0) await expect(ask({ at: { path: place } }, '/')).rejects.toThrow('it belongs to user 12345');
  });

  it('a socket that others may connect to', async () => {
    const place = inFolder('admin.sock');
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(place, resolve));
    chmodSync(place, 0o777);
    await expect(ask({ at: { path: place } }, '/')).rejects.toThrow('its mode is 0777');
    await expect(start({ at: { path: place } })).rejects.toThrow('its mode is 0777');
    server.close();
  });

  it('a socket that is not there', async () => {
    await expect(ask({ at: { path: inFolder('none') } }, '/')).rejects.toThrow('there is no socket');
  });
});

describe('flags', () => {
  it.each([
    { admin: '', token: '', want: undefined },
    { admin: 'unix:/run/nodens.sock', token: '', want: { at: { path: '/run/nodens.sock' } } },
    { admin: 'unix:///run/nodens.sock', token: '', want: { at: { path: '/run/nodens.sock' } } },
    { admin: '127.0.0.1:9', token: '/t', want: { at: { address: '127.0.0.1', port: 9 }, tokenFile: '/t' } },
    { admin: '[::1]:9', token: '/t', want: { at: { address: '::1', port: 9 }, tokenFile: '/t' } },
    { admin: '127.0.0.1:9', token: '', want: expect.stringContaining('open to every user of this host') as string },
    { admin: '', token: '/t', want: expect.stringContaining('there is no -admin') as string },
    { admin: '0.0.0.0:9', token: '/t', want: expect.stringContaining('which other hosts may reach') as string },
    { admin: '10.0.0.1:9', token: '/t', want: expect.stringContaining('which other hosts may reach') as string },
    { admin: '[::ffff:10.0.0.1]:9', token: '/t', want: expect.stringContaining('other hosts may reach') as string },
    { admin: ':9', token: '/t', want: expect.stringContaining('allowed: unix:/PATH') as string },
    { admin: '127.0.0.1:99999', token: '/t', want: expect.stringContaining('allowed: unix:/PATH') as string },
    { admin: '127.0.0.1:65536', token: '/t', want: expect.stringContaining('allowed: unix:/PATH') as string },
    { admin: '127.0.0.1:65535', token: '/t', want: { at: { address: '127.0.0.1', port: 65_535 }, tokenFile: '/t' } },
    { admin: 'unix:/run/a', token: '/t', want: { at: { path: '/run/a' }, tokenFile: '/t' } },
    { admin: 'unix:/run/', token: '', want: expect.stringContaining('the path of a file') as string },
    { admin: 'unix:/a\0b', token: '', want: expect.stringContaining('the path of a file') as string },
    { admin: `unix:/${'x'.repeat(94)}`, token: '', want: { at: { path: `/${'x'.repeat(94)}` } } },
    { admin: 'unix:relative', token: '', want: expect.stringContaining('allowed: unix:/PATH') as string },
    { admin: `unix:/${'x'.repeat(95)}`, token: '', want: expect.stringContaining('at most 95 bytes') as string },
  ])('-admin "$admin" -admin.token "$token"', ({ admin, token, want }) =>
    expect(adminFromFlags({ admin, 'admin.token': token })).toEqual(want),
  );

  const SIZE = { size: 1 << 20, slow: 500 };
  it.each([
    { given: {}, want: undefined },
    { given: { admin: 'unix:/run/a' }, want: SIZE },
    { given: { record: '/r' }, want: { file: '/r', ...SIZE } },
    { given: { record: '/r', 'record.size': '16Ki' }, want: { file: '/r', size: 16 << 10, slow: 500 } },
    { given: { record: '/r', 'record.size': '8Mi' }, want: { file: '/r', size: 8 << 20, slow: 500 } },
    { given: { 'record.size': '16383' }, want: "-record.size: got '16383', allowed: 16Ki to 8Mi" },
    { given: { 'record.size': '8388609' }, want: "-record.size: got '8388609', allowed: 16Ki to 8Mi" },
    { given: { 'record.size': 'all' }, want: "-record.size: got 'all', allowed: 16Ki to 8Mi" },
    { given: { record: '/r', 'record.slow': '1ms' }, want: { file: '/r', size: 1 << 20, slow: 1 } },
    { given: { 'record.slow': '0s' }, want: "-record.slow: got '0s', allowed: a time as 500ms" },
    { given: { 'record.slow': 'x' }, want: "-record.slow: got 'x', allowed: a time as 500ms" },
  ])('of a record: $given', ({ given, want }) => {
    const values = { admin: '', record: '', 'record.size': '1Mi', 'record.slow': '500ms', ...given };
    expect(recordFromFlags(values)).toEqual(want);
  });

  it('an address reads as it is written', () => expect(adminAddress('unix:/a b')).toEqual({ path: '/a b' }));
});
