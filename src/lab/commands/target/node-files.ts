import type { Lab } from '../../lab.js';

/** As systemd-resolved links it to /etc/resolv.conf. */
const STUB = `# This is /run/systemd/resolve/stub-resolv.conf managed by man:systemd-resolved(8).
# Do not edit.
#
# This file might be symlinked as /etc/resolv.conf. If you're looking at
# /etc/resolv.conf and seeing this text, you have followed the symlink.
#
# This is a dynamic resolv.conf file for connecting local clients to the
# internal DNS stub resolver of systemd-resolved. This file lists all
# configured search domains.
#
# Run "resolvectl status" to see details about the uplink DNS servers
# currently in use.
#
# Third party programs should typically not access this file directly, but only
# through the symlink at /etc/resolv.conf. To manage man:resolv.conf(5) in a
# different way, replace this symlink by a static file or a different symlink.
#
# See man:systemd-resolved.service(8) for details about the supported modes of
# operation for /etc/resolv.conf.
`;

/** The kubelet's settings, as kubeadm writes them, from what the topology says. */
const kubeletConfig = ({ topology: { cluster } }: Lab): string => `apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
cgroupDriver: systemd
clusterDNS:
- ${cluster.dns}
clusterDomain: ${cluster.domain}
containerRuntimeEndpoint: ""
kind: KubeletConfiguration
resolvConf: /run/systemd/resolve/resolv.conf
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
`;

/** Addresses and names that the node's own hosts file has: itself, and the nodes beside it. */
function hostsFile(lab: Lab, node: string): string {
  const lines = lab.topology.nodes.map(({ name }) => `${lab.world.cluster.nodes.get(name)!.internalIp} ${name}`);
  return `127.0.0.1 localhost\n127.0.1.1 ${node}\n::1 ip6-localhost ip6-loopback\n${lines.join('\n')}\n`;
}

/** A file that a node has, as `cat` shows it; undefined for none of that name. */
export function nodeFile(lab: Lab, name: string, file: string): string | undefined {
  const node = lab.topology.nodes.find((one) => one.name === name)!;
  switch (file) {
    case '/etc/hostname':
      return `${name}\n`;
    case '/etc/hosts':
      return hostsFile(lab, name);
    case '/etc/resolv.conf':
    case '/run/systemd/resolve/stub-resolv.conf': {
      // Hosts that ask DHCP for their resolver have the stub of systemd-resolved before it.
      const search = /^search .*$/m.exec(node.resolvConf)?.[0];
      if (!node.interfaces.some(({ dhcp }) => dhcp?.dns !== undefined)) return node.resolvConf;
      return `${STUB}nameserver 127.0.0.53\noptions edns0 trust-ad\n${search === undefined ? '' : `${search}\n`}`;
    }
    case '/run/systemd/resolve/resolv.conf':
      return node.resolvConf;
    case '/var/lib/kubelet/config.yaml':
      return kubeletConfig(lab);
    default:
      return undefined;
  }
}
