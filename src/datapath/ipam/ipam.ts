import { formatCidr } from '../../lib/cidr.js';
import type { Cidr } from '../../lib/cidr.js';
import type { Random } from '../../lib/random.js';
import { requireCidr } from '../address.js';
import { IpamError, TopologyError } from '../errors.js';
import { IpamBlock } from './node-block.js';
import { CidrSet } from './cidr-set.js';

export type IpamMode = 'kubernetes' | 'cluster-pool' | 'multi-pool';

/** A named pool of multi-pool mode (CiliumPodIPPool). */
export interface PoolSpec {
  readonly name: string;
  readonly cidrs: readonly string[];
  readonly maskSize: number;
}

export interface IpamConfig {
  readonly mode: IpamMode;
  /** kube-controller-manager's --cluster-cidr, cut into node blocks; used by `kubernetes`. */
  readonly clusterCidr?: string;
  /** Length of the node blocks of `kubernetes` and `cluster-pool`. */
  readonly maskSize?: number;
  /** Pools of `cluster-pool`. */
  readonly clusterPoolCidrs?: readonly string[];
  /** Pools of `multi-pool`; one must be called `default`. */
  readonly pools?: readonly PoolSpec[];
  /** Addresses that multi-pool keeps ready on a node; the default pool's is 8, other pools' is 0. */
  readonly preAllocation?: Readonly<Record<string, number>>;
}

/** A CiliumNode's addresses: which blocks the node has, and what is taken of them. */
export interface NodeIpam {
  readonly node: string;
  readonly mode: IpamMode;
  /** Blocks by pool name; `kubernetes` and `cluster-pool` have only `default`. */
  readonly blocks: Map<string, IpamBlock[]>;
  /** spec.ipam.pools.requested: needed addresses by pool. Empty outside multi-pool. */
  readonly requested: Map<string, number>;
}

export const DEFAULT_POOL = 'default';
const DEFAULT_CLUSTER_CIDR = '10.244.0.0/16';
const DEFAULT_CLUSTER_POOL = '10.0.0.0/8';
const DEFAULT_MASK = 24;
const DEFAULT_PRE_ALLOCATION = 8;

/** The operator and the controller manager: hand blocks to nodes, in the mode that is set at the moment. */
export class Ipam {
  private config: IpamConfig;
  private sets: Map<string, CidrSet>;
  /** podCIDRs of the Kubernetes nodes: given once, whatever Cilium's mode is later. */
  private readonly nodeCidrs = new Map<string, Cidr>();
  private clusterSet: CidrSet;
  private readonly random: Random;
  private readonly kept = new Set<string>();

  constructor(config: IpamConfig, random: Random) {
    this.random = random;
    this.config = config;
    this.clusterSet = clusterSetOf(config);
    this.sets = setsOf(config);
  }

  get mode(): IpamMode {
    return this.config.mode;
  }

  get settings(): IpamConfig {
    return this.config;
  }

  /**
   * Changes the mode for blocks handed out from now on. Blocks that nodes hold stay theirs until their CiliumNode is
   * deleted, which is why a change on a live cluster moves nothing at first.
   */
  setConfig(config: IpamConfig, existing: Iterable<NodeIpam>): void {
    const sets = setsOf(config);
    for (const node of existing) {
      for (const [pool, blocks] of node.blocks)
        for (const block of blocks) sets.get(pool)?.occupy(block.cidr, node.node);
    }
    this.config = config;
    this.sets = sets;
  }

  /** Gives a node its first block. `pinned` is the Kubernetes podCIDR or the block that the operator is to assign. */
  admit(node: string, pinned?: string, path = `nodes.${node}.podCIDR`): NodeIpam {
    const ipam: NodeIpam = { node, mode: this.config.mode, blocks: new Map(), requested: new Map() };
    if (this.config.mode === 'kubernetes') {
      ipam.blocks.set(DEFAULT_POOL, [new IpamBlock(this.kubernetesBlock(node, pinned, path))]);
    } else if (this.config.mode === 'cluster-pool') {
      ipam.blocks.set(DEFAULT_POOL, [new IpamBlock(this.poolBlock(DEFAULT_POOL, node, pinned, path))]);
    } else {
      this.ensure(ipam, DEFAULT_POOL, 0);
    }
    return ipam;
  }

  /**
   * Returns a node's blocks to the operator's pools, as the deletion of its CiliumNode does. The Kubernetes podCIDR
   * stays the node's.
   */
  dismiss(ipam: NodeIpam): void {
    for (const [pool, blocks] of ipam.blocks) for (const block of blocks) this.sets.get(pool)?.release(block.cidr);
  }

  /** Forgets a Kubernetes node. */
  forget(node: string): void {
    const cidr = this.nodeCidrs.get(node);
    if (cidr) this.clusterSet.release(cidr);
    this.nodeCidrs.delete(node);
  }

  /**
   * An address for a pod or a router: `pinned`, or a random free one of the pool. Throws an IpamError when there is
   * none.
   */
  allocate(ipam: NodeIpam, owner: string, pinned?: string, pool = DEFAULT_POOL): string {
    if (ipam.mode === 'multi-pool') this.ensure(ipam, pool, 1);
    const blocks = ipam.blocks.get(pool) ?? [];
    if (pinned !== undefined) {
      const block = blocks.find((candidate) => candidate.contains(pinned));
      if (!block) {
        throw new IpamError(
          `node ${ipam.node}`,
          `provided IP ${pinned} is not in ${blocks.map((b) => formatCidr(b.cidr)).join(', ')}`,
        );
      }
      return block.take(pinned, owner);
    }
    const free = blocks.find((block) => block.inUse < block.capacity);
    if (!free) {
      const capacity = blocks.reduce((sum, block) => sum + block.capacity, 0);
      throw new IpamError(
        `node ${ipam.node}`,
        `range is full: no address left for ${owner}, all ${capacity} of pool ${pool} are in use`,
      );
    }
    return free.allocate(owner, this.random, this.kept);
  }

  /** Keeps addresses for those that ask for them by name. */
  keep(ips: Iterable<string>): void {
    for (const ip of ips) this.kept.add(ip);
  }

  /** Whether a node could give the address to a pod. */
  offers(ipam: NodeIpam, ip: string): boolean {
    return [...ipam.blocks.values()].some((blocks) => blocks.some((block) => block.offers(ip)));
  }

  release(ipam: NodeIpam, ip: string): void {
    for (const blocks of ipam.blocks.values()) for (const block of blocks) block.release(ip);
  }

  private kubernetesBlock(node: string, pinned: string | undefined, path: string): Cidr {
    let cidr = this.nodeCidrs.get(node);
    if (!cidr) {
      cidr = pinned === undefined ? this.clusterSet.allocate(node) : requireCidr(pinned, path);
      if (pinned !== undefined) this.clusterSet.occupy(cidr, node);
      this.nodeCidrs.set(node, cidr);
    }
    return cidr;
  }

  private poolBlock(pool: string, node: string, pinned: string | undefined, path: string): Cidr {
    const set = this.sets.get(pool);
    if (!set) throw new IpamError(`node ${node}`, `there is no pool named ${pool}`);
    if (pinned === undefined) return set.allocate(node);
    const cidr = requireCidr(pinned, path);
    if (!set.occupy(cidr, node))
      throw new TopologyError(path, `${pinned} is no block of pool ${pool} with mask /${set.maskSize}`);
    return cidr;
  }

  /**
   * multi-pool: asks for blocks until what is in use, what is wanted and the reserve fit, rounded up to whole
   * reserves.
   */
  private ensure(ipam: NodeIpam, pool: string, pending: number): void {
    const reserve = this.config.preAllocation?.[pool] ?? (pool === DEFAULT_POOL ? DEFAULT_PRE_ALLOCATION : 0);
    const blocks = ipam.blocks.get(pool) ?? [];
    const inUse = blocks.reduce((sum, block) => sum + block.inUse, 0);
    const wanted = inUse + pending + reserve;
    const needed = reserve > 0 ? Math.ceil(wanted / reserve) * reserve : wanted;
    ipam.requested.set(pool, needed);
    let capacity = blocks.reduce((sum, block) => sum + block.capacity, 0);
    while (capacity < needed) {
      let cidr: Cidr;
      try {
        cidr = this.poolBlock(pool, ipam.node, undefined, 'pools');
      } catch (error) {
        // The reserve is a wish: only a pod that gets no address is an error.
        if (error instanceof IpamError && capacity >= inUse + pending && capacity > 0) break;
        throw error;
      }
      const block = new IpamBlock(cidr);
      blocks.push(block);
      ipam.blocks.set(pool, blocks);
      capacity += block.capacity;
    }
  }
}

function clusterSetOf(config: IpamConfig): CidrSet {
  const text = config.clusterCidr ?? DEFAULT_CLUSTER_CIDR;
  return new CidrSet([requireCidr(text, 'ipam.clusterCidr')], kubernetesMask(config, text), 'ipam.clusterCidr');
}

const kubernetesMask = (config: IpamConfig, cidr: string): number =>
  (config.mode === 'kubernetes' ? config.maskSize : undefined) ??
  Math.max(DEFAULT_MASK, Number(cidr.split('/')[1] ?? 0));

function setsOf(config: IpamConfig): Map<string, CidrSet> {
  const sets = new Map<string, CidrSet>();
  if (config.mode === 'cluster-pool') {
    const texts = config.clusterPoolCidrs ?? [DEFAULT_CLUSTER_POOL];
    const cidrs = texts.map((cidr, i) => requireCidr(cidr, `ipam.clusterPoolCidrs[${i}]`));
    sets.set(DEFAULT_POOL, new CidrSet(cidrs, config.maskSize ?? DEFAULT_MASK, 'ipam.clusterPoolCidrs'));
  }
  if (config.mode === 'multi-pool') {
    for (const [i, pool] of (config.pools ?? []).entries()) {
      if (sets.has(pool.name))
        throw new TopologyError(`ipam.pools[${i}].name`, `there are two pools named ${pool.name}`);
      const cidrs = pool.cidrs.map((cidr, j) => requireCidr(cidr, `ipam.pools[${i}].cidrs[${j}]`));
      sets.set(pool.name, new CidrSet(cidrs, pool.maskSize, `ipam.pools[${i}]`));
    }
    if (!sets.has(DEFAULT_POOL)) throw new TopologyError('ipam.pools', `one pool must be named ${DEFAULT_POOL}`);
  }
  return sets;
}
