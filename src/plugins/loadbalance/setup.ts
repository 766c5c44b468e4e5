import { definePlugin, type Block } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { parseCidr, type Cidr } from '../../lib/cidr.js';
import type { Milliseconds } from '../../lib/units.js';
import { LoadBalance } from './handler.js';
import { Preferred, RoundRobin, Weighted, type RotationPolicy } from './policy.js';
import { WeightFile } from './weight-file.js';

const DEFAULT_RELOAD: Milliseconds = 30_000;
const USAGE = 'loadbalance [round_robin | weighted FILE]';

/** Of several directives in a server block the last policy counts; networks add up. */
export const loadbalance = definePlugin('loadbalance', (directives, block) => {
  let policy: RotationPolicy | undefined;
  const networks: Cidr[] = [];
  for (const directive of directives) {
    directive.argCount(0, 2, USAGE);
    const name = directive.oneOf(directive.args[0] ?? 'round_robin', ['round_robin', 'weighted']);
    const file = directive.args[1];
    if (name === 'round_robin' && file !== undefined) directive.wrong(file, 'nothing after round_robin');
    if (name === 'weighted' && file === undefined) directive.fail('weighted: got no file, allowed: weighted FILE');
    const options = readOptions(directive, name);
    networks.push(...options.networks);
    policy = file === undefined ? new RoundRobin(block.runtime.random) : weighted(file, options.reload, block);
  }
  return new LoadBalance(networks.length === 0 ? [policy!] : [policy!, new Preferred(networks)]);
});

function weighted(path: string, reload: Milliseconds, block: Block): RotationPolicy {
  const file = new WeightFile(path, reload, block.runtime, block.logger('loadbalance'));
  block.onStart(() => file.start());
  block.onStop(() => file.stop());
  return new Weighted(file, block.runtime.random);
}

function readOptions(directive: Directive, policy: string): { reload: Milliseconds; networks: Cidr[] } {
  const allowed = policy === 'weighted' ? ['reload', 'prefer'] : ['prefer'];
  let reload = DEFAULT_RELOAD;
  const networks: Cidr[] = [];
  for (const option of directive.options ?? []) {
    if (!allowed.includes(option.name)) option.unknown(allowed);
    option.noOptions();
    if (option.name === 'reload') reload = option.duration(option.one('reload DURATION'), { min: 0 });
    else {
      option.argCount(1, Infinity, 'prefer CIDR...');
      networks.push(
        ...option.args.map(
          (text) =>
            (text.includes('/') ? parseCidr(text) : undefined) ??
            option.wrong(text, 'an address block such as 10.0.0.0/8 or 2001:db8::/32'),
        ),
      );
    }
  }
  return { reload, networks };
}
