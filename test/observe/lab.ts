import { dnsLab, echo } from '../datapath/lab.js';
import type { Lab } from '../datapath/lab.js';
import type { DatapathConfig } from '../../src/datapath/config.js';

export const COREDNS = 'coredns-674b8bbfcf-vvgfm';

/** The recorded cluster with an echo in place of CoreDNS; `ask` sends one query as nslookup does. */
export function observed(config: Partial<DatapathConfig> = {}): Lab & { readonly ask: (payload?: Uint8Array) => void } {
  const lab = dnsLab(config);
  echo(lab.world, 'kube-system', COREDNS);
  return {
    ...lab,
    ask: (payload = new Uint8Array(50)) => {
      const socket = lab.world.pod('default', 'curl-pod').process.udp();
      socket.connect('10.96.0.10', 53);
      socket.send(payload);
      socket.recv();
      socket.close();
    },
  };
}
