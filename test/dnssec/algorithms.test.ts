import { createPublicKey, generateKeyPairSync, verify, type JsonWebKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SIGNING_ALGORITHMS, signerOf } from '../../src/dnssec/algorithms.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
const RSA_FIELDS = {
  Modulus: 'n',
  PublicExponent: 'e',
  PrivateExponent: 'd',
  Prime1: 'p',
  Prime2: 'q',
  Exponent1: 'dp',
  Exponent2: 'dq',
  Coefficient: 'qi',
} as const;

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A key in the forms of a DNSKEY record and of a file of fields. */
function written(number: number, { privateKey }: Pair, exponent: 'short' | 'long' = 'short') {
  const jwk = privateKey.export({ format: 'jwk' });
  if (number > 10) {
    const octets = Buffer.concat([bytes(jwk.x!), ...(jwk.y === undefined ? [] : [bytes(jwk.y)])]);
    return { octets, fields: new Map([['PrivateKey', bytes(jwk.d!)]]) };
  }
  const e = bytes(jwk.e!);
  const length = exponent === 'short' ? Buffer.from([e.length]) : Buffer.from([0, e.length >> 8, e.length & 0xff]);
  const fields = Object.entries(RSA_FIELDS).map(
    ([name, of]) => [name, bytes(jwk[of as keyof JsonWebKey] as string)] as const,
  );
  return { octets: Buffer.concat([length, e, bytes(jwk.n!)]), fields: new Map(fields) };
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const KEYS: readonly (readonly [number: number, hash: string | null, pair: Pair])[] = [
  [5, 'sha1', rsa],
  [7, 'sha1', rsa],
  [8, 'sha256', rsa],
  [10, 'sha512', rsa],
  [13, 'sha256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  [14, 'sha384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  [15, null, generateKeyPairSync('ed25519')],
];
const DATA = Buffer.from('what is signed');

describe('algorithm', () => {
  it('is one of those that CoreDNS signs with', () =>
    expect([...SIGNING_ALGORITHMS.keys()]).toEqual(KEYS.map(([number]) => number)));

  it.each(KEYS)('%i signs what others verify, and verifies what it signed alone', (number, hash, pair) => {
    const algorithm = SIGNING_ALGORITHMS.get(number)!;
    const { octets, fields } = written(number, pair);
    expect([...fields.keys()].sort()).toEqual([...algorithm.fields].sort());
    const signature = signerOf(algorithm, octets, fields)(DATA);
    expect(verify(hash, DATA, { key: pair.publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    expect(algorithm.verify(DATA, pair.publicKey, signature)).toBe(true);
    expect(algorithm.verify(Buffer.from('what else'), pair.publicKey, signature)).toBe(false);
    expect(createPublicKey({ key: algorithm.publicKey(octets)!, format: 'jwk' }).equals(pair.publicKey)).toBe(true);
  });

  it('reads an exponent whose length has two bytes (RFC 3110 section 2)', () => {
    const { octets, fields } = written(8, rsa, 'long');
    const signature = signerOf(SIGNING_ALGORITHMS.get(8)!, octets, fields)(DATA);
    expect(verify('sha256', DATA, rsa.publicKey, signature)).toBe(true);
  });

  it.each<{ name: string; number: number; octets: Buffer; want: boolean }>([
    { name: 'nothing', number: 8, octets: Buffer.alloc(0), want: false },
    { name: 'a length alone', number: 8, octets: Buffer.from([0]), want: false },
    { name: 'half a length', number: 8, octets: Buffer.from([0, 1]), want: false },
    {
      name: 'no exponent',
      number: 8,
      octets: Buffer.concat([Buffer.from([0, 0, 0]), Buffer.alloc(64, 1)]),
      want: false,
    },
    {
      name: 'a modulus of 504 bits',
      number: 8,
      octets: Buffer.concat([Buffer.from([1, 3]), Buffer.alloc(63, 1)]),
      want: false,
    },
    {
      name: 'a modulus of 512 bits',
      number: 8,
      octets: Buffer.concat([Buffer.from([1, 3]), Buffer.alloc(64, 1)]),
      want: true,
    },
    { name: 'half a point', number: 13, octets: Buffer.alloc(32, 1), want: false },
    { name: 'a point', number: 13, octets: Buffer.alloc(64, 1), want: true },
    { name: 'a point of the other curve', number: 14, octets: Buffer.alloc(64, 1), want: false },
    { name: 'a longer point', number: 14, octets: Buffer.alloc(96, 1), want: true },
    { name: '31 bytes', number: 15, octets: Buffer.alloc(31, 1), want: false },
    { name: '32 bytes', number: 15, octets: Buffer.alloc(32, 1), want: true },
  ])('$number takes $name: $want', ({ number, octets, want }) =>
    expect(SIGNING_ALGORITHMS.get(number)!.publicKey(octets) !== undefined).toBe(want),
  );

  it.each([13, 14])('%i takes a private key whose leading zeros were left out', (number) => {
    const algorithm = SIGNING_ALGORITHMS.get(number)!;
    const size = number === 13 ? 32 : 48;
    const { d } = algorithm.privateKey(new Map([['PrivateKey', Buffer.from([7])]]), { kty: 'EC' });
    expect(bytes(d!)).toEqual(Buffer.concat([Buffer.alloc(size - 1), Buffer.from([7])]));
  });
});
