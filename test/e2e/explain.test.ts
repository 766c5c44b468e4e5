import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../src/insight/admin/ask-admin.js';
import { liveText, type LiveExplanation } from '../../src/insight/explain/live.js';
import type { ReasonCode } from '../../src/insight/explain/reasons.js';
import { POD_API } from '../insight/explain/pod-api.js';
import { DebianServer, freePort, isInstalled } from '../support/debian-server.js';
import { query } from '../support/dns.js';
import { askUdp } from '../support/running.js';
import { PROGRAM, Program } from '../support/program.js';

const SERIAL = '@ 60 IN SOA ns.example. admin.example. 1 3600 600 86400 60\n@ 60 IN NS ns\nns 60 IN A 192.0.2.53\n';
const ready = isInstalled('nsd') && isInstalled('named');
if (!ready) console.log('test/e2e/explain: nsd or named is not installed (Debian: nsd, bind9); its tests are skipped');

/** A UDP socket that takes what comes and says nothing, with the port free for TCP, or taken by a server of ours. */
async function silentSocket(port = 0): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

describe.skipIf(!ready)('explain on a running server', () => {
  let folder: string;
  let nsd: DebianServer;
  let named: DebianServer;
  let silent: dgram.Socket;
  let halfSilent: dgram.Socket;
  let relay: net.Server;
  let mute: net.Server;
  let program: Program;
  let port: number;
  const at = (): { at: { path: string }; timeout: number } => ({
    at: { path: path.join(folder, 'a.sock') },
    timeout: 20_000,
  });

  const explain = async (name: string, more: Record<string, string> = {}): Promise<LiveExplanation> =>
    (await askAdmin(at(), '/explain', { name, ...more })) as LiveExplanation;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'explain-'));
    nsd = await DebianServer.nsd('example.', `$ORIGIN example.\n${SERIAL}www 60 IN A 192.0.2.1\n`);
    named = await DebianServer.named('hung.', `$ORIGIN hung.\n${SERIAL}old 1 IN A 192.0.2.2\n`);
    silent = await silentSocket();
    // What NSD answers over TCP, with UDP lost on the way.
    relay = net.createServer((client) => void client.pipe(net.connect(nsd.port, '127.0.0.1')).pipe(client));
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    halfSilent = await silentSocket((relay.address() as net.AddressInfo).port);
    mute = net.createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const closed = await freePort();
    port = await freePort();
    const to = (socket: dgram.Socket): string => `127.0.0.1:${socket.address().port}`;
    const block = (zone: string, ...lines: string[]): string =>
      `${zone}:${port} {\n    bind 127.0.0.1\n    ${lines.join('\n    ')}\n}\n`;
    writeFileSync(
      path.join(folder, 'Corefile'),
      [
        block('example', 'prometheus 127.0.0.1:0', 'errors', 'cache 30', `forward . 127.0.0.1:${nsd.port}`),
        block('plain', 'log', `forward . 127.0.0.1:${nsd.port}`),
        block('silent', 'errors', 'cache', `forward . ${to(silent)}`),
        block('lost', `forward . ${to(halfSilent)}`),
        block('closed', `forward . 127.0.0.1:${closed}`),
        block('hung', 'cache {\n success 100 30 1\n serve_stale 1h\n }', `forward . 127.0.0.1:${named.port}`),
        block('never.kept.example', 'cache {\n disable denial\n }', `forward . 127.0.0.1:${nsd.port}`),
        block('blocked', 'acl {\n allow net 127.0.0.1\n block type A net 10.1.0.0/16\n }', 'whoami'),
        block('dropped', 'acl {\n drop net 10.1.0.0/16\n }', 'whoami'),
        block('denied', 'template ANY ANY {\n rcode NXDOMAIN\n }'),
        block('loop', `forward . 127.0.0.1:${port}`),
        block(
          'cluster.local',
          `kubernetes cluster.local {\n endpoint http://127.0.0.1:${(mute.address() as net.AddressInfo).port}\n startup_timeout 1s\n }`,
        ),
      ].join(''),
    );
    program = new Program([...PROGRAM, '-admin', `unix:${at().at.path}`], {}, folder);
    await program.said(/admin endpoint at unix:/);
  }, 60_000);

  afterAll(async () => {
    await program?.stop();
    await nsd?.stop();
    await named?.stop();
    silent?.close();
    halfSilent?.close();
    relay?.close();
    mute?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const answered: readonly {
    name: string;
    ask: string;
    more?: Record<string, string>;
    code: ReasonCode;
    text: () => string;
    result: string | undefined;
  }[] = [
    {
      name: 'an answer of an upstream',
      ask: 'www.example',
      code: 'answered',
      text: () => `NOERROR from upstream 127.0.0.1:${nsd.port}`,
      result: 'NOERROR',
    },
    {
      name: 'NXDOMAIN of an upstream',
      ask: 'none.example',
      code: 'denied',
      text: () => `NXDOMAIN from upstream 127.0.0.1:${nsd.port}: there is no name none.example.`,
      result: 'NXDOMAIN',
    },
    {
      name: 'NODATA of an upstream',
      ask: 'www.example',
      more: { type: 'MX' },
      code: 'denied',
      text: () => `NODATA from upstream 127.0.0.1:${nsd.port}: www.example. is there and has no MX`,
      result: 'NODATA',
    },
    {
      name: 'NXDOMAIN of a plugin',
      ask: 'a.denied',
      code: 'denied',
      text: () => 'NXDOMAIN from template (Corefile:',
      result: 'NXDOMAIN',
    },
    {
      name: 'an upstream that does not know the zone',
      ask: 'www.plain',
      code: 'upstream-fails',
      text: () => `upstream 127.0.0.1:${nsd.port} says REFUSED`,
      result: 'REFUSED',
    },
    {
      name: 'a silent upstream',
      ask: 'a.silent',
      code: 'upstream-silent',
      text: () => `upstream 127.0.0.1:${silent.address().port} is silent: timeout after `,
      result: 'SERVFAIL',
    },
    {
      name: 'a silent upstream where nothing listens over TCP',
      ask: 'b.silent',
      code: 'upstream-silent',
      text: () => 'nothing listens there over TCP either',
      result: 'SERVFAIL',
    },
    {
      name: 'an upstream to which UDP is lost',
      ask: 'www.lost',
      code: 'upstream-silent',
      text: () => `upstream 127.0.0.1:${halfSilent.address().port} is silent: timeout after `,
      result: 'SERVFAIL',
    },
    {
      name: 'an upstream that refuses',
      ask: 'a.closed',
      code: 'upstream-error',
      text: () => 'by UDP: connection refused after ',
      result: 'SERVFAIL',
    },
    {
      name: 'a cache that keeps no denials',
      ask: 'x.never.kept.example',
      code: 'cache-disabled',
      text: () => 'cache disabled for denials of this name: each query is asked anew',
      result: 'NXDOMAIN',
    },
    {
      name: 'a rule that blocks',
      ask: 'a.blocked',
      more: { client: '10.1.2.3' },
      code: 'blocked',
      text: () => 'blocked by acl: "block type A net 10.1.0.0/16" (Corefile:',
      result: 'REFUSED',
    },
    {
      name: 'a rule that drops',
      ask: 'a.dropped',
      more: { client: '10.1.2.3' },
      code: 'blocked',
      text: () => 'blocked by acl: "drop net 10.1.0.0/16" (Corefile:',
      result: undefined,
    },
    {
      name: 'a loop',
      ask: 'a.loop',
      code: 'loop',
      text: () => 'loop: what is sent upstream comes back',
      result: 'SERVFAIL',
    },
    {
      name: 'objects that have not come',
      ask: 'a.default.svc.cluster.local',
      code: 'not-ready',
      text: () => 'kubernetes is not ready: it has not got yet what it answers from',
      result: 'SERVFAIL',
    },
    {
      name: 'a zone that is not served',
      ask: 'a.elsewhere',
      code: 'no-block',
      text: () => 'no server block serves a.elsewhere.: REFUSED',
      result: 'REFUSED',
    },
  ];

  it.each(answered)('$name: $code', async ({ ask, more, code, text, result }) => {
    const explanation = await explain(ask, more);
    expect(explanation.result).toBe(result);
    expect(explanation.reasons.find((reason) => reason.code === code)?.text ?? explanation).toContain(text());
  });

  it('tells an upstream to which UDP is lost from one that is gone', async () => {
    const { reasons } = await explain('other.lost');
    expect(reasons[0]?.text).toContain('it answers over TCP');
  });

  it('remembers a failure as forward does, and names the upstream', async () => {
    await explain('again.silent');
    const { reasons } = await explain('again.silent');
    expect(reasons[0]?.code).toBe('remembered');
    expect(reasons[0]?.text).toContain(`->127.0.0.1:${silent.address().port}: i/o timeout`);
  });

  it('tells a hit from a miss, keeps nothing itself, and counts apart', async () => {
    const cacheOf = (explanation: LiveExplanation): string | undefined =>
      explanation.handlers.find(({ plugin }) => plugin === 'cache')?.texts[0];
    expect(cacheOf(await explain('ns.example'))).toBe('cache miss');
    expect(cacheOf(await explain('ns.example'))).toBe('cache miss');
    await ask('ns.example');
    const hit = await explain('ns.example');
    expect(cacheOf(hit)).toMatch(/^cache hit, stored \d+ s ago, valid for \d+ s$/);
    expect(hit.reasons[0]?.text).toMatch(/^NOERROR from the cache \(stored \d+ s ago, valid for \d+ s\)$/);
    expect(hit.sharing.text).toMatch(/^with all clients, for /);
    // What a log writes is shared too: the threads note the hits for it.
    expect((await explain('www.plain')).sharing.text).toBe(
      'with nobody: there is no cache, and who made it does not say how long it holds',
    );
  });

  it('tells a hung backend from a silent one, and a stale answer', async () => {
    await ask('old.hung');
    await named.hang();
    const hung = await explain('never.hung');
    expect(hung.reasons[0]).toMatchObject({ code: 'upstream-hung' });
    expect(hung.reasons[0]?.text).toContain('it takes TCP connections and answers none');
    let stale = await explain('old.hung');
    while (stale.reasons[0]?.code !== 'stale') {
      expect(stale.result).toBe('NOERROR');
      await new Promise((resolve) => setTimeout(resolve, 100));
      stale = await explain('old.hung');
    }
    expect(stale.reasons[0].text).toMatch(
      /^stale|^stored \d+ s ago, over since \d+ s: served although its time is over/,
    );
    expect(stale.errors[0]).toMatchObject({ code: 3, name: 'Stale Answer' });
  });

  it('is asked from a command line, in words and as JSON', async () => {
    const run = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
      const child = new Program([...PROGRAM, 'explain', '-server', `unix:${at().at.path}`, ...args]);
      const code = await child.ended();
      return { code, text: child.text };
    };
    const words = await run('www.example', 'A');
    expect(words.code).toBe(0);
    expect(words.text).toContain('  www.example. 30 IN A 192.0.2.1\n');
    const json = await run('a.blocked', '-client', '10.1.2.3', '-o', 'json');
    expect(json.code).toBe(1);
    expect(liveText(JSON.parse(json.text) as LiveExplanation)).toContain('why:    blocked by acl');
    expect(await run('a.blocked', 'NONSENSE')).toMatchObject({
      code: 2,
      text: expect.stringContaining("type: got 'NONSENSE'") as string,
    });
    expect(await run('a.blocked', '-client', 'nobody')).toMatchObject({
      code: 2,
      text: expect.stringContaining("client: got 'nobody'") as string,
    });
  });

  it('makes a whole lookup of a pod, as the API tells of it', async () => {
    const api = http.createServer((request, response) => {
      const object = POD_API[request.url!.split('?')[0]!];
      response.writeHead(object === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(object ?? { kind: 'Status', code: 404 }));
    });
    await once(api.listen(0, '127.0.0.1'), 'listening');
    const kubeconfig = path.join(folder, 'kubeconfig');
    const cluster = { server: `http://127.0.0.1:${(api.address() as net.AddressInfo).port}` };
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c' } }],
        clusters: [{ name: 'c', cluster }],
      }),
    );
    const told = new Program([
      ...[...PROGRAM, 'explain', '-server', `unix:${at().at.path}`, '-pod', 'shop/web', '-kubeconfig', kubeconfig],
      ...['-cluster-domain', 'example', 'www'],
    ]);
    expect(await told.ended()).toBe(0);
    expect(told.text).toContain('shop/web (10.1.2.3 on node-1) looks up www as glibc does');
    expect(told.text).toContain(
      '10.96.0.10: policy kube-system/nodelocaldns redirects to kube-system/dns-1 (10.1.2.9)',
    );
    expect(told.text).toContain('1. www.shop.svc.example.  (search shop.svc.example)');
    api.close();
  });

  /** Asks as a client, with the OPT record that explain has. */
  const ask = (name: string): Promise<unknown> => askUdp(port, query(name, 'A', { edns: 1232 }).bytes);
});
