import { definePlugin, onlyOne } from '../../chain/index.js';
import type { Random } from '../../lib/random.js';
import type { Name } from '../../wire/index.js';
import { Loop } from './handler.js';
import { Probe } from './probe.js';

export const loop = definePlugin('loop', (directives, block) => {
  onlyOne(directives).flag();
  const { clock, network, random } = block.runtime;
  const zone = block.zones[0] ?? '.';
  const handler = new Loop(zone, probeName(random, zone), (reason) => block.fatal(reason));
  const probe = new Probe(handler, { clock, network, random });
  block.onServing(() => {
    const [address] = block.addresses();
    if (address !== undefined) probe.start(address);
  });
  block.onStop(() => probe.stop());
  return handler;
});

/** Two random numbers of up to 63 bits below the zone: a name that nobody asks for by chance. */
function probeName(random: Random, zone: Name): Name {
  const number = (): bigint => (BigInt(random.uint32() >>> 1) << 32n) | BigInt(random.uint32());
  return `${number()}.${number()}.${zone === '.' ? '' : zone}`;
}
