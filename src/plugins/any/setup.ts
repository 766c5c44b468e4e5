import { definePlugin } from '../../chain/index.js';
import { Any } from './handler.js';

export const any = definePlugin('any', (directives) => {
  for (const directive of directives) directive.flag();
  return new Any();
});
