import { definePlugin, onlyOne } from '../../chain/index.js';

const MAX_SOCKETS = 1024;

/** Says nothing that the listeners do not do anyway: the number is checked, and that is all. */
export const multisocket = definePlugin('multisocket', (directives) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 1, 'multisocket [NUM_SOCKETS]');
  directive.noOptions();
  const [count] = directive.args;
  if (count !== undefined) directive.integer(count, { min: 1, max: MAX_SOCKETS, what: 'NUM_SOCKETS' });
  return undefined;
});
