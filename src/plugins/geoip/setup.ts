import { definePlugin, type Block } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { GeoDatabase } from './database.js';
import { GeoIp } from './handler.js';

export const geoip = definePlugin('geoip', ([directive, second], block) => {
  second?.fail(`got a second database, allowed: one; the first stands at ${directive.file}:${directive.line}`);
  const path = directive.one('geoip DBFILE');
  let bySubnet = false;
  for (const option of directive.options ?? []) {
    if (option.name !== 'edns-subnet') option.unknown(['edns-subnet']);
    option.flag();
    bySubnet = true;
  }
  return new GeoIp(open(path, directive, block), bySubnet, block.logger('geoip'));
});

function open(path: string, directive: Directive, block: Block): GeoDatabase {
  try {
    return new GeoDatabase(block.runtime.readBytes(path));
  } catch (error) {
    return directive.fail(`cannot use '${path}': ${(error as Error).message}`);
  }
}
