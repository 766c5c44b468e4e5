import { createPrivateKey, createPublicKey, sign, verify, type JsonWebKey, type KeyObject } from 'node:crypto';

/** Fields of a private key file by name, their octets decoded from base64. */
export type KeyFields = ReadonlyMap<string, Buffer>;

/** One algorithm of zone signing (RFC 8624 section 3.1). */
export interface SigningAlgorithm {
  readonly name: string;
  /** Names of the fields that a private key file must have. */
  readonly fields: readonly string[];
  /** The public key of a DNSKEY record's data; undefined for octets of another form. */
  publicKey(octets: Buffer): JsonWebKey | undefined;
  privateKey(fields: KeyFields, publicKey: JsonWebKey): JsonWebKey;
  sign(data: Uint8Array, key: KeyObject): Buffer;
  verify(data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean;
}

const RSA_FIELDS = {
  n: 'Modulus',
  e: 'PublicExponent',
  d: 'PrivateExponent',
  p: 'Prime1',
  q: 'Prime2',
  dp: 'Exponent1',
  dq: 'Exponent2',
  qi: 'Coefficient',
} as const;

const text = (octets: Buffer): string => octets.toString('base64url');

/** RSA (RFC 3110 section 2 for the form of the public key). */
function rsa(name: string, hash: string): SigningAlgorithm {
  return {
    name,
    fields: Object.values(RSA_FIELDS),
    publicKey(octets) {
      const long = octets[0] === 0;
      const start = long ? 3 : 1;
      const length = (long ? octets.length >= 3 && octets.readUInt16BE(1) : octets[0]) || 0;
      const [e, n] = [octets.subarray(start, start + length), octets.subarray(start + length)];
      return length === 0 || n.length < 64 ? undefined : { kty: 'RSA', e: text(e), n: text(n) };
    },
    privateKey: (fields) => ({
      kty: 'RSA',
      ...Object.fromEntries(Object.entries(RSA_FIELDS).map(([to, from]) => [to, text(fields.get(from)!)])),
    }),
    sign: (data, key) => sign(hash, data, key),
    verify: (data, key, signature) => verify(hash, data, key, signature),
  };
}

/** ECDSA (RFC 6605 section 4): both numbers of point and signature one after the other. */
function ecdsa(name: string, crv: string, size: number, hash: string): SigningAlgorithm {
  return {
    name,
    fields: ['PrivateKey'],
    publicKey: (octets) =>
      octets.length === 2 * size
        ? { kty: 'EC', crv, x: text(octets.subarray(0, size)), y: text(octets.subarray(size)) }
        : undefined,
    privateKey(fields, publicKey) {
      const number = fields.get('PrivateKey')!;
      // Some writers leave leading zeros out.
      const whole = Buffer.concat([Buffer.alloc(Math.max(0, size - number.length)), number]);
      return { ...publicKey, d: text(whole) };
    },
    sign: (data, key) => sign(hash, data, { key, dsaEncoding: 'ieee-p1363' }),
    verify: (data, key, signature) => verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature),
  };
}

/** Ed25519 (RFC 8080 section 3). */
const ed25519: SigningAlgorithm = {
  name: 'ED25519',
  fields: ['PrivateKey'],
  publicKey: (octets) => (octets.length === 32 ? { kty: 'OKP', crv: 'Ed25519', x: text(octets) } : undefined),
  privateKey: (fields, publicKey) => ({ ...publicKey, d: text(fields.get('PrivateKey')!) }),
  sign: (data, key) => sign(null, data, key),
  verify: (data, key, signature) => verify(null, data, key, signature),
};

/** Those that CoreDNS signs with, by number. */
export const SIGNING_ALGORITHMS: ReadonlyMap<number, SigningAlgorithm> = new Map([
  [5, rsa('RSASHA1', 'sha1')],
  [7, rsa('RSASHA1-NSEC3-SHA1', 'sha1')],
  [8, rsa('RSASHA256', 'sha256')],
  [10, rsa('RSASHA512', 'sha512')],
  [13, ecdsa('ECDSAP256SHA256', 'P-256', 32, 'sha256')],
  [14, ecdsa('ECDSAP384SHA384', 'P-384', 48, 'sha384')],
  [15, ed25519],
]);

/** What signs with a private key whose public key the octets are. Throws an Error where one is not that of the other. */
export function signerOf(algorithm: SigningAlgorithm, octets: Buffer, fields: KeyFields): (data: Uint8Array) => Buffer {
  const jwk = algorithm.publicKey(octets);
  if (jwk === undefined) throw new Error(`${octets.length} bytes are no public key of ${algorithm.name}`);
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  const foreign = (cause?: unknown): Error => new Error('the private key is not that of the public key', { cause });
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: algorithm.privateKey(fields, jwk), format: 'jwk' });
  } catch (error) {
    // Newer versions of Node compare the two by themselves.
    throw foreign(error);
  }
  const sample = Buffer.from('fits');
  if (!algorithm.verify(sample, publicKey, algorithm.sign(sample, privateKey))) throw foreign();
  return (data) => algorithm.sign(data, privateKey);
}
