import { afterAll, describe, expect, it } from 'vitest';
import { Folder } from '../plugin-api/support.js';
import { example, said, serve, web } from './support.js';

const folder = new Folder();
afterAll(() => folder.remove());
const blocklist = await example('blocklist');
const entries = 'coredns_blocklist_table_entries{table="blocklist",zones="."}';

const HOSTS = '# ads\n127.0.0.1 localhost\n0.0.0.0 ads.example tracker.example # both\n:: ads6.example\nbare.example\n';
const RPZ = [
  '$TTL 60',
  '@ SOA localhost. root.localhost. 1 2 3 4 5',
  'gone.example CNAME .',
  '*.gone.example 60 IN CNAME .',
  'empty.example CNAME *.',
  'quiet.example CNAME rpz-drop.',
  '*.wild.example CNAME .',
  'ok.wild.example CNAME rpz-passthru.',
  'moved.example A 192.0.2.7 ; here',
  'moved.example AAAA 2001:db8::7',
].join('\n');

describe('blocklist', () => {
  const hosts = folder.write('hosts', HOSTS);
  const rpz = folder.write('rpz', RPZ);

  it.each([
    ['ads.example', 'A', 'NXDOMAIN'],
    ['TRACKER.example', 'A', 'NXDOMAIN'],
    ['ads6.example', 'AAAA', 'NXDOMAIN'],
    ['bare.example', 'MX', 'NXDOMAIN'],
    ['sub.ads.example', 'A', 'REFUSED'],
    ['localhost', 'A', 'REFUSED'],
    ['gone.example', 'A', 'NXDOMAIN'],
    ['a.b.gone.example', 'A', 'NXDOMAIN'],
    ['empty.example', 'A', 'NOERROR'],
    ['quiet.example', 'A', 'silence'],
    ['a.wild.example', 'A', 'NXDOMAIN'],
    ['wild.example', 'A', 'REFUSED'],
    ['ok.wild.example', 'A', 'REFUSED'],
    ['moved.example', 'A', 'NOERROR 192.0.2.7'],
    ['moved.example', 'AAAA', 'NOERROR 2001:db8::7'],
    ['other.example', 'A', 'REFUSED'],
  ])('%s %s: %s', async (name, type, want) => {
    const server = await serve(blocklist, `blocklist ${hosts} ${rpz}`);
    expect(said(await server.ask({ name, type }))).toBe(want);
    await server.stop();
  });

  it('gives addresses, for some networks only, and counts', async () => {
    const server = await serve(
      blocklist,
      `blocklist ${hosts} {\n to 192.0.2.1 2001:db8::1\n ttl 5\n for 10.0.0.0/8 fd00::/8\n}`,
    );
    const ask = async (address: string, type = 'A'): Promise<string> =>
      said(await server.ask({ name: 'ads.example', type, client: { address } }));
    expect([
      await ask('10.1.2.3'),
      await ask('fd00::1', 'AAAA'),
      await ask('192.168.0.1'),
      await ask('10.1.2.3', 'TXT'),
    ]).toEqual(['NOERROR 192.0.2.1', 'NOERROR 2001:db8::1', 'REFUSED', 'NOERROR']);
    expect((await server.metrics()).get('coredns_blocklist_blocked_total{dry_run="false"}')).toBe(3);
    await server.stop();
  });

  it('says what it would do, and follows its files', async () => {
    const file = folder.write('changing', 'a.example\n');
    const server = await serve(blocklist, `blocklist ${file} {\n dry_run\n}`);
    expect(said(await server.ask('a.example'))).toBe('REFUSED');
    expect((await server.metrics()).get('coredns_blocklist_blocked_total{dry_run="true"}')).toBe(1);
    folder.write('changing', 'b.example\nc.example\n');
    await server.advance(2000);
    await expect.poll(async () => (await server.metrics()).get(entries)).toBe(2);
    await server.ask('b.example');
    expect((await server.metrics()).get('coredns_blocklist_blocked_total{dry_run="true"}')).toBe(2);
    await server.stop();
  });

  it('reads lists from URLs, and keeps the last good ones', async () => {
    const pages: Record<string, string | number> = { '/list': 'a.example\n' };
    const site = await web(pages);
    const server = await serve(blocklist, `blocklist ${site.url}/list {\n every 1m\n}`);
    expect(said(await server.ask('a.example'))).toBe('NXDOMAIN');
    pages['/list'] = 500;
    await server.advance(60_000);
    await expect.poll(() => server.lines.at(-1)).toMatch(/\/list: HTTP status 500; it keeps its 1 entries$/);
    expect(said(await server.ask('a.example'))).toBe('NXDOMAIN');
    await server.stop();
    await site.close();
  });

  it('refuses a Corefile without a list', () =>
    expect(serve(blocklist, 'blocklist')).rejects.toThrow(
      'Corefile:2: blocklist: got no argument, allowed: at least 1 argument; usage: blocklist LIST...',
    ));
});
