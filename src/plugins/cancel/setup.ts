import { definePlugin } from '../../chain/index.js';
import { Cancel } from './handler.js';

/** Clients give up after five seconds. */
const DEFAULT_TIMEOUT = 5001;

/** Of several directives in a server block the last one counts. */
export const cancel = definePlugin('cancel', (directives) => {
  let timeout = DEFAULT_TIMEOUT;
  for (const directive of directives) {
    directive.argCount(0, 1, 'cancel [TIMEOUT]');
    directive.noOptions();
    const [text] = directive.args;
    timeout = text === undefined ? DEFAULT_TIMEOUT : directive.duration(text, { min: 1 });
  }
  return new Cancel(timeout);
});
