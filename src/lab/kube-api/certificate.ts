import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { parseIp } from '../../lib/cidr.js';
import type { Milliseconds } from '../../lib/units.js';

/** What a server shows of itself over TLS, as PEM: its own certificate authority. */
export interface ServerIdentity {
  readonly key: string;
  readonly certificate: string;
}

const DAY: Milliseconds = 86_400_000;
const YEAR = 365 * DAY;

const [INTEGER, BIT_STRING, OCTET_STRING, OID, UTF8, UTC_TIME, SEQUENCE, SET] = [2, 3, 4, 6, 12, 23, 0x30, 0x31];
const [BOOLEAN_TRUE, VERSION_TAG, EXTENSIONS_TAG, DNS_NAME_TAG, IP_TAG] = [
  Buffer.from([1, 1, 0xff]),
  0xa0,
  0xa3,
  0x82,
  0x87,
];

/** Object identifiers, encoded. */
const ECDSA_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('550403', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('551d13', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex');

/** DER (X.690): tag, length, and what is in it. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

/**
 * A certificate for names and addresses that nobody but its own key has signed, with a new key (P-256), good for a
 * year (RFC 5280). Written by hand: what packages there are for it bring dozens of others along.
 */
export function selfSigned(name: string, hosts: readonly string[], now: Milliseconds): ServerIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const algorithm = der(SEQUENCE, der(OID, ECDSA_SHA256));
  const whose = der(SEQUENCE, der(SET, der(SEQUENCE, der(OID, COMMON_NAME), der(UTF8, Buffer.from(name)))));
  const names = hosts.map((host) => {
    const address = parseIp(host);
    return address ? der(IP_TAG, Buffer.from(address)) : der(DNS_NAME_TAG, Buffer.from(host));
  });
  const extension = (id: Buffer, value: Buffer): Buffer =>
    der(SEQUENCE, der(OID, id), BOOLEAN_TRUE, der(OCTET_STRING, value));
  const signed = der(
    SEQUENCE,
    der(VERSION_TAG, der(INTEGER, Buffer.from([2]))),
    // A serial number is positive.
    der(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    whose,
    der(SEQUENCE, time(now - DAY), time(now + YEAR)),
    whose,
    publicKey,
    der(
      EXTENSIONS_TAG,
      der(
        SEQUENCE,
        extension(BASIC_CONSTRAINTS, der(SEQUENCE, BOOLEAN_TRUE)),
        extension(SUBJECT_ALT_NAME, der(SEQUENCE, ...names)),
      ),
    ),
  );
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', signed, createPrivateKey(privateKey)));
  return { key: privateKey, certificate: pem(der(SEQUENCE, signed, algorithm, signature)) };
}

/** `YYMMDDhhmmssZ` */
const time = (at: Milliseconds): Buffer =>
  der(
    UTC_TIME,
    Buffer.from(
      `${new Date(at)
        .toISOString()
        .replace(/\.\d+Z$/, '')
        .replace(/[-:T]/g, '')
        .slice(2)}Z`,
    ),
  );

const pem = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
