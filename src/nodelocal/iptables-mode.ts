import { COMMENT_PREFIX } from '../iptables/node-cache-rules.js';
import type { Logger } from '../lib/log.js';
import type { Report } from './report.js';
import type { RunCommand } from './run.js';

/**
 * Which of its two sets of rules in the kernel iptables works on. The kernel applies both, so that one program's
 * `ACCEPT` is another one's `DROP` where they differ.
 */
export type IptablesMode = 'nft' | 'legacy';

/** Programs by what they are for: `iptables-legacy`, `ip6tables-legacy-save`. */
export interface IptablesCommands {
  readonly change: string;
  readonly save: string;
  readonly restore: string;
}

/** The programs of a mode; those that the system gives the plain names to, where it is not known. */
export function iptablesCommands(family: 4 | 6, mode: IptablesMode | undefined): IptablesCommands {
  const change = [family === 4 ? 'iptables' : 'ip6tables', ...(mode === undefined ? [] : [mode])].join('-');
  return { change, save: `${change}-save`, restore: `${change}-restore` };
}

/** What tells a mode, the surest first: what a kubelet makes for that very purpose, what kube-proxy makes. */
const MARKS = [
  { name: 'kubelet', chains: /^:KUBE-(?:IPTABLES-HINT|KUBELET-CANARY) /m },
  { name: 'kube-proxy', chains: /^:KUBE-(?:PROXY-CANARY|SERVICES|NODEPORTS) /m },
];

/**
 * Finds out which iptables a host uses: the one that holds rules of the kubelet, of kube-proxy, or more rules than the
 * other; undefined where neither holds any. Where rules of iptables-legacy may not be read, which are those of the host
 * unless iptables-nft holds the kubelet's, that is reported. Other faults count as no rules.
 */
export async function hostIptables(run: RunCommand, report: Report): Promise<IptablesMode | undefined> {
  const nft = await saved(run, 'nft');
  const legacy = await saved(run, 'legacy');
  const { log } = report;
  const refused = /^.*permission denied.*$/im.exec(legacy.faults);
  if (refused !== null && !MARKS[0]!.chains.test(nft.text))
    report.error(
      'iptables',
      `Error listing rules of iptables-legacy, which a host that has them needs: ${refused[0].trim()}; ` +
        'the container needs CAP_NET_RAW as well',
    );
  for (const { name, chains } of MARKS) {
    const mode = chains.test(nft.text) ? 'nft' : chains.test(legacy.text) ? 'legacy' : undefined;
    if (mode !== undefined) return told(log, mode, `which holds the rules of ${name}`);
  }
  const [byNft, byLegacy] = [rulesIn(nft.text), rulesIn(legacy.text)];
  if (byNft === 0 && byLegacy === 0) return undefined;
  return byLegacy > byNft
    ? told(log, 'legacy', `which holds ${byLegacy} rules, iptables-nft ${byNft}`)
    : told(log, 'nft', `which holds ${byNft} rules, iptables-legacy ${byLegacy}`);
}

function told(log: Logger, mode: IptablesMode, reason: string): IptablesMode {
  log.info(`Using iptables-${mode}, ${reason}`);
  return mode;
}

/** Both families' rules, and what was said where they could not be listed. All tables: to ask for one would make it. */
async function saved(run: RunCommand, mode: IptablesMode): Promise<{ text: string; faults: string }> {
  const all = [];
  for (const family of [4, 6] as const) all.push(await run(iptablesCommands(family, mode).save, []));
  const failed = all.filter(({ code }) => code !== 0);
  return { text: all.map(({ stdout }) => stdout).join(''), faults: failed.map(({ stderr }) => stderr).join('\n') };
}

const rulesIn = (text: string): number =>
  text.split('\n').filter((line) => line.startsWith('-A ') && !line.includes(COMMENT_PREFIX)).length;
