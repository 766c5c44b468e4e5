/** The directives of CoreDNS 1.14.7. */
const COREDNS = new Set(
  (
    'acl any auto autopath azure bind bufsize cache cancel chaos clouddns debug dns64 dnssec dnstap erratic errors etcd ' +
    'file forward geoip grpc grpc_server header health hosts https https3 k8s_external kubernetes loadbalance local log ' +
    'loop metadata minimal multisocket nomad nsid on pprof prometheus proxyproto quic ready reload rewrite root route53 ' +
    'secondary shed sign template timeouts tls trace transfer tsig view whoami'
  ).split(' '),
);

/** Directives that CoreDNS had once, and what to write in their place. */
const REPLACED: Readonly<Record<string, string>> = {
  federation: 'federations of clusters are gone from Kubernetes; take it out',
  proxy: 'forward took its place: forward FROM TO...',
  reverse: 'template took its place',
  shutdown: 'take it out: the process that runs the server has to do such things',
  startup: 'take it out: the process that runs the server has to do such things',
};

/** What to say of a directive that is not known here but was or is one of CoreDNS; undefined for any other word. */
export function aboutAbsent(name: string): string | undefined {
  if (Object.hasOwn(REPLACED, name)) return `directive '${name}' is none of CoreDNS any more: ${REPLACED[name]}`;
  return COREDNS.has(name) ? `directive '${name}' of CoreDNS is not to be had here` : undefined;
}
