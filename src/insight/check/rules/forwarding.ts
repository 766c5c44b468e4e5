import { Zones } from '../../../chain/index.js';
import type { Directive } from '../../../corefile/index.js';
import type { CorefileRule, JudgedBlock, JudgedCorefile } from '../blocks.js';
import { hasOption, isPublic, optionsOf, upstreamsOf } from '../blocks.js';
import type { Spot } from '../finding.js';

function* forwards({ blocks }: JudgedCorefile): Iterable<{ block: JudgedBlock; forward: Directive }> {
  for (const block of blocks) for (const forward of block.all('forward')) yield { block, forward };
}

/** The block that gets a query for a name in `zone` at an address. */
function blockFor(blocks: readonly JudgedBlock[], zone: string, ip: string, port: number): JudgedBlock | undefined {
  const listening = blocks.filter((block) => block.listensAt(ip, port));
  const served = new Zones(listening.flatMap((block) => block.zones.list)).match(zone);
  return listening.find((block) => served !== undefined && block.zones.list.includes(served));
}

/** Whether a query for a name in `zone` that goes to that address comes back to `home`. */
function comesBack(
  blocks: readonly JudgedBlock[],
  home: JudgedBlock,
  zone: string,
  to: { readonly ip: string; readonly port: number },
  seen: ReadonlySet<JudgedBlock> = new Set(),
): boolean {
  const next = blockFor(blocks, zone, to.ip, to.port);
  if (next === undefined || seen.has(next)) return false;
  if (next === home) return true;
  const there = next.all('forward').filter((forward) => new Zones(next.zonesOf(forward)).contains(zone));
  return there
    .flatMap(upstreamsOf)
    .some((upstream) => comesBack(blocks, home, zone, upstream, new Set([...seen, next])));
}

const loopOfForwards: CorefileRule = {
  name: 'forward-loop',
  severity: 'warning',
  means: 'A query is sent to an address where this very block listens: it goes round until it times out.',
  todo: 'Name the resolver that is meant. In a pod 127.0.0.53 is the pod itself, not the resolver of its node.',
  *find(subject) {
    for (const { block, forward } of forwards(subject)) {
      const zones = block.zonesOf(forward);
      const back = upstreamsOf(forward).find((upstream) =>
        zones.some((zone) => comesBack(subject.blocks, block, zone, upstream)),
      );
      if (back !== undefined)
        yield { at: forward, text: `queries for '${zones.join("', '")}' that go to ${back.text} come back here` };
    }
  },
};

const noLoop: CorefileRule = {
  name: 'no-loop',
  severity: 'warning',
  means: 'Where the upstream turns out to be this server, nothing notices: each query goes round until it times out.',
  todo: "Add 'loop' to the block.",
  *find(subject) {
    for (const { block, forward } of forwards(subject)) {
      if (block.has('loop') || forward.args[0] !== '.' || !block.zones.list.includes('.')) continue;
      // What listens elsewhere does not get what goes to a resolver's port.
      if (block.ports.has(53)) yield { at: forward, text: 'the block forwards every name, and has no loop' };
    }
  },
};

const noMaxConcurrent: CorefileRule = {
  name: 'max-concurrent-missing',
  severity: 'hint',
  means: 'While an upstream is silent, queries pile up without bound and take memory.',
  todo: "Add 'max_concurrent 1000' or so: what is beyond is refused at once.",
  *find(subject) {
    for (const { forward } of forwards(subject)) {
      if (optionsOf(forward, 'max_concurrent').some(({ args }) => args[0] !== '0')) continue;
      const open = upstreamsOf(forward).find(({ ip }) => isPublic(ip));
      const spot: Spot = { at: forward, text: 'nothing bounds the queries that wait for the upstream' };
      // A public resolver limits the rate of each client, and then says nothing.
      yield open === undefined ? spot : { ...spot, severity: 'warning', text: `${spot.text}, the public ${open.text}` };
    }
  },
};

const upstreamTwice: CorefileRule = {
  name: 'upstream-twice',
  severity: 'warning',
  means: 'An upstream stands twice: it gets twice the share, and another attempt goes to the same server.',
  todo: 'Name each upstream once.',
  *find(subject) {
    for (const { forward } of forwards(subject)) {
      const all = forward.args.slice(1);
      const twice = all.find((text, i) => all.indexOf(text) < i);
      if (twice !== undefined) yield { at: forward, text: `upstream ${twice} stands more than once` };
    }
  },
};

const tlsUnnamed: CorefileRule = {
  name: 'tls-name-missing',
  severity: 'warning',
  means: 'The certificate of an upstream is checked against its bare address, which few certificates name.',
  todo: "Add 'tls_servername NAME', the name that the certificate is for.",
  *find(subject) {
    for (const { forward } of forwards(subject)) {
      if (hasOption(forward, 'tls_servername')) continue;
      const bare = upstreamsOf(forward).find(({ scheme, serverName }) => scheme === 'tls' && serverName === undefined);
      if (bare !== undefined) yield { at: forward, text: `${bare.text} without the name of its certificate` };
    }
  },
};

const healthChecksOff: CorefileRule = {
  name: 'health-checks-off',
  severity: 'warning',
  means: 'With max_fails 0 an upstream that is down goes on to get its share of the queries.',
  todo: "Leave 'max_fails 0' out where there are several upstreams.",
  *find(subject) {
    for (const { forward } of forwards(subject)) {
      const [off] = optionsOf(forward, 'max_fails').filter(({ args }) => args[0] === '0');
      if (off !== undefined && forward.args.length > 2)
        yield { at: off, text: `${forward.args.length - 1} upstreams, and none is ever taken for down` };
    }
  },
};

const bothTransports: CorefileRule = {
  name: 'transport-contradiction',
  severity: 'warning',
  means: 'force_tcp wins over prefer_udp, which has no effect.',
  todo: 'Keep the one that is meant.',
  *find(subject) {
    for (const { forward } of forwards(subject)) {
      const [preferred] = optionsOf(forward, 'prefer_udp');
      if (preferred !== undefined && hasOption(forward, 'force_tcp'))
        yield { at: preferred, text: 'prefer_udp beside force_tcp' };
    }
  },
};

export const FORWARDING: readonly CorefileRule[] = [
  loopOfForwards,
  noLoop,
  noMaxConcurrent,
  upstreamTwice,
  tlsUnnamed,
  healthChecksOff,
  bothTransports,
];
