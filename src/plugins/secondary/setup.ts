import { Authority, ServedZone } from '../../authority/index.js';
import { DROP, Reply, Zones, definePlugin, notifyServers, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { canonicalIp } from '../../lib/cidr.js';
import { sleep } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Endpoint } from '../../net/network.js';
import { namedKey, type TsigKey } from '../../tsig/index.js';
import { Flag, Rcode, type Name } from '../../wire/index.js';
import { readCatalog } from './catalog.js';
import { Members, type CatalogSource, type Primaries } from './members.js';
import { SecondaryZone, type ZoneOwner } from './secondary-zone.js';

const DNS_PORT = 53;
/** How long the start waits for the first attempts to get the zones. */
const START: Milliseconds = 1_000;

interface SecondarySettings {
  readonly origins: readonly Name[];
  readonly from: Endpoint[];
  /** What transfers are signed with. */
  key: TsigKey | undefined;
  /** Whether the zones are catalogs. */
  catalog: boolean;
  /** Names that their members must be within; undefined for any. */
  within: Zones | undefined;
  through: readonly string[] | undefined;
}

export const secondary = definePlugin('secondary', (directives, block) => {
  const read = directives.map((directive) => readDirective(directive, block));
  // As in CoreDNS, the last `fallthrough` of a server block is that of all its zones.
  const through = read.findLast((settings) => settings.through !== undefined)?.through ?? [];
  const log = block.logger('secondary');
  const zones = new Map<Name, SecondaryZone>();
  const handler = new Authority('secondary', block.ask, {
    through: new Zones(through),
    onNotify: ({ client }, { origin }) => {
      const { address } = client.remote;
      const zone = zones.get(origin) ?? members.get(origin);
      if (zone?.from.some((primary) => primary.address === address) !== true) {
        log.info(`Dropping notify from ${address} for ${origin}`);
        return DROP;
      }
      log.info(`Notify from ${address} for ${origin}: checking transfer`);
      zone.notify();
      return NOTED;
    },
  });
  const transferred = teller(block);
  const { runtime } = block;
  const make = (served: ServedZone, { from, key }: Primaries): SecondaryZone =>
    new SecondaryZone(served, from, { runtime, log, key, transferred });
  const members = new Members(handler, make, log);
  for (const { origins, from, key, catalog, within } of read) {
    for (const origin of origins) {
      const served = new ServedZone(origin);
      const zone = catalog
        ? catalogZone(served, { origin, from, key, within }, members, { runtime, log, transferred })
        : make(served, { from, key });
      zones.set(origin, zone);
      handler.add(served);
    }
  }
  block.onStart(async () => {
    handler.linked(block.handlers());
    await firstAttempts([...zones.values()], block);
  });
  block.onStop(() => {
    for (const zone of zones.values()) zone.stop();
    members.stop();
  });
  return handler;
});

const NOTED = Reply.empty(Rcode.NOERROR, Flag.AA);

/** A zone whose content says which further zones are served. */
function catalogZone(
  served: ServedZone,
  source: CatalogSource,
  members: Members,
  { transferred, ...owner }: ZoneOwner,
): SecondaryZone {
  return new SecondaryZone(served, source.from, {
    ...owner,
    key: source.key,
    accept: (zone) => void readCatalog(zone),
    transferred: (origin) => {
      members.apply(source, readCatalog(served.zone!));
      transferred(origin);
    },
  });
}

/** Tells other servers of changed zones; before this one answers, when it does: they come to ask. */
function teller(block: Block): (origin: Name) => void {
  const waiting = new Set<Name>();
  let serving = false;
  block.onServing(() => {
    serving = true;
    for (const origin of waiting) notifyServers(block, origin);
    waiting.clear();
  });
  return (origin) => {
    if (serving) notifyServers(block, origin);
    else waiting.add(origin);
  };
}

/** Starts all zones. Where their primaries are there, the first query finds them; others are not waited for. */
async function firstAttempts(zones: readonly SecondaryZone[], block: Block): Promise<void> {
  const over = new AbortController();
  const tried = Promise.all(zones.map((zone) => zone.start()));
  const late = sleep(block.runtime.clock, START, over.signal).catch(() => undefined);
  await Promise.race([tried, late]);
  over.abort(new Error('all were tried'));
}

function readDirective(directive: Directive, block: Block): SecondarySettings {
  const origins = block.zonesOf(directive.args, directive).list;
  const settings: SecondarySettings = {
    origins,
    from: [],
    key: undefined,
    catalog: false,
    within: undefined,
    through: undefined,
  };
  for (const option of directive.options ?? []) {
    option.noOptions();
    switch (option.name) {
      case 'key':
        settings.key = namedKey(option, block.settings.tsig);
        break;
      case 'transfer':
        settings.from.push(...readPrimaries(option));
        break;
      case 'catalog':
        readMembers(option, settings);
        break;
      case 'fallthrough':
        settings.through = option.args.length === 0 ? ['.'] : option.zones(option.args);
        break;
      default:
        option.unknown(['transfer', 'key', 'catalog', 'fallthrough']);
    }
  }
  if (settings.from.length === 0) directive.fail("'transfer from ADDRESS...' is required");
  return settings;
}

function readPrimaries(option: Option): Endpoint[] {
  option.argCount(2, Infinity, 'transfer from ADDRESS...');
  const [word, ...addresses] = option.args;
  if (word !== 'from') option.fail(`got '${word}', allowed: from`);
  return addresses.map((text) => {
    const { host, port } = option.hostPort(text, { defaultPort: DNS_PORT, ipOnly: true, hostNeeded: true });
    return { address: canonicalIp(host) ?? host, port };
  });
}

/** Names of several lines add up; a line without any allows all. */
function readMembers(option: Option, settings: SecondarySettings): void {
  const names = option.zones(option.args);
  const before = settings.catalog ? (settings.within?.list ?? []) : undefined;
  const all = names.length === 0 || before?.length === 0;
  settings.within = all ? undefined : new Zones([...(before ?? []), ...names]);
  settings.catalog = true;
}
