import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import type https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DROP, Reply } from '../../../src/chain/index.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { AcmeCertificate } from '../../../src/plugins/tls/acme.js';
import { readAcme, type AcmeOptions } from '../../../src/plugins/tls/acme-options.js';
import { loadAcme, order, type AcmeOrder } from '../../../src/plugins/tls/acme-order.js';
import { TestBlock, TestLog, directives } from '../../support/block.js';
import { query } from '../../support/dns.js';

const pem = (name: string): string => readFileSync(path.join(import.meta.dirname, 'files', `${name}.pem`), 'utf8');
const PAIR = { cert: pem('cert'), key: pem('key') };
const END = Date.parse(new X509Certificate(PAIR.cert).validTo);
const DIRECTORY = 'https://acme.example/dir';
const [HOUR, DAY] = [3_600_000, 86_400_000];

let dir: string;
beforeAll(() => void (dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-acme-'))));
afterAll(() => rmSync(dir, { recursive: true }));

/** A certificate whose orders wait for what becomes of them; `kept` is what lies in its folder, with its mode. */
function certificate(start: number, kept = new Map<string, readonly [text: string, mode?: number]>()) {
  const options: AcmeOptions = {
    directory: DIRECTORY,
    names: ['dns.example.'],
    storage: path.join(dir, 'new', 'kept'),
    email: 'ops@example',
    ca: '/ca.pem',
    renewBefore: DAY,
  };
  const [clock, log] = [new ManualClock(start), new TestLog()];
  const orders: { wanted: AcmeOrder; done: (what: typeof PAIR) => void; fail: (error: Error) => void }[] = [];
  const runtime = {
    clock,
    readFile: (file: string) => (file === '/ca.pem' ? 'CA' : kept.get(path.basename(file))![0]),
    fileInfo: (file: string) => (kept.has(path.basename(file)) ? { mtime: 0, size: 1 } : undefined),
    replaceFile: (file: string, content: Uint8Array, mode?: number) => {
      expect(path.dirname(file)).toBe(options.storage);
      kept.set(path.basename(file), [content.toString(), mode]);
    },
  };
  const acme = new AcmeCertificate(options, {
    runtime,
    log,
    order: (wanted) => new Promise((done, fail) => orders.push({ wanted, done, fail })),
  });
  /** What comes of the newest order. */
  const settle = async (what: Error | typeof PAIR): Promise<void> => {
    const { done, fail } = orders.at(-1)!;
    if (what instanceof Error) fail(what);
    else done(what);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { acme, options, clock, log, orders, kept, settle };
}
const stored = (name = '') => new Map(['cert', 'key'].map((part) => [`${part}.pem`, [pem(name + part)] as const]));

describe('a certificate that is ordered', () => {
  it('is ordered where there is none, and kept for this user alone', async () => {
    const { acme, options, clock, log, orders, kept, settle } = certificate(END - 2 * DAY);
    expect(statSync(options.storage).mode & 0o777).toBe(0o700);
    expect(() => acme.context).toThrow('there is no certificate yet');
    acme.start();
    acme.start();
    expect(orders).toHaveLength(1);
    const { wanted } = orders[0]!;
    expect(wanted).toMatchObject({ directory: DIRECTORY, hosts: ['dns.example'], email: 'ops@example', ca: 'CA' });
    expect([wanted.accountKey, wanted.accountUrl]).toEqual([undefined, undefined]);
    wanted.keepAccountKey('ACCOUNT');
    wanted.keepAccountUrl('URL');
    const end = wanted.prove('DNS.example', 'proof');
    const said = (): unknown => acme.challenges.handle(query('_acme-challenge.dns.example.', 'TXT'), () => DROP);
    expect(said()).toBeInstanceOf(Reply);
    end();
    expect(said()).toBe(DROP);
    await settle(PAIR);
    expect(acme.texts).toEqual({ ...PAIR, ca: undefined });
    expect(acme.context).toBeDefined();
    expect(Object.fromEntries(kept)).toEqual({
      'account-key.pem': ['ACCOUNT', 0o600],
      'account-url': ['URL', 0o600],
      'key.pem': [PAIR.key, 0o600],
      'cert.pem': [PAIR.cert, 0o644],
    });
    const until = new Date(END).toISOString();
    expect(log.lines).toEqual([`[INFO] certificate for dns.example. is in force, until ${until}`]);
    expect(clock.pending).toBe(1);
  });

  it('is looked at each hour, and ordered again before its end', () => {
    const { acme, clock, orders } = certificate(END - DAY - HOUR / 2, stored());
    acme.start();
    clock.advance(HOUR - 1);
    expect(orders).toHaveLength(0);
    clock.advance(1);
    expect(orders).toHaveLength(1);
    const early = certificate(END - DAY - HOUR, stored());
    early.acme.start();
    early.clock.advance(HOUR);
    expect(early.orders).toHaveLength(1);
  });

  it('is ordered again after a failure, later each time, and without the account that may be forgotten', async () => {
    const { acme, clock, log, orders, kept, settle } = certificate(END - 2 * DAY);
    kept.set('account-url', ['URL']);
    acme.start();
    for (const seconds of [60, 120, 240, 480, 960, 1920, 3600, 3600]) {
      const count = orders.length;
      await settle(new Error('no'));
      clock.advance(seconds * 1000 - 1);
      expect(orders).toHaveLength(count);
      clock.advance(1);
      expect(orders).toHaveLength(count + 1);
    }
    expect(orders.slice(0, 3).map(({ wanted }) => wanted.accountUrl)).toEqual(['URL', undefined, 'URL']);
    expect(log.lines[0]).toBe('[ERROR] no certificate for dns.example.: no; there is none to show yet');
    await settle(PAIR);
    const count = orders.length;
    while (orders.length === count) clock.advance(HOUR);
    await settle(new Error('no'));
    expect(log.lines.at(-1)).toBe('[ERROR] no certificate for dns.example.: no; the one there is stays in force');
    expect(acme.texts.cert).toBe(PAIR.cert);
    clock.advance(60_000);
    expect(orders).toHaveLength(count + 2);
  });

  it('is left alone after the stop', async () => {
    const stopped = certificate(END - 2 * DAY);
    stopped.acme.stop();
    stopped.acme.start();
    expect(stopped.orders).toHaveLength(0);
    const waiting = certificate(END - 2 * DAY, stored());
    waiting.acme.start();
    waiting.acme.stop();
    expect(waiting.clock.pending).toBe(0);
    for (const what of [PAIR, new Error('no')]) {
      const ordering = certificate(END - 2 * DAY);
      ordering.acme.start();
      ordering.acme.stop();
      await ordering.settle(what);
      expect([ordering.clock.pending, ordering.kept.size]).toEqual([0, 0]);
      expect(() => ordering.acme.context).toThrow('there is no certificate yet');
    }
  });

  it.each([
    { name: 'that has expired', kept: stored('expired-'), why: 'it has expired (2020-01-02T00:00:00.000Z)' },
    { name: 'that ends now', kept: stored(), now: END, why: `it has expired (${new Date(END).toISOString()})` },
    { name: 'without its key', kept: new Map([...stored()].slice(0, 1)), why: undefined },
  ])('kept from before, $name, is not shown', ({ kept, now = END - 2 * DAY, why }) => {
    const { acme, options, log } = certificate(now, kept);
    expect(() => acme.context).toThrow('there is no certificate yet');
    const said = `[WARNING] certificate in ${options.storage} is of no use: ${why}`;
    expect(log.lines).toEqual(why === undefined ? [] : [said]);
  });
});

describe('an order', () => {
  const made: object[] = [];
  const asked: object[] = [];
  const changes: ((request: { url?: string; httpsAgent?: https.Agent }) => { httpsAgent?: https.Agent })[] = [];
  const settings = { retryMaxAttempts: 5 };
  let carryOut: (options: AutoOptions) => Promise<string> = () => Promise.resolve('CERT');
  interface AutoOptions {
    challengeCreateFn(authorization: object, challenge: object, proof: string): Promise<void>;
    challengeRemoveFn(authorization: object, challenge: object, proof: string): Promise<void>;
  }
  const load = () => loadAcme(() => fake);
  const fake = {
    Client: class {
      constructor(options: object) {
        made.push(options);
      }
      auto(options: AutoOptions): Promise<string> {
        asked.push(options);
        return carryOut(options);
      }
      getAccountUrl = (): string => 'https://acme.example/account/1';
    },
    crypto: {
      createPrivateEcdsaKey: () => Promise.resolve(Buffer.from('NEW')),
      createCsr: (data: object) => Promise.resolve([Buffer.from('KEY'), Buffer.from(JSON.stringify(data))]),
    },
    axios: {
      defaults: { acmeSettings: settings },
      interceptors: { request: { use: (change: (typeof changes)[0]) => void changes.push(change) } },
    },
  };
  const wanted = (more: Partial<AcmeOrder> = {}): AcmeOrder & { kept: string[] } => {
    const kept: string[] = [];
    return {
      directory: DIRECTORY,
      hosts: ['a.example', '*.a.example'],
      email: 'ops@example',
      ca: undefined,
      accountKey: undefined,
      keepAccountKey: (key) => void kept.push(key),
      accountUrl: undefined,
      keepAccountUrl: (url) => void kept.push(url),
      prove: (host, proof) => {
        kept.push(`${host} ${proof}`);
        return () => void kept.push(`no ${proof}`);
      },
      ...more,
      kept,
    };
  };

  it('proves the names by DNS, with an account of its own and a key for the certificate', async () => {
    const names = { identifier: { value: 'a.example' } };
    carryOut = async (options) => {
      await options.challengeCreateFn(names, { type: 'dns-01' }, 'proof');
      await options.challengeRemoveFn(names, { type: 'dns-01' }, 'proof');
      await options.challengeRemoveFn(names, { type: 'dns-01' }, 'another');
      return 'CERT';
    };
    const one = wanted();
    expect(await order(one, load())).toEqual({ cert: 'CERT', key: 'KEY' });
    expect(one.kept).toEqual(['NEW', 'a.example proof', 'no proof', 'https://acme.example/account/1']);
    expect(made.at(-1)).toEqual({
      directoryUrl: DIRECTORY,
      accountKey: 'NEW',
      accountUrl: undefined,
      backoffMin: 1000,
      backoffMax: 15_000,
      backoffAttempts: 12,
    });
    expect(asked.at(-1)).toMatchObject({
      csr: Buffer.from('{"commonName":"a.example","altNames":["a.example","*.a.example"]}'),
      email: 'ops@example',
      termsOfServiceAgreed: true,
      challengePriority: ['dns-01'],
      skipChallengeVerification: true,
    });
  });

  it('goes on with the account that there is', async () => {
    carryOut = () => Promise.resolve('CERT');
    const one = wanted({ accountKey: 'OLD', accountUrl: 'https://acme.example/account/7' });
    await order(one, load());
    expect(one.kept).toEqual(['https://acme.example/account/1']);
    expect(made.at(-1)).toMatchObject({ accountKey: 'OLD', accountUrl: 'https://acme.example/account/7' });
  });

  it('fails where no proof by DNS is taken', async () => {
    carryOut = async (options) => {
      await options.challengeCreateFn({ identifier: { value: 'a.example' } }, { type: 'http-01' }, 'proof');
      return 'CERT';
    };
    await expect(order(wanted(), load())).rejects.toThrow('the authority offers no dns-01 for a.example');
  });

  it('trusts who is named, at the directory’s host only, and is not tried again by the package', async () => {
    carryOut = () => Promise.resolve('CERT');
    await order(wanted({ directory: 'https://own.example/dir', ca: PAIR.cert }), load());
    await order(wanted({ directory: 'https://public.example/dir' }), load());
    expect(settings.retryMaxAttempts).toBe(1);
    expect(changes).toHaveLength(1);
    const [change] = changes;
    expect(change!({ url: 'https://own.example/order/1' }).httpsAgent?.options.ca).toBe(PAIR.cert);
    for (const url of ['https://public.example/order/1', undefined])
      expect(change!({ ...(url !== undefined && { url }) }).httpsAgent).toBeUndefined();
  });
});

describe('the option', () => {
  const read = (lines: readonly string[], root?: string): AcmeOptions => {
    const block = new TestBlock();
    if (root !== undefined) block.settings.root = root;
    const text = `tls {\nacme ${DIRECTORY} {\n${['names a.example *.B.example.', 'storage kept', ...lines].join('\n')}\n}\n}`;
    return readAcme(directives(text, 'tls')[0].options![0]!, block);
  };
  const least = { directory: DIRECTORY, names: ['a.example.', '*.b.example.'], storage: 'kept' };
  it.each([
    { name: 'the least', lines: [], want: { ...least, email: undefined, ca: undefined, renewBefore: 30 * DAY } },
    {
      name: 'all',
      lines: ['email ops@example', 'ca ca.pem', 'renew_before 1m'],
      want: { ...least, email: 'ops@example', ca: 'ca.pem', renewBefore: 60_000 },
    },
    { name: 'files below the root', lines: ['ca ca.pem'], root: '/r', want: { ca: '/r/ca.pem', storage: '/r/kept' } },
    { name: 'the longest time', lines: ['renew_before 8760h'], want: { renewBefore: 365 * DAY } },
  ])('says $name', ({ lines, root, want }) => expect(read(lines, root)).toMatchObject(want));

  it.each([
    { lines: ['renew_before 59s'], error: "renew_before: got '59s', allowed: a duration" },
    { lines: ['renew_before 8761h'], error: "renew_before: got '8761h', allowed: a duration" },
    { lines: ['names'], error: 'names: got no argument' },
    { lines: ['email a {', 'x', '}'], error: 'email: got a block in { }' },
  ])('refuses $lines', ({ lines, error }) => expect(() => read(lines)).toThrow(error));
});
