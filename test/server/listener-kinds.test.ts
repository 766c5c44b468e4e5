import { expect, it } from 'vitest';
import { LISTENER_KINDS, isOnTcp } from '../../src/server/listener-kinds.js';
import { SERVER } from '../support/dns.js';

it.each([
  { scheme: 'dns', encrypted: false, datagrams: true, onTcp: true },
  { scheme: 'tls', encrypted: true, datagrams: false, onTcp: true },
  { scheme: 'https', encrypted: true, datagrams: false, onTcp: true },
  { scheme: 'grpc', encrypted: false, datagrams: false, onTcp: true },
  { scheme: 'quic', encrypted: true, datagrams: false, onTcp: false },
] as const)('$scheme: with a certificate $encrypted, datagrams $datagrams, connections of TCP $onTcp', (want) => {
  const { encrypted, datagrams } = LISTENER_KINDS[want.scheme];
  const onTcp = isOnTcp({ ...SERVER, scheme: want.scheme });
  expect({ scheme: want.scheme, encrypted, datagrams, onTcp }).toEqual(want);
});

it.each([
  { clientCertificate: 'request', objects: true },
  { clientCertificate: 'verify-if-given', objects: true },
  { clientCertificate: 'require', objects: false },
  { clientCertificate: 'verify', objects: false },
  { clientCertificate: 'none', objects: false },
] as const)('QUIC cannot ask for a certificate that need not come: $clientCertificate', (asked) => {
  const objection = LISTENER_KINDS.quic.objection!({ clientCertificate: asked.clientCertificate } as never);
  expect(objection !== undefined).toBe(asked.objects);
});
