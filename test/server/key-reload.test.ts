import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SignedRequest, tsigKey } from '../../src/tsig/index.js';
import { Type, typeName } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { askUdp, running, type Running } from '../support/running.js';

const KEYS = path.resolve(import.meta.dirname, '../dnssec/keys');
const SECRET = 'NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk=';
const KEY_FILE = `key "key.test" {\n\tsecret "${SECRET}";\n};\n`;

let dir = '';
let server: Running;
beforeEach(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-keys-'));
  for (const kind of ['key', 'private']) cpSync(`${KEYS}/ecdsa-ksk.${kind}`, `${dir}/k.${kind}`);
  writeFileSync(`${dir}/secrets`, KEY_FILE);
  const text = `example.org:PORT {
    bind 127.0.0.1
    tsig {
      secrets ${dir}/secrets
      require TXT
    }
    dnssec {
      key file ${dir}/k
    }
    hosts {
      192.0.2.1 www.example.org
      fallthrough
    }
    whoami
  }`;
  server = await running(text.replace('PORT', '0'));
});
afterEach(async () => {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Types in the answer to a query that asks for signatures, and the rcode of one that is signed. */
async function answers(): Promise<string> {
  const { answer } = await server.ask('www.example.org.', 'A', { edns: 1232, do: true });
  const request = new SignedRequest(tsigKey('key.test', SECRET), Date.now);
  const signed = await askUdp(server.port, request.sign(query('www.example.org.', 'TXT').bytes));
  const types = answer.map(({ type }) => typeName(type)).join(' ');
  return `${types}, ${signed.rcode}, ${signed.additional.some(({ type }) => type === Type.TSIG)}`;
}

describe('a reload with keys that cannot be used', () => {
  it.each([
    { name: 'a key pair that does not fit', file: 'k.private', from: 'ed25519.private', error: "k.private:2: got algorithm '15 (ED25519)' where the public key has 13" },
    { name: 'a key of another zone', file: 'k.key', text: 'example.net. IN DNSKEY 257 3 13 AAAA', error: 'k.private: no private key for' },
    { name: 'a withdrawn key', file: 'k.private', more: 'Delete: 20200101000000\n', error: 'k.private:4: the key is not to be used since Delete 20200101000000' },
    { name: 'no key', file: 'k.key', text: '', error: 'k.key:1: no DNSKEY record' },
    { name: 'a secret that is no base64', file: 'secrets', text: KEY_FILE.replace(SECRET, 'no*base64'), error: "secrets:1: the secret of key 'key.test' is no base64" },
    { name: 'an unknown algorithm', file: 'secrets', text: KEY_FILE.replace('\tsecret', 'algorithm hmac-x;\nsecret'), error: "secrets:1: got algorithm 'hmac-x', allowed: hmac-sha1" },
  ])('leaves the old ones: $name', async ({ file, from, text, more, error }) => {
    const before = await answers();
    expect(before).toBe('A RRSIG, 0, true');
    const target = `${dir}/${file}`;
    if (from !== undefined) cpSync(`${KEYS}/${from}`, target);
    else writeFileSync(target, text ?? readFileSync(target, 'utf8') + more);
    expect(await server.server.reload()).toBe(false);
    expect(server.log.filter((line) => line.startsWith('[ERROR]')).join()).toContain(error);
    expect(await answers()).toBe(before);
  }); // prettier-ignore
});
