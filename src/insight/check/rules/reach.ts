import { Zones } from '../../../chain/index.js';
import type { Directive } from '../../../corefile/index.js';
import type { CorefileRule, JudgedBlock } from '../blocks.js';
import { hasOption, inside, isReverse, namedZones, optionsOf, passesOn, zonesIn } from '../blocks.js';
import type { Spot } from '../finding.js';

/** Directives that give answers of their own, or get them from somewhere. */
const ANSWERERS = new Set(
  'template hosts k8s_external kubernetes file auto secondary etcd forward erratic whoami chaos nomad local any'.split(
    ' ',
  ),
);
/** Directives that give none, of those that are known here. */
const OTHERS = new Set(
  (
    'root metadata geoip cancel tls timeouts multisocket reload nsid bufsize bind debug ready health pprof shed ' +
    'prometheus errors log dns64 loadbalance rewrite autopath acl cache header minimal transfer loop view'
  ).split(' '),
);

const zoneRedundant: CorefileRule = {
  name: 'zone-redundant',
  severity: 'warning',
  means: 'A key lies below another key of the same block and changes nothing.',
  todo: 'Leave it out, or give it a block of its own.',
  *find({ blocks }) {
    for (const { source } of blocks) {
      for (const key of source.keys) {
        const above = source.keys.find(
          (other) => other.port === key.port && other.zone !== key.zone && new Zones([other.zone]).contains(key.zone),
        );
        if (above !== undefined && above.line <= key.line)
          yield { at: key, text: `'${key.text}' lies below '${above.text}', which the same block serves` };
      }
    }
  },
};

const blockNamedAsDirective: CorefileRule = {
  name: 'block-named-as-directive',
  severity: 'warning',
  means: 'A server block is named like a directive: it serves a zone of that name.',
  todo: "Close the block before it later, or write the zone with a dot ('forward.') if it is meant.",
  *find({ blocks, order }) {
    for (const { source } of blocks)
      for (const key of source.keys)
        if (order.includes(key.text))
          yield { at: key, text: `'${key.text}' stands where the key of a server block does` };
  },
};

const blockWithoutAnswers: CorefileRule = {
  name: 'block-without-answers',
  severity: 'warning',
  means: 'No directive of the block answers: every query to it fails.',
  todo: 'Add forward, kubernetes, file, hosts or another that answers.',
  *find({ blocks }) {
    for (const { source } of blocks) {
      const names = source.directives.map(({ name }) => name);
      if (!names.some((name) => ANSWERERS.has(name)) && names.every((name) => OTHERS.has(name)))
        yield { at: source, text: `nothing in the block of '${source.keys[0]?.text ?? ''}' answers` };
    }
  },
};

const pluginOutsideBlock: CorefileRule = {
  name: 'plugin-outside-block',
  severity: 'warning',
  means: 'The zones of a directive are none of its server block: it is never asked.',
  todo: 'Correct the zone, or move the directive into a block that serves it.',
  *find({ blocks }) {
    for (const block of blocks)
      for (const directive of block.source.directives)
        for (const zone of namedZones(directive))
          if (inside([zone], block.zones).length === 0)
            yield {
              at: directive,
              text: `${directive.name} is for ${zone}, the block serves ${block.zones.list.join(', ')}`,
            };
  },
};

/** Zones of which a directive passes no query on, whatever it finds. */
function keeps(directive: Directive, block: JudgedBlock): readonly string[] {
  const zones = block.zonesOf(directive);
  const { name, args } = directive;
  if (name === 'whoami' || name === 'erratic') return zones;
  if (name === 'forward') return hasOption(directive, 'next') || hasOption(directive, 'except') ? [] : zones;
  if (name === 'template') {
    const every = /^(any|in)$/i.test(args[0] ?? '') && /^any$/i.test(args[1] ?? '');
    return every && !hasOption(directive, 'fallthrough') ? zones : [];
  }
  // What a hosts file has no address for, it passes on.
  if (name === 'hosts') return zones.filter((zone) => !passesOn(directive, zone) && !isReverse(zone));
  if (['kubernetes', 'k8s_external', 'file', 'etcd'].includes(name))
    return zones.filter((zone) => !passesOn(directive, zone));
  return [];
}

const pluginBehindAnswer: CorefileRule = {
  name: 'plugin-never-asked',
  severity: 'warning',
  means: 'A directive that is asked before this one answers for all of its zones and passes nothing on.',
  todo: 'Give the earlier one fallthrough, or smaller zones, or leave this one out.',
  *find({ blocks, order }) {
    for (const block of blocks) {
      const inOrder = block.source.directives
        .filter(({ name }) => ANSWERERS.has(name))
        .toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
      for (const [i, directive] of inOrder.entries()) {
        const zones = block.zonesOf(directive);
        const earlier = inOrder.slice(0, i).find((other) => {
          const kept = new Zones(keeps(other, block));
          return zones.length > 0 && zones.every((zone) => kept.contains(zone));
        });
        if (earlier !== undefined)
          yield {
            at: directive,
            text: `${earlier.name} of line ${earlier.line} answers for ${zones.join(', ')} and passes nothing on`,
          };
      }
    }
  },
};

const ruleNeverTried: CorefileRule = {
  name: 'acl-line-never-tried',
  severity: 'warning',
  means: 'An earlier line of acl fits every query, so this one decides nothing.',
  todo: 'Put the line for all clients last.',
  *find({ blocks }) {
    for (const directive of blocks.flatMap((block) => block.all('acl'))) {
      const lines = directive.options ?? [];
      const all = lines.findIndex(({ args }) => args.every((arg) => arg === '*' || arg === 'type' || arg === 'net'));
      if (all < 0) continue;
      for (const line of lines.slice(all + 1))
        yield { at: line, text: `'${lines[all]!.name}' of line ${lines[all]!.line} fits every query` };
    }
  },
};

/** Options that count once: what stands later replaces what stood before. */
const ONCE: Readonly<Record<string, readonly string[]>> = {
  forward: ['max_concurrent', 'max_fails', 'policy', 'health_check', 'expire', 'tls', 'tls_servername', 'force_tcp'],
  cache: ['success', 'denial', 'prefetch', 'serve_stale', 'servfail'],
  kubernetes: ['ttl', 'pods', 'endpoint', 'kubeconfig', 'labels', 'namespace_labels'],
  health: ['lameduck'],
  hosts: ['ttl', 'reload'],
};

const optionRepeated: CorefileRule = {
  name: 'option-repeated',
  severity: 'warning',
  means: 'An option that counts once stands twice: the earlier one has no effect.',
  todo: 'Keep one of the two.',
  *find({ blocks }) {
    for (const directive of blocks.flatMap((block) => block.source.directives))
      for (const name of ONCE[directive.name] ?? []) {
        const [, ...more] = optionsOf(directive, name);
        for (const option of more)
          yield { at: option, text: `${directive.name}: ${name} stands a second time, and this one counts` };
      }
  },
};

const exceptOutside: CorefileRule = {
  name: 'except-outside',
  severity: 'warning',
  means: 'forward excepts names that it would never be asked for.',
  todo: 'Leave the name out, or correct it.',
  *find({ blocks }) {
    for (const block of blocks)
      for (const forward of block.all('forward')) {
        const zones = new Zones(block.zonesOf(forward));
        for (const option of optionsOf(forward, 'except'))
          for (const name of zonesIn(option.args))
            if (inside([name], zones).length === 0)
              yield { at: option, text: `${name} is not in ${zones.list.join(', ')}, which is forwarded` };
      }
  },
};

const snippetUnused: CorefileRule = {
  name: 'snippet-unused',
  severity: 'hint',
  means: 'Nothing imports the snippet.',
  todo: 'Import it where it is meant, or leave it out.',
  *find({ snippets, imported }): Iterable<Spot> {
    for (const [name, at] of snippets)
      if (!imported.has(name)) yield { at, text: `snippet '(${name})' is not imported anywhere` };
  },
};

export const REACH: readonly CorefileRule[] = [
  zoneRedundant,
  blockNamedAsDirective,
  blockWithoutAnswers,
  pluginOutsideBlock,
  pluginBehindAnswer,
  ruleNeverTried,
  optionRepeated,
  exceptOutside,
  snippetUnused,
];
