import type { IcmpFields } from '../datapath/packet.js';

/** Type and code of each kind of message: RFC 792 and RFC 1191 for IPv4, RFC 4443 for IPv6. */
export const ICMP_TYPE_AND_CODE: Record<
  IcmpFields['kind'],
  { readonly v4: readonly [type: number, code: number]; readonly v6: readonly [type: number, code: number] }
> = {
  'echo-request': { v4: [8, 0], v6: [128, 0] },
  'echo-reply': { v4: [0, 0], v6: [129, 0] },
  'port-unreachable': { v4: [3, 3], v6: [1, 4] },
  'host-unreachable': { v4: [3, 1], v6: [1, 0] },
  'frag-needed': { v4: [3, 4], v6: [2, 0] },
  'time-exceeded': { v4: [11, 0], v6: [3, 0] },
};
