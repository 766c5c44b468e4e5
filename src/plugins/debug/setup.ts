import { definePlugin } from '../../chain/index.js';

export const debug = definePlugin('debug', (directives, block) => {
  for (const directive of directives) directive.flag();
  block.settings.debug = true;
  return undefined;
});
