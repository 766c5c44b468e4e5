import { definePlugin } from '../../chain/index.js';
import type { Option } from '../../corefile/index.js';
import { Erratic, type Faults } from './handler.js';

const OPTIONS = ['drop', 'truncate', 'delay', 'large'];
const MAX_AMOUNT = 2 ** 31 - 1;
const DEFAULT_AMOUNT = 2;
const DEFAULT_DURATION = 100;

/** Drops every second query when nothing is said of drops, delays or truncation. */
export const erratic = definePlugin('erratic', (directives, block) => {
  const faults: { -readonly [Key in keyof Faults]: Faults[Key] } = {
    drop: DEFAULT_AMOUNT,
    delay: 0,
    duration: DEFAULT_DURATION,
    truncate: 0,
    large: false,
  };
  let dropSaid = false;
  for (const directive of directives) {
    directive.argCount(0, 0, 'erratic { drop [AMOUNT] ... }');
    for (const option of directive.options ?? []) {
      option.noOptions();
      switch (option.name) {
        case 'drop':
          faults.drop = amount(option, 1);
          dropSaid ||= option.args.length > 0;
          break;
        case 'truncate':
          faults.truncate = amount(option, 1);
          break;
        case 'delay':
          faults.delay = amount(option, 2);
          faults.duration =
            option.args[1] === undefined ? DEFAULT_DURATION : option.duration(option.args[1], { min: 0 });
          break;
        case 'large':
          option.argCount(0, 0);
          faults.large = true;
          break;
        default:
          option.unknown(OPTIONS);
      }
    }
  }
  if ((faults.delay > 0 || faults.truncate > 0) && !dropSaid) faults.drop = 0;
  return new Erratic(faults, block.runtime.clock);
});

function amount(option: Option, most: number): number {
  option.argCount(0, most, `${option.name} [AMOUNT${most > 1 ? ' [DURATION]' : ''}]`);
  const [text] = option.args;
  return text === undefined ? DEFAULT_AMOUNT : option.integer(text, { min: 0, max: MAX_AMOUNT, what: 'AMOUNT' });
}
