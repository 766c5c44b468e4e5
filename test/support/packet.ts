import type { Packet } from '../../src/datapath/packet.js';

/** A datagram from one host to port 53 of another, but for what is said. */
export const datagram = (change: Partial<Packet> = {}): Packet => ({
  number: 1,
  protocol: 'UDP',
  src: '10.0.0.1',
  dst: '10.0.0.2',
  sport: 40_000,
  dport: 53,
  ttl: 64,
  payload: new Uint8Array(0),
  ...change,
});
