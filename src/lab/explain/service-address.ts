import type { Pod } from '../../datapath/cluster/endpoint.js';
import type { Lab } from '../lab.js';
import type { ServerSpan } from '../trace/tracer.js';

/**
 * The service address that a pod had named when its query came to a server; undefined where the server was asked by
 * its own address.
 */
export function namedBy(asker: Pod, { server, local }: ServerSpan, lab: Lab): string | undefined {
  const [namespace = '', name = ''] = server.split('/', 2);
  // A datagram does not tell at which of its addresses the server took it.
  return lab.translations.before(asker.ip, lab.kubelet.get(namespace, name)?.model.ip ?? local.address);
}
