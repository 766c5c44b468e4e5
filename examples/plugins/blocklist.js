// @ts-check
/**
 * Answers for names on lists: files or URLs, each line of a hosts file (`0.0.0.0 name`), a name alone, or a rule of a
 * response policy zone (`name CNAME .`). Names get NXDOMAIN or an address, for all clients or for some networks.
 */
import { BlockList, isIP } from 'node:net';
import { readFile } from 'node:fs/promises';

const options = /** @type {const} */ ({
  list: { type: 'file', argument: true, many: true, required: true, about: 'Files, or http and https URLs.' },
  to: { type: 'ip', many: true, about: 'Addresses that listed names get; NXDOMAIN without.' },
  for: { type: 'network', many: true, about: 'Networks of the clients that lists are for; all without.' },
  ttl: { type: 'seconds', default: 60, max: 86_400, about: 'TTL of addresses.' },
  every: { type: 'duration', default: 3_600_000, min: 1000, about: 'How often URLs are read; files are watched.' },
  keep: { type: 'file', about: 'Where the last good lists are kept over a restart.' },
  dry_run: { type: 'flag', about: 'Counts what would be refused, and refuses nothing.' },
});

/** @typedef {'nxdomain' | 'nodata' | 'pass' | 'drop' | readonly string[]} Rule what a name gets; addresses in a list */

/** Targets of CNAME rules that are no names (draft-vixie-dnsop-dns-rpz section 3). */
const TARGETS = /** @type {Record<string, Rule>} */ ({
  '.': 'nxdomain',
  '*.': 'nodata',
  'rpz-passthru.': 'pass',
  'rpz-drop.': 'drop',
});
const DROP = /** @type {import('nodens/plugin').HandlerResult} */ (/** @type {unknown} */ (Symbol.for('nodens.drop')));

/** @type {(line: string, rules: Map<string, Rule>) => void} */
function readLine(line, rules) {
  const words = line
    .replace(/[#;].*/, '')
    .trim()
    .split(/\s+/);
  const [first = '', ...rest] = words;
  if (first === '' || first.startsWith('$') || first === '@') return;
  if (isIP(first) !== 0) {
    for (const name of rest) if (!/^(localhost|broadcasthost|ip6-.*)$/.test(name)) rules.set(name, 'nxdomain');
    return;
  }
  const data = rest.filter((word) => !/^(\d+|IN)$/i.test(word));
  if (data.length === 0) rules.set(first, 'nxdomain');
  const [type = '', value = ''] = data;
  if (/^CNAME$/i.test(type) && TARGETS[value] !== undefined) rules.set(first, TARGETS[value]);
  if (!/^A{1,4}$/i.test(type) || isIP(value) === 0) return;
  const known = rules.get(first);
  rules.set(first, [...(Array.isArray(known) ? known : []), value]);
}

/** @type {(source: string, signal: AbortSignal) => Promise<string>} */
async function textOf(source, signal) {
  if (!/^https?:/.test(source)) return readFile(source, { encoding: 'utf8', signal });
  const response = await fetch(source, { signal });
  if (!response.ok) throw new Error(`${source}: HTTP status ${response.status}`);
  return response.text();
}

/** @type {(name: string, type: string, addresses: readonly string[], ttl: number) => import('nodens/plugin').ReplyInit} */
const addressReply = (name, type, addresses, ttl) => ({
  answers: addresses
    .filter((data) => type === (isIP(data) === 6 ? 'AAAA' : 'A'))
    .map((data) => ({ name, type: isIP(data) === 6 ? 'AAAA' : 'A', ttl, data })),
});

/** Rules of a name: its own, or those of a wildcard above it. */
const ruleFor = (/** @type {import('nodens/plugin').PluginTable<Rule>} */ table, /** @type {string} */ name) => {
  const own = table.get(name);
  if (own !== undefined) return own;
  for (let cut = name.indexOf('.'); cut >= 0; cut = name.indexOf('.', cut + 1)) {
    const above = table.get(`*${name.slice(cut)}`);
    if (above !== undefined) return above;
  }
  return table.get('*');
};

/** @type {import('nodens/plugin').Plugin<typeof options>} */
export default {
  name: 'blocklist',
  api: 1,
  about: 'refuses names that are on lists',
  // Before the cache: a name that comes onto a list is gone at once.
  at: { before: 'cache' },
  options,
  example: 'blocklist ads.hosts {\n    to 192.0.2.1\n    for 10.0.0.0/8\n}',
  setup(block, { list, to, for: networks, ttl, every, keep, dry_run: dryRun }) {
    const files = list.filter((source) => !/^https?:/.test(source));
    const table = block.table({
      load: async ({ signal }) => {
        const rules = new Map();
        for (const source of list) for (const line of (await textOf(source, signal)).split('\n')) readLine(line, rules);
        return rules;
      },
      watch: files,
      ...(files.length < list.length && { every }),
      ...(keep !== undefined && { keep }),
    });
    const clients = new BlockList();
    for (const network of networks) {
      const [address = '', length] = network.split('/');
      clients.addSubnet(
        address,
        Number(length ?? (isIP(address) === 6 ? 128 : 32)),
        isIP(address) === 6 ? 'ipv6' : 'ipv4',
      );
    }
    const concerns = (/** @type {import('nodens/plugin').PluginClient} */ { address, family }) =>
      networks.length === 0 || clients.check(address, family === 6 ? 'ipv6' : 'ipv4');
    const blocked = block.metrics.counter('blocked_total', 'Queries for names on a list.', { dry_run: String(dryRun) });
    const hit = (/** @type {import('nodens/plugin').PluginQuery} */ { name, client }) => {
      const rule = concerns(client) ? ruleFor(table, name) : undefined;
      return rule === 'pass' ? undefined : rule;
    };
    return {
      // Who asks matters only where it was said.
      dependsOn: networks.length === 0 ? 'question' : 'client',
      hitCounter: (query) => (hit(query) === undefined ? () => undefined : (times) => blocked.inc(times)),
      handle: (query, next) => {
        const rule = hit(query);
        if (rule === undefined) return next();
        blocked.inc();
        if (dryRun) return next();
        if (rule === 'drop') return DROP;
        if (rule === 'nodata') return { rcode: 'NOERROR' };
        const addresses = Array.isArray(rule) ? rule : to;
        if (addresses.length > 0) return addressReply(query.question.name, query.type, addresses, ttl);
        return { rcode: 'NXDOMAIN', extendedError: { code: 15, text: 'on a list' } };
      },
    };
  },
};
