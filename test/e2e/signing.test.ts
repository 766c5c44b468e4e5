import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DebianServer, isInstalled } from '../support/debian-server.js';
import { running, type Running } from '../support/running.js';

const run = promisify(execFile);
const KEYS = path.resolve(import.meta.dirname, '../dnssec/keys');
const missing = ['delv', 'unbound', 'dig'].filter((program) => !isInstalled(program));
if (missing.length > 0) console.log(`test/e2e/signing: not installed: ${missing.join(', ')}; skipped`);

const ZONE = `$ORIGIN example.org.
$TTL 1h
@            IN SOA   ns1 host ( 1 4h 1h 2w 5m )
             IN NS    ns1
             IN MX    10 Mail
             IN TXT   "v=spf1 -all"
ns1          IN A     192.0.2.53
mail         IN A     192.0.2.25
www          IN A     192.0.2.80
             IN A     192.0.2.81
             IN AAAA  2001:db8::80
             IN HTTPS 1 . alpn="h2,h3"
ftp          IN CNAME www
broken       IN CNAME nowhere
lacking      IN CNAME mail
a.b.between  IN A     192.0.2.9
*.apps       IN A     192.0.2.90
*.alias      IN CNAME www
sub          IN NS    ns.sub
ns.sub       IN A     192.0.2.54
secure       IN NS    ns.secure
             IN DS    12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ns.secure    IN A     192.0.2.55
old          IN DNAME new.example.org.
_ldap._tcp   IN SRV   0 5 389 www
`;

/** Every kind of answer that there is of a zone. */
const QUESTIONS = [
  { kind: 'records', name: 'www', type: 'A', data: '192.0.2.80' },
  { kind: 'records with names in them', name: '@', type: 'MX', data: 'ail.example.org' },
  { kind: 'records of a later type', name: 'www', type: 'HTTPS', data: 'alpn' },
  { kind: 'the zone itself', name: '@', type: 'SOA', data: 'ns1' },
  { kind: 'the servers', name: '@', type: 'NS', data: 'ns1' },
  { kind: 'the keys', name: '@', type: 'DNSKEY', data: '257 3' },
  { kind: 'a service', name: '_ldap._tcp', type: 'SRV', data: '389' },
  { kind: 'an alias', name: 'ftp', type: 'A', data: '192.0.2.80' },
  { kind: 'a wildcard', name: 'x.apps', type: 'A', data: '192.0.2.90' },
  { kind: 'a wildcard, deeper', name: 'y.x.apps', type: 'A', data: '192.0.2.90' },
  { kind: 'a wildcard that is an alias', name: 'x.alias', type: 'A', data: '192.0.2.80' },
  { kind: 'no such type', name: 'www', type: 'TXT' },
  { kind: 'no such type at the apex', name: '@', type: 'AAAA' },
  { kind: 'no such type of a wildcard', name: 'x.apps', type: 'AAAA' },
  { kind: 'no such name', name: 'nosuch', type: 'A' },
  { kind: 'no such name, between others', name: 'x.between', type: 'A' },
  { kind: 'no such name, behind glue', name: 'suc', type: 'A' },
  { kind: 'no such name, before all others', name: '!', type: 'A' },
  { kind: 'no such name, behind all others', name: 'zz.zz', type: 'A' },
  { kind: 'no such name below one that exists', name: 'x.www', type: 'A' },
  { kind: 'a name between others', name: 'between', type: 'A' },
  { kind: 'an alias to nothing', name: 'broken', type: 'A', data: 'nowhere' },
  { kind: 'an alias to no such type', name: 'lacking', type: 'AAAA', data: 'mail' },
  { kind: 'a digest', name: 'secure', type: 'DS', data: '12345' },
  { kind: 'no digest', name: 'sub', type: 'DS' },
] as const;

const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-signing-'));
writeFileSync(path.join(dir, 'zone'), ZONE);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const full = (name: string): string => (name === '@' ? 'example.org' : `${name}.example.org`);

/** Records of DNSKEY from key files, as trust anchors. */
const anchor = (key: string): string => readFileSync(path.join(KEYS, `${key}.key`), 'utf8').trim();

/** What BIND's validator says of the answer: its comment lines, and the data. */
async function delv(port: number, keys: readonly string[], name: string, type: string): Promise<string> {
  const file = path.join(dir, `anchors-${port}`);
  const anchors = keys.map((key) => {
    const [, flags, protocol, algorithm, data] = /DNSKEY\s+(\d+) (\d+) (\d+) ([^;]*)/.exec(anchor(key))!;
    return `example.org. static-key ${flags} ${protocol} ${algorithm} "${data!.replace(/\s/g, '')}";`;
  });
  writeFileSync(file, `trust-anchors { ${anchors.join('\n')} };\n`);
  const args = ['@127.0.0.1', '-p', String(port), '-a', file, '+root=example.org', '+nocrypto', name, type];
  const { stdout } = await run('delv', args, { timeout: 20_000 }).catch((error: { stdout: string }) => error);
  return stdout;
}

const dig = async (port: number, ...args: string[]): Promise<string> =>
  (await run('dig', ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=5', ...args])).stdout;

const SETUPS = [
  { name: 'dnssec, a key for keys and one for the rest', keys: ['ecdsa-ksk', 'ecdsa-zsk'], anchors: ['ecdsa-ksk'] },
  { name: 'dnssec, Ed25519', keys: ['ed25519'], anchors: ['ed25519'] },
  { name: 'dnssec, RSA', keys: ['rsa'], anchors: ['rsa'] },
  { name: 'dnssec, behind cache', keys: ['ecdsa-ksk', 'ecdsa-zsk'], anchors: ['ecdsa-ksk'], more: 'cache\n' },
].map(({ name, keys, anchors, more = '' }) => ({
  name,
  anchors,
  corefile: `${more}dnssec {\nkey file ${keys.map((key) => path.join(KEYS, key)).join(' ')}\n}\nfile ${dir}/zone`,
}));
for (const [name, ...keys] of [
  ['ECDSA', 'ecdsa-ksk'],
  ['Ed25519 and RSA', 'ed25519', 'rsa'],
] as const) {
  const out = mkdtempSync(path.join(dir, 'out-'));
  const files = keys.map((key) => path.join(KEYS, key)).join(' ');
  SETUPS.push({
    name: `sign, ${name}`,
    anchors: [...keys],
    corefile: `sign ${dir}/zone {\nkey file ${files}\ndirectory ${out}\n}\nfile ${out}/db.example.org.signed`,
  });
}

describe.skipIf(missing.length > 0).each(SETUPS)('$name', ({ corefile, anchors }) => {
  let server: Running;
  let resolver: DebianServer;
  beforeAll(async () => {
    server = await running(`example.org:0 {\nbind 127.0.0.1\n${corefile}\n}`);
    resolver = await DebianServer.unbound('example.org', server.port, anchors.map(anchor));
  }, 30_000);
  afterAll(async () => {
    await resolver?.stop();
    await server?.stop();
  });

  it.each(QUESTIONS)('delv and unbound hold for secure: $kind ($name $type)', async ({ name, type, ...row }) => {
    const said = await delv(server.port, anchors, full(name), type);
    expect(said).toMatch(/^; (fully validated|negative response, fully validated)/);
    const resolved = await dig(resolver.port, '+dnssec', full(name), type);
    expect(resolved).toMatch(/flags: qr rd ra ad;/);
    if ('data' in row) expect([said, resolved].map((text) => text.includes(row.data))).toEqual([true, true]);
    else expect(resolved).toMatch(/ANSWER: 0/);
  });

  it.skipIf(!isInstalled('ldns-verify-zone') || !corefile.startsWith('sign'))(
    'ldns-verify-zone finds no fault',
    async () => {
      const file = /file (\S+signed)$/.exec(corefile)![1]!;
      const { stdout } = await run('ldns-verify-zone', [file]);
      expect(stdout).toContain('Zone is verified and complete');
    },
  );

  it('unbound takes an unsigned delegation for insecure, and not for bogus', async () => {
    const referral = await dig(server.port, '+dnssec', '+norec', 'pc.sub.example.org');
    expect(referral).toMatch(/^sub\.example\.org\..*NSEC\s/m);
    expect(await dig(resolver.port, '+dnssec', 'sub.example.org', 'DS')).toMatch(/flags: qr rd ra ad;/);
  });
});

describe.skipIf(missing.length > 0)('a resolver that answers from denials', () => {
  const open: { stop(): Promise<unknown> }[] = [];
  afterAll(async () => {
    for (const one of open.reverse()) await one.stop();
  });

  it('does not deny types that are left open', async () => {
    const inside = `dnssec {\nkey file ${KEYS}/ecdsa-ksk\ntypes MX HTTPS\n}\nfile ${dir}/zone`;
    const server = await running(`example.org:0 {\nbind 127.0.0.1\n${inside}\n}`);
    open.push(server);
    const resolver = await DebianServer.unbound('example.org', server.port, [anchor('ecdsa-ksk')], true);
    open.push(resolver);
    expect(await dig(resolver.port, '+dnssec', 'www.example.org', 'TXT')).toMatch(/flags: qr rd ra ad;[^]*NSEC/);
    expect(await dig(resolver.port, '+dnssec', 'www.example.org', 'HTTPS')).toContain('alpn');
  });
});
