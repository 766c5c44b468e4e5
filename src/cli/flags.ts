import type { FlagSpec } from '../lib/go-flags.js';
import { SERVING_FLAGS } from '../server/flags.js';

/** The server's flags. */
export const FLAGS: readonly FlagSpec[] = [
  { name: 'conf', type: 'string', help: 'Corefile to load, or stdin', default: 'Corefile' },
  {
    name: 'plugin',
    type: 'string',
    many: true,
    help: "Plugin to load, as after 'plugin' in a Corefile; may be given several times",
  },
  ...SERVING_FLAGS,
];
