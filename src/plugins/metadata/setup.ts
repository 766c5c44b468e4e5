import { definePlugin, onlyOne } from '../../chain/index.js';
import { MetadataCollector } from './handler.js';

export const metadata = definePlugin('metadata', (directives, block) => {
  const directive = onlyOne(directives);
  directive.noOptions();
  block.settings.metadata = block.zonesOf(directive.args, directive);
  return new MetadataCollector();
});
