import { definePlugin } from '../../chain/index.js';
import { Whoami } from './handler.js';

export const whoami = definePlugin('whoami', (directives) => {
  for (const directive of directives) directive.flag();
  return new Whoami();
});
