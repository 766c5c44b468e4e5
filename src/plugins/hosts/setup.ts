import { Zones, definePlugin, onlyOne, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import { Hosts } from './handler.js';
import { hostAddress } from './host-map.js';
import { HostsFile } from './hosts-file.js';
import { hostsMetrics } from './metrics.js';

const DEFAULT_FILE = '/etc/hosts';
const DEFAULT_TTL: Seconds = 3600;
const MAX_TTL: Seconds = 65_535;
const DEFAULT_RELOAD: Milliseconds = 5000;
const OPTIONS = ['ttl', 'no_reverse', 'reload', 'fallthrough', 'fallthrough_unsupported'];

interface Settings {
  inline: string[];
  ttl: Seconds;
  reverse: boolean;
  reload: Milliseconds;
  through: Zones;
  /** Where `fallthrough_unsupported` stands. */
  otherTypes: Option | undefined;
}

export const hosts = definePlugin('hosts', (directives, block) => {
  const directive = onlyOne(directives);
  const [path = DEFAULT_FILE, ...names] = directive.args;
  const log = block.logger('hosts');
  if (directive.args.length > 0 && !exists(path, directive, block)) log.warning(`File does not exist: ${path}`);
  const zones = block.zonesOf(names, directive);
  const settings = readOptions(directive);
  const accepts = (name: string): boolean => zones.contains(name);
  const file = new HostsFile({ path, accepts, ...settings }, block.runtime, log, hostsMetrics(block.runtime.metrics));
  block.onStart(() => file.start());
  block.onStop(() => file.stop());
  return new Hosts(file, zones, settings.through, settings.otherTypes !== undefined);
});

function exists(path: string, directive: Directive, block: Block): boolean {
  try {
    return block.runtime.fileInfo(path) !== undefined;
  } catch (error) {
    return directive.fail(`unable to access hosts file '${path}': ${(error as Error).message}`);
  }
}

function readOptions(directive: Directive): Settings {
  const settings: Settings = {
    inline: [],
    ttl: DEFAULT_TTL,
    reverse: true,
    reload: DEFAULT_RELOAD,
    through: new Zones([]),
    otherTypes: undefined,
  };
  for (const option of directive.options ?? []) {
    option.noOptions();
    switch (option.name) {
      case 'ttl':
        settings.ttl = option.seconds(option.one('ttl SECONDS'), { min: 1, max: MAX_TTL });
        break;
      case 'no_reverse':
        option.flag();
        settings.reverse = false;
        break;
      case 'reload':
        settings.reload = option.duration(option.one('reload DURATION'), { min: 0 });
        break;
      case 'fallthrough':
        settings.through = new Zones(option.args.length === 0 ? ['.'] : option.zones(option.args));
        break;
      case 'fallthrough_unsupported':
        option.flag();
        settings.otherTypes = option;
        break;
      default:
        settings.inline.push(inlineEntry(option));
    }
  }
  if (settings.through.list.length === 0)
    settings.otherTypes?.fail('got no fallthrough in this hosts, which it extends');
  return settings;
}

/** A line of a hosts file within the Corefile. */
function inlineEntry(option: Option): string {
  if (hostAddress(option.name) === undefined) option.unknown([...OPTIONS, 'ADDRESS NAME...']);
  option.argCount(1, Infinity, `${option.name} NAME...`);
  return [option.name, ...option.args].join(' ');
}
