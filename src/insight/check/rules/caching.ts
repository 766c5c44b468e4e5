import { Zones } from '../../../chain/index.js';
import type { Directive } from '../../../corefile/index.js';
import { parseDuration } from '../../../lib/duration.js';
import type { CorefileRule, JudgedBlock, JudgedCorefile } from '../blocks.js';
import { isReverse, optionsOf, zonesIn } from '../blocks.js';
import type { Spot } from '../finding.js';

/** Stale answers that are no older than this hide nothing that a record's own TTL does not hide as well. */
const SHORT = 60_000;
/** What serve_stale has without a duration. */
const DEFAULT_STALE = '1h';
/** Seconds for which clients may hold an address of a service that is gone, by default at most. */
const LONG_TTL = 120;

/** What of a directive's outcome depends on who asks, in words; undefined for nothing. */
function dependsOnClient(directive: Directive): string | undefined {
  const { name, args, options = [] } = directive;
  const words = [...args, ...options.flatMap((option) => [option.name, ...option.args])];
  if (name === 'whoami') return 'whoami answers with the address of the client';
  if (name === 'template' && words.some((word) => /\{\{[^}]*\.(Remote|Message|Meta)\b/.test(word)))
    return 'the template answers by the client';
  if (name !== 'rewrite' || !words.includes('edns0')) return undefined;
  if (words.includes('subnet')) return 'the upstream answers by the subnet of the client';
  return words.some((word) => word.includes('{client_ip}')) ? 'the upstream is told the client' : undefined;
}

const cacheShares: CorefileRule = {
  name: 'cache-shares-clients',
  severity: 'warning',
  means: 'The cache keeps answers by the question alone: one client gets what was made for another.',
  todo: 'Leave cache out of the block, or name the zones to cache for.',
  *find({ blocks }) {
    for (const block of blocks) {
      const cache = block.first('cache');
      if (cache === undefined || block.zonesOf(cache).length === 0) continue;
      for (const directive of block.source.directives) {
        const why = dependsOnClient(directive);
        const cached = new Zones(block.zonesOf(cache));
        if (why !== undefined && block.zonesOf(directive).some((zone) => cached.contains(zone)))
          yield { at: directive, text: `${why}, and cache of line ${cache.line} gives it to others` };
      }
    }
  },
};

/** Zones of the block whose names come and go with the objects of the cluster. */
function changing(block: JudgedBlock, { role }: JudgedCorefile): string[] {
  const owners = ['kubernetes', 'etcd', 'k8s_external'].flatMap((name) => block.all(name));
  const zones = owners.flatMap((directive) => block.zonesOf(directive));
  if (role === 'node-cache' && zones.length === 0) zones.push(...block.zones.list.filter((zone) => zone !== '.'));
  return [...new Set(zones)].filter((zone) => !isReverse(zone));
}

/** Why stale answers are given for names that were deleted; undefined where they are not. */
function staleness(cache: Directive): { at: Directive | { file: string; line: number }; text: string } | undefined {
  const [policy] = optionsOf(cache, 'serve_stale_policy').filter(({ args }) => args[0] === 'prefer_positive');
  if (policy !== undefined) return { at: policy, text: 'prefer_positive keeps the answer that a denial replaces' };
  for (const option of optionsOf(cache, 'serve_stale')) {
    const duration = option.args.find((arg) => /^\d/.test(arg)) ?? DEFAULT_STALE;
    const verify = option.args.includes('verify');
    if (!verify && (parseDuration(duration) ?? 0) > SHORT)
      return { at: option, text: `answers are given for ${duration} past their time, before anything is asked` };
  }
  return undefined;
}

const staleHides: CorefileRule = {
  name: 'stale-hides-deletions',
  severity: 'warning',
  means: 'Who asks gets the addresses of services and pods that are gone, long after the cluster knows better.',
  todo: "Add 'verify' to serve_stale, or 'disable success ZONE' for the zones of the cluster.",
  *find(subject) {
    for (const block of subject.blocks) {
      for (const cache of block.all('cache')) {
        const stale = staleness(cache);
        if (stale === undefined) continue;
        const off = optionsOf(cache, 'disable').filter(({ args }) => args[0] === 'success');
        const disabled = new Zones(off.flatMap(({ args }) => (args.length === 1 ? ['.'] : zonesIn(args.slice(1)))));
        const cached = new Zones(block.zonesOf(cache));
        const hit = changing(block, subject).filter((zone) => cached.contains(zone) && !disabled.contains(zone));
        if (hit.length > 0) yield { at: stale.at, text: `${stale.text}, for ${hit.join(', ')}` };
      }
    }
  },
};

const noCache: CorefileRule = {
  name: 'cache-missing',
  severity: 'hint',
  means: 'Every query goes to the upstream, also the one that was answered a moment ago.',
  todo: "Add 'cache 30'.",
  *find({ blocks }): Iterable<Spot> {
    for (const block of blocks) {
      const forward = block.first('forward');
      if (forward !== undefined && !block.has('cache')) yield { at: forward, text: 'forward without cache' };
    }
  },
};

const longTtl: CorefileRule = {
  name: 'ttl-hides-changes',
  severity: 'warning',
  means: 'Clients and caches hold the address of an endpoint for so long after it is gone.',
  todo: "Write 'ttl 30' or less.",
  *find({ blocks }) {
    for (const option of blocks.flatMap((block) => block.all('kubernetes').flatMap((one) => optionsOf(one, 'ttl'))))
      if (Number(option.args[0]) >= LONG_TTL)
        yield { at: option, text: `records of the cluster hold for ${option.args[0]} s` };
  },
};

export const CACHING: readonly CorefileRule[] = [cacheShares, staleHides, noCache, longTtl];
