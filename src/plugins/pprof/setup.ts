import { definePlugin, httpAddress, onlyOne, type Block } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { LoopDelay } from './figures.js';
import { ROOT, pages } from './pages.js';

const DEFAULT_ADDRESS = 'localhost:6053';
const MAX_RATE = 2 ** 31 - 1;
/** Time between two looks at the event loop, in milliseconds. */
const DEFAULT_RATE = 10;

export const pprof = definePlugin('pprof', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 1, 'pprof [ADDRESS]');
  const [address = DEFAULT_ADDRESS] = directive.args;
  const at = httpAddress(directive, address);
  const delay = loopDelay(directive, block);
  for (const [path, answer] of pages(block.runtime.clock, delay))
    block.serveHttp({ ...at, path: ROOT + path, owner: 'pprof', answer });
  return undefined;
});

function loopDelay(directive: Directive, block: Block): LoopDelay | undefined {
  let rate: number | undefined;
  for (const option of directive.options ?? []) {
    if (option.name !== 'block') option.unknown(['block']);
    option.noOptions();
    option.argCount(0, 1, 'block [RATE]');
    rate =
      option.args[0] === undefined
        ? DEFAULT_RATE
        : option.integer(option.args[0], { min: 1, max: MAX_RATE, what: 'RATE' });
  }
  if (rate === undefined) return undefined;
  const delay = new LoopDelay(rate);
  block.onStop(() => delay.stop());
  return delay;
}
