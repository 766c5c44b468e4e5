import { definePlugin } from '../../chain/index.js';
import { BufSize } from './handler.js';

/** What most networks carry in one piece (DNS flag day 2020), in bytes. */
const DEFAULT_SIZE = 1232;

/** Of several directives in a server block the first counts, as with CoreDNS. */
export const bufsize = definePlugin('bufsize', ([directive]) => {
  directive.argCount(0, 1, 'bufsize [SIZE]');
  directive.noOptions();
  const [size] = directive.args;
  return new BufSize(size === undefined ? DEFAULT_SIZE : directive.integer(size, { min: 512, max: 4096 }));
});
