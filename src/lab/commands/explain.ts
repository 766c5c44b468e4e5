import { StubResolver } from '../../resolver/index.js';
import type { QueryStory } from '../../resolver/index.js';
import type { ProfileName } from '../../resolver/settings.js';
import { typeName } from '../../wire/index.js';
import type { Node } from '../../datapath/node.js';
import type { Lab } from '../lab.js';
import type { Visit } from '../pods/tracer.js';
import { CommandError } from '../session/command.js';
import type { Command } from '../session/command.js';
import { parseOptions } from '../session/options.js';
import { toolEnv } from './in-pod.js';
import { podNamed, spotOfPod } from './spots.js';

const PROFILES: readonly ProfileName[] = ['glibc', 'musl', 'go', 'bind', 'busybox'];
/** The pod that asks when none is named: the first of namespace default that waits to be told. */
const someClient = (lab: Lab): string => lab.kubelet.list().find((pod) => pod.namespace === 'default' && pod.program.kind === 'idle')?.name ?? '';

/** `explain NAME`: one look-up, hop by hop. */
export const explain: Command = {
  name: 'explain', usage: `NAME [--pod [NAMESPACE/]POD] [--libc ${PROFILES.join('|')}]`, help: 'Tells one look-up hop by hop: search steps, service or redirect, cache, plugin, upstream, time and cost.',
  async run(args, io) {
    const options = parseOptions('explain', args, [{ name: '--pod', value: true }, { name: '--libc', value: true }]);
    const [name, extra] = options.words;
    if (name === undefined || extra !== undefined) throw new CommandError('explain: got no name or several, allowed: explain NAME [--pod POD]');
    const profile = PROFILES.find((known) => known === (options.get('--libc') ?? 'glibc'));
    if (!profile) throw new CommandError(`explain: --libc: got "${options.get('--libc')}", allowed: ${PROFILES.join(', ')}`);
    const pod = podNamed(io.lab, options.get('--pod') ?? someClient(io.lab));
    const env = toolEnv(spotOfPod(pod), io);
    const resolver = new StubResolver({ ...env, profile });
    const { servers, search, ndots } = resolver.settings;
    const end = io.lab.tracer.watch();
    const story = await resolver.lookup(name, { addrConfig: true });
    const visits = end();
    io.write(`${pod.namespace}/${pod.name} (${pod.model.ip} on ${pod.model.spec.node}) looks up ${name} as ${profile} does\n`);
    io.write(`resolv.conf: nameserver ${servers.join(' ')}, search ${search.join(' ') || 'nothing'}, ndots:${ndots}\n`);
    story.tried.forEach((tried, i) => {
      io.write(`\n${i + 1}. ${tried}  (${stepOf(tried, name, search)})\n`);
      for (const query of story.queries.filter((one) => one.name === tried)) tellQuery(query, visits, pod.model.node, io.lab).forEach((line) => io.write(`   ${line}\n`));
    });
    const { cost } = story;
    const outcome = story.error ? `${story.error.code}: ${story.error.text}` : `${story.canonical ?? name} has ${story.addresses.join(', ')}`;
    io.write(`\n${outcome}\ncost: ${count(cost.queries, 'query', 'queries')}, ${count(cost.packets, 'packet', 'packets')}, ${count(cost.sockets, 'socket', 'sockets')}, ${count(visits.length, 'server visit', 'server visits')}, ${cost.time.toFixed(1)} ms\n`);
    return story.error ? 1 : 0;
  },
};

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

function stepOf(tried: string, name: string, search: readonly string[]): string {
  const bare = tried.replace(/\.$/, '');
  if (bare.toLowerCase() === name.replace(/\.$/, '').toLowerCase()) return 'the name as it stands';
  const domain = search.find((suffix) => bare.toLowerCase() === `${name}.${suffix}`.toLowerCase());
  return domain === undefined ? 'an alias' : `search ${domain}`;
}

function tellQuery(query: QueryStory, visits: readonly Visit[], node: Node, lab: Lab): string[] {
  const type = typeName(query.type);
  const first = visits.findIndex((visit) => visit.depth === 0 && visit.remote.port === query.local?.port && visit.type === type && visit.name.toLowerCase() === query.name.toLowerCase());
  const lines = [`${type} to ${query.server.address} by ${query.protocol.toUpperCase()}: ${query.result} after ${(query.ended - query.started).toFixed(1)} ms`];
  lines.push(`  ${wayOf(query.server.address, query.protocol, node)}`);
  if (first < 0) {
    lines.push('  no server took it');
    return lines;
  }
  for (let i = first; i < visits.length; i++) {
    const visit = visits[i]!;
    if (i > first && visit.depth === 0) break;
    if (visit.name.toLowerCase() !== query.name.toLowerCase() || visit.type !== type) continue;
    lines.push(`  ${'  '.repeat(visit.depth)}${tellVisit(visit, lab)}`);
  }
  return lines;
}

/** What the node makes of an address that a pod sends to. */
function wayOf(address: string, protocol: string, node: Node): string {
  const frontend = node.frontend(address, 53, protocol.toUpperCase());
  if (frontend?.redirect) return `redirect ${frontend.redirect.policy} on ${node.name}: to ${frontend.backends.map((backend) => backend.ip).join(' or ') || 'nobody'} in place of service ${frontend.owner}`;
  if (frontend) return `service ${frontend.owner}: to ${frontend.backends.map((backend) => backend.ip).join(' or ') || 'nobody, it has no endpoints'}`;
  return node.netns.hasAddress(address) ? `an address of ${node.name} itself` : 'no service, straight to the address';
}

function tellVisit(visit: Visit, lab: Lab): string {
  const [namespace = '', name = ''] = visit.server.split('/', 2);
  const pod = lab.kubelet.get(namespace, name);
  const place = pod ? `${visit.server} on ${pod.model.spec.node}` : `${visit.server} outside the cluster`;
  const cached = visit.plugins.includes('cache') ? (visit.answeredBy === 'cache' ? 'cache hit' : 'cache miss') : 'no cache';
  const by = visit.answeredBy === undefined ? 'nobody answered' : visit.answeredBy === 'cache' ? '' : `, plugin ${visit.answeredBy} ${visit.answeredBy === 'forward' ? 'asked upstream' : 'answered'}`;
  const time = visit.ended === undefined ? 'not done yet' : `${(visit.ended - visit.started).toFixed(1)} ms`;
  return `${place} by ${visit.transport.toUpperCase()} from ${visit.remote.address}: ${cached}${by}: ${visit.rcode ?? 'no answer'}, ${time}`;
}
