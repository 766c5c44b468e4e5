import { byText } from '../../lib/order.js';
/** What cannot be there, and what to do instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  vagrant: 'the machines of the lab run already; a command on another node: ssh NODE COMMAND',
  k9s: 'there is no screen of its own here; kubectl get pods -A -w, and the page of the lab shows the rest',
  termshark: 'write a capture with tcpdump -w FILE.pcap, and open it with termshark or tshark outside the lab',
  tshark: 'write a capture with tcpdump -w FILE.pcap, and open it with tshark outside the lab',
  wireshark: 'write a capture with tcpdump -w FILE.pcap, and open it with Wireshark outside the lab',
  apt: 'nothing has to be installed here; help lists the programs',
  'apt-get': 'nothing has to be installed here; help lists the programs',
  dnf: 'nothing has to be installed here; help lists the programs',
  yum: 'nothing has to be installed here; help lists the programs',
  docker: 'the pods of the lab are models, not containers; what runs: kubectl get pods -A -owide',
  kind: 'the cluster of the lab runs already; one of kind: nodens lab up -topology kind',
  minikube: 'the cluster of the lab runs already; another shape: nodens lab up -topology NAME',
  kubeadm: 'the cluster of the lab runs already; another shape: nodens lab up -topology NAME',
  pwru: 'the way of a packet through the kernel is told by: explain NAME, hubble observe, cilium monitor',
  vi: 'there is no editor here; sed -i edits a file, and kubectl edit opens your own editor in nodens lab shell',
  vim: 'there is no editor here; sed -i edits a file, and kubectl edit opens your own editor in nodens lab shell',
  nano: 'there is no editor here; sed -i edits a file, and kubectl edit opens your own editor in nodens lab shell',
  kubectx: 'there is one cluster, whose context is lab; another namespace: kubens NAME',
  stern: 'the logs of several pods: kubectl logs -l KEY=VALUE -f --prefix',
  crictl: 'the pods of the lab are models, not containers; what runs: kubectl get pods -A -owide',
  ctr: 'the pods of the lab are models, not containers; what runs: kubectl get pods -A -owide',
  nft: 'the rules of the lab are those of iptables: iptables-save',
  ipvsadm: "Cilium balances here, not IPVS: cilium-dbg service list; a node cache's ipvs mode: iptables-save",
  journalctl: 'the nodes of the lab have no journal; what a program in a pod says: kubectl logs POD',
  systemctl:
    'the nodes of the lab run no services of their own; the resolver: resolvectl, the pods: kubectl get pods -A',
  ps: 'the nodes of the lab run no processes that could be listed; pods: kubectl get pods -A, sockets: ss -tunap',
  top: 'nothing in the lab uses CPU that could be measured; packets: hubble observe, lookups: the page of the lab',
  htop: 'nothing in the lab uses CPU that could be measured; packets: hubble observe, lookups: the page of the lab',
  free: 'the machines of the lab are models without memory that could be measured',
  df: 'the machines of the lab are models without disks',
  man: 'what a command takes: COMMAND --help, or help COMMAND',
  traceroute: 'the way of a packet is told by: explain NAME, tcpdump, cilium monitor',
  mtr: 'the way of a packet is told by: explain NAME, tcpdump, cilium monitor',
  etcdctl: 'the objects of the cluster are read with: kubectl get KIND -o yaml',
  git: 'the files that the lab has are those of the session: ls',
  open: 'open the page of the lab in your browser; nodens lab up prints its address',
};

/** One line about a program that is not there: what to do instead, the names that look like it, or where to look. */
export function missingProgram(name: string, known: readonly string[]): string {
  if (Object.hasOwn(INSTEAD, name)) return `${name}: not in the lab: ${INSTEAD[name]}`;
  const near = nearest(name, known);
  return `${name}: command not found; ${near === undefined ? 'help lists what there is' : `did you mean ${near}?`}`;
}

/** The word that looks most like the one that was typed; undefined where none does. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const [near] = known
    .map((one) => ({ one, away: distance(typed, one) }))
    .filter(({ one, away }) => away <= Math.max(1, Math.floor(one.length / 3)))
    .sort((a, b) => a.away - b.away || byText(a.one, b.one));
  return near?.one;
}

/** `; did you mean get?`, or nothing. */
export function meant(typed: string, known: readonly string[]): string {
  const near = nearest(typed, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** How many letters two words are apart: changed, added, left out, or two that changed places. */
function distance(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
