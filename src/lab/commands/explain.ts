import type { ProfileName } from '../../resolver/conf/settings.js';
import type { Lab } from '../lab.js';
import { explainLookup } from '../explain/explain-lookup.js';
import type { ExplainedQuery } from '../explain/explanation.js';
import { CommandError } from '../session/command.js';
import type { LabCommand } from '../session/command.js';
import { parseOptions } from '../session/options.js';
import { podNamed } from './target/targets.js';

/** Resolvers that can be chosen. */
export const PROFILES: readonly ProfileName[] = ['glibc', 'musl', 'go', 'bind', 'busybox'];
/** Address types that can be asked for alone. */
const TYPES = ['A', 'AAAA'] as const;
/** The pod that asks when none is named: the first of namespace default that runs an idle program. */
const someClient = (lab: Lab): string =>
  lab.kubelet.list().find((pod) => pod.namespace === 'default' && pod.program.kind === 'idle')?.name ?? '';

/** `explain NAME`: one lookup, hop by hop. */
export const explain: LabCommand = {
  name: 'explain',
  usage: `NAME [--pod [NAMESPACE/]POD] [--libc ${PROFILES.join('|')}] [--type ${TYPES.join('|')}]`,
  help: 'Explains one lookup of both address types hop by hop: search steps, service or redirect, cache, plugin, upstream, time and cost.',
  async run(args, io) {
    const options = parseOptions('explain', args, [
      { name: '--pod', value: true },
      { name: '--libc', value: true },
      { name: '--type', value: true },
    ]);
    const [name, extra] = options.words;
    if (name === undefined || extra !== undefined)
      throw new CommandError('explain: got no name or several, allowed: explain NAME [--pod POD]');
    const profile = PROFILES.find((known) => known === (options.get('--libc') ?? 'glibc'));
    if (!profile)
      throw new CommandError(`explain: --libc: got "${options.get('--libc')}", allowed: ${PROFILES.join(', ')}`);
    const type = options.get('--type');
    const types = TYPES.filter((known) => type === undefined || known === type.toUpperCase());
    if (types.length === 0) throw new CommandError(`explain: --type: got "${type}", allowed: ${TYPES.join(', ')}`);
    const { pod, steps, servers, search, ndots, outcome, cost, found } = await explainLookup(
      io.lab,
      podNamed(io.lab, options.get('--pod') ?? someClient(io.lab)),
      name,
      { profile, types },
    );
    io.write(`${pod.namespace}/${pod.name} (${pod.ip} on ${pod.node}) looks up ${name} as ${profile} does\n`);
    io.write(`resolv.conf: nameserver ${servers.join(' ')}, search ${search.join(' ') || 'nothing'}, ndots:${ndots}\n`);
    steps.forEach((step, i) => {
      io.write(`\n${i + 1}. ${step.name}  (${step.why})\n`);
      for (const query of step.queries) tellQuery(query).forEach((line) => io.write(`   ${line}\n`));
    });
    io.write(
      `\n${outcome}\ncost: ${count(cost.queries, 'query', 'queries')}, ` +
        `${count(cost.packets, 'packet', 'packets')}, ` +
        `${count(cost.sockets, 'socket', 'sockets')}, ` +
        `${count(cost.visits, 'server visit', 'server visits')}, ${cost.time.toFixed(1)} ms\n`,
    );
    return found ? 0 : 1;
  },
};

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

function tellQuery({ text, hops }: ExplainedQuery): string[] {
  const lines = [text, ...hops.map((hop) => `  ${'  '.repeat(hop.depth)}${hop.text}`)];
  if (!hops.some((hop) => hop.kind === 'visit')) lines.push('  no server took it');
  return lines;
}
