import type { DatapathConfig } from '../../datapath/config.js';
import type { PodSpec } from '../../datapath/cluster/endpoint.js';
import type { IpamConfig } from '../../datapath/ipam/ipam.js';
import type { NodeSpec } from '../../datapath/cluster/node.js';
import type { HostSpec } from '../../datapath/cluster/external-host.js';
import type { ManifestObject } from '../../kube/manifests/parse.js';
import type { Milliseconds } from '../../lib/units.js';

/** What every kubelet of the cluster knows. */
export interface ClusterSettings {
  /** Domain of the cluster, without closing dot. */
  readonly domain: string;
  /** Address that the kubelets give to pods as their resolver. */
  readonly dns: string;
  /** Service addresses that nothing pins are drawn from it. */
  readonly serviceCidr: string;
}

/** A node, and the resolv.conf of its host. */
export interface LabNode extends NodeSpec {
  readonly resolvConf: string;
}

/** A host outside, and what runs on it. */
export interface LabHost extends HostSpec {
  /** Text of the Corefile of its DNS server; undefined for none. */
  readonly corefile?: string;
  /** Asks the resolver of the real machine when the lab is started with --upstream. */
  readonly upstream: boolean;
  /** How long its DNS server's answers by UDP take to leave, 0 to 10,000. */
  readonly delay: Milliseconds;
  /** Body of what it answers to HTTP requests at port 80; undefined for nothing. */
  readonly web?: string;
}

/** What the first pods of a workload, or a pod by itself, are to be. */
export interface PodPin extends Partial<Omit<PodSpec, 'namespace' | 'name'>> {
  readonly namespace: string;
  readonly name: string;
  /** `deployment/coredns`, `daemonset/node-local-dns`; undefined for a pod of its own. */
  readonly of?: string;
}

export interface ServicePin {
  readonly namespace: string;
  readonly name: string;
  readonly clusterIP: string;
  /** Number of the first port in `cilium-dbg service list`; the others follow. */
  readonly firstId?: number;
}

/** A lab as its file describes it. */
export interface Topology {
  readonly name: string;
  /** Of everything that is drawn: the same seed gives the same lab. */
  readonly seed: number;
  readonly cluster: ClusterSettings;
  readonly settings: Partial<DatapathConfig>;
  readonly ipam: IpamConfig;
  /** Whether the CiliumLocalRedirectPolicy kind exists. */
  readonly localRedirectPolicy: boolean;
  readonly nodes: readonly LabNode[];
  readonly hosts: readonly LabHost[];
  readonly podPins: readonly PodPin[];
  readonly servicePins: readonly ServicePin[];
  readonly manifests: readonly ManifestObject[];
}
