import path from 'node:path';
import { Authority, ServedZone, ZoneFile } from '../../authority/index.js';
import { Zones, definePlugin, notifyServers, type Block } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { formatDuration } from '../../lib/duration.js';
import type { Milliseconds } from '../../lib/units.js';
import { MasterFileError } from '../../zone/index.js';

const DEFAULT_RELOAD: Milliseconds = 60_000;

interface FileSettings {
  reload: Milliseconds;
  byTime: boolean;
  through: readonly string[] | undefined;
}

export const file = definePlugin('file', (directives, block) => {
  const read = directives.map((directive) => ({ directive, settings: readOptions(directive) }));
  // As in CoreDNS, the last `fallthrough` of a server block is that of all its zones.
  const through = read.findLast(({ settings }) => settings.through !== undefined)?.settings.through ?? [];
  const handler = new Authority('file', block.ask, { through: new Zones(through) });
  const files = read.flatMap(({ directive, settings }) => zoneFiles(directive, settings, block));
  for (const { zoneFile } of files) handler.add(zoneFile.zone);
  block.onStart(async () => {
    handler.linked(block.handlers());
    for (const one of files) await start(one, block);
  });
  block.onServing(() => {
    for (const { zoneFile } of files) if (zoneFile.zone.zone !== undefined) notifyServers(block, zoneFile.zone.origin);
  });
  block.onStop(() => files.forEach(({ zoneFile }) => zoneFile.stop()));
  return handler;
});

function readOptions(directive: Directive): FileSettings {
  directive.argCount(1, Infinity, 'file DBFILE [ZONES...]');
  const settings: FileSettings = { reload: DEFAULT_RELOAD, byTime: false, through: undefined };
  for (const option of directive.options ?? []) {
    option.noOptions();
    switch (option.name) {
      case 'reload':
        settings.reload = option.duration(option.one('reload DURATION'), { min: 0 });
        break;
      case 'reload_by_mtime':
        option.flag();
        settings.byTime = true;
        break;
      case 'fallthrough':
        settings.through = option.args.length === 0 ? ['.'] : option.zones(option.args);
        break;
      case 'upstream':
        // Without a meaning for years, and still taken.
        break;
      default:
        option.unknown(['reload', 'reload_by_mtime', 'fallthrough']);
    }
  }
  return settings;
}

interface ServedFile {
  readonly directive: Directive;
  readonly zoneFile: ZoneFile;
}

/** The zones of one directive, read from the same file with different origins. */
function zoneFiles(directive: Directive, { reload, byTime }: FileSettings, block: Block): ServedFile[] {
  const [name = '', ...names] = directive.args;
  const file = path.join(path.isAbsolute(name) ? '' : (block.settings.root ?? ''), name);
  const log = block.logger('file');
  return block.zonesOf(names, directive).list.map((origin) => ({
    directive,
    zoneFile: new ZoneFile(new ServedZone(origin), { path: file, reload, byTime }, block.runtime, log, (changed) =>
      notifyServers(block, changed),
    ),
  }));
}

/** Reads the file; one that is missing may come later, a faulty one is refused. */
async function start({ directive, zoneFile }: ServedFile, block: Block): Promise<void> {
  try {
    await zoneFile.load();
  } catch (error) {
    const { path: file, reload } = zoneFile.options;
    const { message } = error as Error;
    if (error instanceof MasterFileError || reload === 0) directive.fail(message);
    block.logger('file').warning(`Failed to open "${file}": ${message}; trying again in ${formatDuration(reload)}`);
  }
  zoneFile.start();
}
