// Headers of proxies (haproxy's proxy-protocol.txt), as rows of tests have them.

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** A header of version 2: command and version, family and transport, and what follows. */
export const v2 = (command: number, kind: number, rest: Buffer = Buffer.alloc(0), claims = rest.length): Buffer => {
  const head = Buffer.from([command, kind, claims >> 8, claims & 255]);
  return Buffer.concat([SIGNATURE, head, rest]);
};
/** 203.0.113.7 port 4711 to 192.0.2.1 port 53. */
export const IPV4 = Buffer.from('cb007107c000020112670035', 'hex');
export const IPV6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000007', 'hex'),
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('12670035', 'hex'),
]);
export const V1 = Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 4711 53\r\n');
export const SOURCE = { address: '203.0.113.7', port: 4711 };
