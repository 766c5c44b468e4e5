import { EACH_CLIENT, type ClientNetworks, type DependsOn } from '../../chain/index.js';
import { parseCidr } from '../../lib/cidr.js';
import type { ExprNode } from './expression/parse.js';

type CallNode = Extract<ExprNode, { kind: 'call' }>;

/** What a view looks at, and which clients it treats alike. */
export interface Dependence {
  readonly dependsOn: DependsOn;
  readonly clientNetworks?: ClientNetworks;
}

/** Functions whose value is the same for all queries with one question that may be answered in common. */
const OF_QUESTION = new Set(['class', 'do', 'name', 'opcode', 'proto', 'type', 'incidr']);

/**
 * What conditions with these calls depend on. Clients are told apart by `incidr(client_ip(), 'BLOCK')` no further than
 * the longest of the blocks; any other use of the address tells each from all others.
 */
export function dependenceOf(calls: readonly CallNode[]): Dependence {
  const blocks = calls.filter(isNetworkTest);
  const counted = new Set<ExprNode>(blocks.map(({ args }) => args[0]!));
  const others = calls.filter((call) => !counted.has(call) && !OF_QUESTION.has(call.name));
  if (others.some(({ name }) => name !== 'client_ip')) return { dependsOn: 'query' };
  if (others.length > 0) return { dependsOn: 'client', clientNetworks: EACH_CLIENT };
  if (blocks.length === 0) return { dependsOn: 'question' };
  const lengths = { 4: 0, 16: 0 };
  for (const { args } of blocks) {
    const { bytes, prefix } = parseCidr((args[1] as Extract<ExprNode, { kind: 'literal' }>).value as string)!;
    const family = bytes.length as 4 | 16;
    lengths[family] = Math.max(lengths[family], prefix);
  }
  return { dependsOn: 'client', clientNetworks: { ipv4: lengths[4], ipv6: lengths[16] } };
}

/** `incidr(client_ip(), 'BLOCK')` with a block that is written out. */
function isNetworkTest({ name, args }: CallNode): boolean {
  const [ip, block] = args;
  return name === 'incidr' && ip?.kind === 'call' && ip.name === 'client_ip' && block?.kind === 'literal';
}
