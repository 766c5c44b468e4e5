import { X509Certificate, createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../../src/lab/kube-api/certificate.js';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const made = (hosts: readonly string[], now = NOW): X509Certificate & { own: boolean } => {
  const { key, certificate } = selfSigned('a name', hosts, now);
  const read = new X509Certificate(certificate);
  return Object.assign(read, { own: read.checkPrivateKey(createPrivateKey(key)) });
};

describe('selfSigned', () => {
  it('is signed by itself, for the names and addresses that were given', () => {
    const certificate = made(['localhost', 'lab.example', '127.0.0.1', '::1']);
    expect([certificate.own, certificate.verify(certificate.publicKey), certificate.ca]).toEqual([true, true, true]);
    expect([certificate.subject, certificate.issuer]).toEqual(['CN=a name', 'CN=a name']);
    expect(certificate.subjectAltName).toBe(
      'DNS:localhost, DNS:lab.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  it('is good from the day before on, for a year', () => {
    const { validFrom, validTo } = made(['localhost']);
    const days = (text: string): number => (Date.parse(text) - NOW) / 86_400_000;
    expect([days(validFrom), days(validTo)]).toEqual([-1, 365]);
  });

  it('is of version 3, as its extensions need (RFC 5280 section 4.1.2.1: written as 2)', () =>
    expect(made(['a']).raw.includes(Buffer.from('a003020102', 'hex'))).toBe(true));

  // X.690 section 10.1: DER has the shortest form of each length.
  it.each([1, 3, 6, 40, 80, 100, 150, 250])(
    'has no length longer than it need be, with a name of %i characters',
    (length) => {
      const longer: string[] = [];
      const walk = (bytes: Buffer): void => {
        for (let at = 0; at < bytes.length;) {
          const [tag, first] = [bytes[at]!, bytes[at + 1]!];
          const more = first < 0x80 ? 0 : first - 0x80;
          const size = more === 0 ? first : bytes.readUIntBE(at + 2, more);
          const need = size < 128 ? 0 : size < 256 ? 1 : 2;
          if (more !== need) longer.push(`${tag.toString(16)}: ${size} in ${more}`);
          const body = bytes.subarray(at + 2 + more, at + 2 + more + size);
          // Constructed: it is made of others.
          if ((tag & 0x20) !== 0) walk(body);
          at += 2 + more + size;
        }
      };
      walk(made(['a'.repeat(length)]).raw);
      expect(longer).toEqual([]);
    },
  );

  it('has a positive serial number of 16 bytes, another each time', () => {
    const [one, two] = [made(['a']).serialNumber, made(['a']).serialNumber];
    expect(one).toMatch(/^01[\dA-F]{30}$/);
    expect(two).not.toBe(one);
  });

  // Lengths of one, two and three bytes (X.690 section 8.1.3).
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16, 17, 100])('holds %i names', (count) => {
    const hosts = Array.from({ length: count }, (_, i) => `host-${String(i).padStart(3, '0')}.example`);
    const certificate = made(hosts);
    expect(certificate.subjectAltName).toBe(hosts.map((host) => `DNS:${host}`).join(', '));
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  // A sequence of names whose length is just below, at and above 128 and 256.
  it.each([
    100, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 200, 240, 245, 250, 251, 252, 253, 254, 255, 256,
    257,
  ])('holds a name of %i characters', (length) => {
    const host = 'a'.repeat(length);
    expect(made([host]).subjectAltName).toBe(`DNS:${host}`);
  });
});
