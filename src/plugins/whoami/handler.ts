import { Reply, type Handler, type Query } from '../../chain/index.js';
import { parseIp } from '../../lib/cidr.js';
import { Flag, Rcode, Type, isName, type Name, type Rr } from '../../wire/index.js';

/** Answers every query with the address, port and transport it came from, in the additional section. */
export class Whoami implements Handler {
  readonly name = 'whoami';
  readonly dependsOn = 'query';

  handle(query: Query): Reply {
    const { address, port } = query.client.remote;
    const ip = parseIp(address.replace(/%.*$/, ''))!;
    const additional: Rr[] = [
      { name: query.qname, type: ip.length === 4 ? Type.A : Type.AAAA, class: query.class, ttl: 0, rdata: ip },
    ];
    const service = serviceName(query.protocol, query.qname);
    // A name of nearly 255 octets leaves no room for the label of the transport.
    if (isName(service))
      additional.push({ name: service, type: Type.SRV, class: query.class, ttl: 0, rdata: srvRdata(port) });
    return Reply.of(Flag.AA, Rcode.NOERROR, { additional });
  }
}

const serviceName = (transport: string, qname: Name): Name =>
  qname === '.' ? `_${transport}.` : `_${transport}.${qname}`;

/** SRV data (RFC 2782): priority 0, weight 0, the port, and the root as target. */
function srvRdata(port: number): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, port >> 8, port & 0xff, 0);
}
