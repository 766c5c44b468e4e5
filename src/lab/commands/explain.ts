import { isIP } from 'node:net';
import { parseIp } from '../../lib/cidr.js';
import { reverseName } from '../../wire/index.js';
import type { ProfileName } from '../../resolver/conf/settings.js';
import type { Lab } from '../lab.js';
import { explainLookup } from '../explain/explain-lookup.js';
import { compactText } from '../explain/compact.js';
import type { Explanation } from '../explain/explanation.js';
import { explanationText } from '../explain/text.js';
import { CommandError } from '../session/command.js';
import type { CommandIo, LabCommand } from '../session/command.js';
import { parseOptions } from '../session/options.js';
import { compareModes, type ModeCost } from './compare-modes.js';
import { podNamed } from './target/targets.js';

/** Resolvers that can be chosen. */
export const PROFILES: readonly ProfileName[] = ['glibc', 'musl', 'go', 'bind', 'busybox'];
/** Address types that can be asked for alone. */
const TYPES = ['A', 'AAAA', 'SRV', 'PTR'] as const;
/** What programs ask for that look a name up. */
const ADDRESSES = ['A', 'AAAA'] as const;
/** The pod that asks when none is named: the first of namespace default that runs an idle program. */
const someClient = (lab: Lab): string =>
  lab.kubelet.list().find((pod) => pod.namespace === 'default' && pod.program.kind === 'idle')?.name ?? '';

/** `explain NAME`: one lookup, hop by hop. */
export const explain: LabCommand = {
  name: 'explain',
  usage: `NAME [--pod [NAMESPACE/]POD] [--libc ${PROFILES.join('|')}] [--type ${TYPES.join('|')}] [-v|-o json|--compare libcs|modes]`,
  help: 'Explains one lookup of both address types, a step a line: search list, service or redirect, cache, plugin, cost; -v: hop by hop.',
  async run(args, io) {
    const options = parseOptions('explain', args, [
      { name: '--pod', value: true },
      { name: '--libc', value: true },
      { name: '--type', value: true },
      { name: '-v' },
      { name: '-o', value: true },
      { name: '--compare', value: true },
    ]);
    const [name, extra] = options.words;
    if (name === undefined || extra !== undefined)
      throw new CommandError('explain: got no name or several, allowed: explain NAME [--pod POD]');
    const profile = PROFILES.find((known) => known === (options.get('--libc') ?? 'glibc'));
    if (!profile)
      throw new CommandError(`explain: --libc: got "${options.get('--libc')}", allowed: ${PROFILES.join(', ')}`);
    const type = options.get('--type');
    const types = type === undefined ? ADDRESSES : TYPES.filter((known) => known === type.toUpperCase());
    if (types.length === 0) throw new CommandError(`explain: --type: got "${type}", allowed: ${TYPES.join(', ')}`);
    const pointer = types.some((known) => known === 'PTR') ? parseIp(name) : undefined;
    if (isIP(name) !== 0 && pointer === undefined) {
      io.write(
        `${name} is an address: programs take it as it is, and nothing is looked up; --type PTR asks for its name\n`,
      );
      return 0;
    }
    if (profile !== 'glibc' && types.some((known) => known === 'SRV' || known === 'PTR'))
      throw new CommandError(`explain: --libc: got "${profile}" with --type ${type}, allowed: glibc`);
    const form = options.get('-o');
    if (form !== undefined && form !== 'json') throw new CommandError(`explain: -o: got "${form}", allowed: json`);
    const compare = options.get('--compare');
    if (compare !== undefined && compare !== 'libcs' && compare !== 'modes')
      throw new CommandError(`explain: --compare: got "${compare}", allowed: libcs, modes`);
    const pod = podNamed(io.lab, options.get('--pod') ?? someClient(io.lab));
    const explained = (as: ProfileName): Promise<Explanation> =>
      explainLookup(io.lab, pod, pointer === undefined ? name : reverseName(pointer), { profile: as, types });
    if (compare === 'libcs') return tellLibcs(io, explained);
    if (compare === 'modes') return tellModes(io, await compareModes(io.lab.topology, pod, name, { profile, types }));
    const explanation = await explained(profile);
    if (form === 'json') io.write(`${JSON.stringify(explanation, undefined, 2)}\n`);
    else io.write((options.has('-v') ? explanationText : compactText)(explanation));
    return explanation.found ? 0 : 1;
  },
};

/** The same lookup as each library makes it, a line each; caches are as the one before left them. */
async function tellLibcs(io: CommandIo, explained: (as: ProfileName) => Promise<Explanation>): Promise<number> {
  const rows = [['LIBC', 'QUERIES', 'PACKETS', 'SOCKETS', 'TIME', 'OUTCOME']];
  let found = false;
  for (const profile of PROFILES) {
    const { cost, outcome, found: did } = await explained(profile);
    found ||= did;
    const numbers = [cost.queries, cost.packets, cost.sockets].map(String);
    rows.push([profile, ...numbers, `${cost.time.toFixed(1)} ms`, outcome]);
  }
  writeTable(io, rows);
  return found ? 0 : 1;
}

/** The same lookup in each mode of the node cache, a line each: with cold caches, and once more. */
function tellModes(io: CommandIo, costs: readonly ModeCost[]): number {
  const rows = [['MODE', 'QUERIES', 'PACKETS', 'VISITS', 'COLD', 'WARM', 'OUTCOME']];
  for (const { mode, cold, warm } of costs) {
    const numbers = [cold.cost.queries, cold.cost.packets, cold.cost.visits].map(String);
    const times = [cold, warm].map(({ cost }) => `${cost.time.toFixed(1)} ms`);
    rows.push([mode, ...numbers, ...times, cold.outcome]);
  }
  writeTable(io, rows);
  return costs.every(({ cold }) => cold.found) ? 0 : 1;
}

function writeTable(io: CommandIo, rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    io.write(
      `${row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd()}\n`,
    );
}
