import type { PluginDefinition } from '../chain/index.js';
import type { KubeStore } from '../kube/store/store.js';
import { acl } from '../plugins/acl/setup.js';
import { any } from '../plugins/any/setup.js';
import { auto } from '../plugins/auto/setup.js';
import { autopath } from '../plugins/autopath/setup.js';
import { bind } from '../plugins/bind/setup.js';
import { bufsize } from '../plugins/bufsize/setup.js';
import { cache } from '../plugins/cache/setup.js';
import { cancel } from '../plugins/cancel/setup.js';
import { chaos } from '../plugins/chaos/setup.js';
import { debug } from '../plugins/debug/setup.js';
import { dns64 } from '../plugins/dns64/setup.js';
import { dnstap } from '../plugins/dnstap/setup.js';
import { dnssec } from '../plugins/dnssec/setup.js';
import { errors } from '../plugins/errors/setup.js';
import { erratic } from '../plugins/erratic/setup.js';
import { etcd } from '../plugins/etcd/setup.js';
import { file } from '../plugins/file/setup.js';
import { filter } from '../plugins/filter/setup.js';
import { forward } from '../plugins/forward/setup.js';
import { geoip } from '../plugins/geoip/setup.js';
import { grpc } from '../plugins/grpc/setup.js';
import { grpcServer } from '../plugins/grpc_server/setup.js';
import { header } from '../plugins/header/setup.js';
import { health } from '../plugins/health/setup.js';
import { hosts } from '../plugins/hosts/setup.js';
import { https } from '../plugins/https/setup.js';
import { k8sExternal } from '../plugins/k8s_external/setup.js';
import { kubernetes, kubernetesOver } from '../plugins/kubernetes/setup.js';
import { loadbalance } from '../plugins/loadbalance/setup.js';
import { limit } from '../plugins/limit/setup.js';
import { local } from '../plugins/local/setup.js';
import { log } from '../plugins/log/setup.js';
import { loop } from '../plugins/loop/setup.js';
import { metadata } from '../plugins/metadata/setup.js';
import { minimal } from '../plugins/minimal/setup.js';
import { multisocket } from '../plugins/multisocket/setup.js';
import { nomad } from '../plugins/nomad/setup.js';
import { node, nodeOver } from '../plugins/node/setup.js';
import { nsid } from '../plugins/nsid/setup.js';
import { pprof } from '../plugins/pprof/setup.js';
import { prometheus } from '../plugins/prometheus/setup.js';
import { proxyproto } from '../plugins/proxyproto/setup.js';
import { push } from '../plugins/push/setup.js';
import { quic } from '../plugins/quic/setup.js';
import { ready } from '../plugins/ready/setup.js';
import { reload } from '../plugins/reload/setup.js';
import { rewrite } from '../plugins/rewrite/setup.js';
import { tls } from '../plugins/tls/setup.js';
import { root } from '../plugins/root/setup.js';
import { secondary } from '../plugins/secondary/setup.js';
import { shed } from '../plugins/shed/setup.js';
import { sign } from '../plugins/sign/setup.js';
import { subscribe } from '../plugins/subscribe/setup.js';
import { template } from '../plugins/template/setup.js';
import { tsig } from '../plugins/tsig/setup.js';
import { trace } from '../plugins/trace/setup.js';
import { transfer } from '../plugins/transfer/setup.js';
import { timeouts } from '../plugins/timeouts/setup.js';
import { view } from '../plugins/view/setup.js';
import { whoami } from '../plugins/whoami/setup.js';

/**
 * All directives in the order in which their handlers see a query: the order of CoreDNS 1.14.7. The order in a Corefile
 * does not matter.
 */
export const PLUGINS: readonly PluginDefinition[] = [
  root,
  metadata,
  geoip,
  cancel,
  proxyproto,
  quic,
  grpcServer,
  https,
  tls,
  timeouts,
  multisocket,
  push,
  subscribe,
  reload,
  nsid,
  bufsize,
  bind,
  debug,
  trace,
  ready,
  health,
  pprof,
  shed,
  prometheus,
  errors,
  log,
  dnstap,
  local,
  dns64,
  any,
  chaos,
  loadbalance,
  tsig,
  rewrite,
  autopath,
  acl,
  limit,
  filter,
  cache,
  header,
  dnssec,
  minimal,
  template,
  // It answers nothing: it stands here so that zones are signed before `file` reads them.
  sign,
  transfer,
  hosts,
  k8sExternal,
  kubernetes,
  // It answers nothing: its word on who asks goes before that of kubernetes.
  node,
  file,
  auto,
  secondary,
  etcd,
  loop,
  forward,
  grpc,
  erratic,
  whoami,
  view,
  nomad,
];

/** The same, with `kubernetes` and `node` over objects that somebody else holds: for servers within a model. */
export function pluginsOver(store: KubeStore): readonly PluginDefinition[] {
  const over = [kubernetesOver(() => ({ store, source: undefined })), nodeOver(store)];
  return PLUGINS.map((plugin) => over.find(({ name }) => name === plugin.name) ?? plugin);
}
