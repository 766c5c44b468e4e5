import { definePlugin } from '../../chain/index.js';
import { Minimal } from './handler.js';

export const minimal = definePlugin('minimal', (directives) => {
  for (const directive of directives) directive.flag();
  return new Minimal();
});
