import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DROP, Reply } from '../../../src/chain/index.js';
import { loadAcme } from '../../../src/plugins/tls/acme-order.js';
import { Challenges } from '../../../src/plugins/tls/challenges.js';
import { tls } from '../../../src/plugins/tls/setup.js';
import { setup } from '../../support/block.js';
import { query, texts } from '../../support/dns.js';

const FILES = path.resolve(import.meta.dirname, 'files');
let dir: string;
beforeAll(() => void (dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-acme-'))));
afterAll(() => rmSync(dir, { recursive: true }));

const URL = 'https://acme.example/dir';
const text = (lines: readonly string[], url = URL): string => `tls {\nacme ${url} {\n${lines.join('\n')}\n}\n}`;

describe('acme', () => {
  it.each([
    {
      name: 'no names',
      text: () => text([`storage ${dir}`]),
      error: 'Corefile:3: tls: acme: got no names, allowed: acme URL',
    },
    {
      name: 'no storage',
      text: () => text(['names a.example']),
      error: 'Corefile:3: tls: acme: got no storage, allowed:',
    },
    {
      name: 'a directory in the clear',
      text: () => text(['names a.example', `storage ${dir}`], 'http://acme.example/dir'),
      error: "Corefile:3: tls: acme: URL: got 'http://acme.example/dir', allowed: an https:// URL",
    },
    {
      name: 'a name that no host has',
      text: () => text(['names a_b.example', `storage ${dir}`]),
      error: "Corefile:4: tls: acme: names: NAME: got 'a_b.example', allowed: the name of a host, or one behind *.",
    },
    {
      name: 'a certificate beside it',
      text: () => text(['names a.example', `storage ${dir}`]).replace('tls {', 'tls cert.pem key.pem {'),
      error: 'Corefile:2: tls: got 2 arguments',
    },
    {
      name: 'an argument beside it',
      text: () => text(['names a.example', `storage ${dir}`]).replace('tls {', 'tls cert.pem {'),
      error: 'Corefile:2: tls: got 1 argument',
    },
    {
      name: 'another option',
      text: () => text(['names a.example', `storage ${dir}`, 'challenge http-01']),
      error: "Corefile:6: tls: acme: unknown option 'challenge'; allowed: names, storage, email, ca, renew_before",
    },
  ])('refuses $name', ({ text: corefile, error }) => expect(() => setup(tls, corefile())).toThrow(error));

  it.each([
    { name: 'is for the names', names: 'dns.example', shown: true },
    { name: 'is for another name', names: 'other.example', shown: false },
    { name: 'is for no wildcard', names: 'dns.example *.dns.example', shown: false },
  ])('a kept certificate that $name is shown: $shown', ({ names, shown }) => {
    const files = Object.fromEntries(
      ['cert', 'key'].map((part) => [`${dir}/${part}.pem`, readFileSync(`${FILES}/${part}.pem`, 'utf8')]),
    );
    const { block } = setup(tls, text([`names ${names}`, `storage ${dir}`]), { files });
    const { context } = block.settings.tls!;
    if (!shown) return expect(context).toThrow('there is no certificate yet');
    expect(context()).toBeDefined();
    // It is looked after from now on, until the end.
    for (const hook of block.hooks.serving) hook();
    expect(block.clock.pending).toBe(1);
    block.lifetime.end(new Error('stopped'));
    expect(block.clock.pending).toBe(0);
  });

  it('says what to install where the package is missing', () =>
    expect(() =>
      loadAcme(() => {
        throw new Error('Cannot find module');
      }),
    ).toThrow('acme needs the optional package acme-client: npm install acme-client'));
});

describe('proofs', () => {
  const challenges = new Challenges(new Set(['a.example.']));
  const next = (): typeof DROP => DROP;
  const said = (name: string, type = 'TXT'): readonly string[] | undefined => {
    const outcome = challenges.handle(query(name, type), next);
    return outcome instanceof Reply ? texts(outcome.answer) : undefined;
  };

  it('are answered while they are wanted, several at a time, and nothing else is', () => {
    const removes = ['one', 'two'].map((proof) => challenges.put('a.example.', proof));
    expect(said('_acme-challenge.A.example.')).toEqual([
      '_acme-challenge.A.example. 0 IN TXT "one"',
      '_acme-challenge.A.example. 0 IN TXT "two"',
    ]);
    expect(said('_acme-challenge.a.example.', 'A')).toEqual([]);
    expect(
      ['a.example.', '_acme-challenge.b.example.', 'x._acme-challenge.a.example.'].map((name) => said(name)),
    ).toEqual([undefined, undefined, undefined]);
    for (const remove of removes) remove();
    expect(said('_acme-challenge.a.example.')).toBeUndefined();
  });

  it('are asked for each time, whatever others promise of the name', () => {
    const sees = (name: string): boolean => challenges.seesEach(query(name, 'TXT'));
    expect(['_acme-challenge.a.example.', '_acme-challenge.b.example.', 'a.example.'].map(sees)).toEqual([
      true,
      false,
      false,
    ]);
  });
});
