import { spawnSync } from 'node:child_process';
import { Namespaces, whyNot } from '../node-local/namespaces.js';

const TOOLS = ['ip', 'iptables-restore', 'conntrack', 'tcpdump', 'dnsmasq', 'dig', 'busybox'] as const;
/** A rule for each part of the kernel that rules of nodes ask for; written by hand, so that a wrong rule is no excuse. */
const RULES = `*mangle
-A PREROUTING -m socket --transparent -j MARK --set-xmark 0x200/0xffffffff
-A PREROUTING -p tcp -m mark --mark 0x200 -j TPROXY --on-port 1 --on-ip 127.0.0.1 --tproxy-mark 0x200/0xffffffff
COMMIT
*raw
-A PREROUTING -m comment --comment "a comment" -j CT --notrack
-A OUTPUT -j NOTRACK
COMMIT
*filter
-A INPUT -m conntrack --ctstate NEW -j REJECT --reject-with icmp-port-unreachable
COMMIT
*nat
-A PREROUTING -m addrtype --dst-type LOCAL -m statistic --mode random --probability 0.5 -j RETURN
-A PREROUTING -p udp -j DNAT --to-destination 192.0.2.1:53
-A POSTROUTING -j MASQUERADE --random-fully
COMMIT
`;

/** What this machine lacks to be compared with; undefined for nothing. */
export function whyNotHere(): string | undefined {
  const reason = whyNot(TOOLS);
  if (reason !== undefined) return reason;
  const namespaces = new Namespaces();
  try {
    const name = namespaces.add('mk-probe');
    const bridge = spawnSync('ip', ['-n', name, 'link', 'add', 'br0', 'type', 'bridge'], { encoding: 'utf8' });
    if (bridge.status !== 0) return `no bridges here: ${bridge.stderr.trim()}`;
    const options = { input: RULES, encoding: 'utf8' } as const;
    const { status, stderr } = spawnSync('ip', ['netns', 'exec', name, 'iptables-restore'], options);
    return status === 0 ? undefined : `this kernel does not take the rules of a node: ${stderr.trim()}`;
  } finally {
    namespaces.remove();
  }
}
