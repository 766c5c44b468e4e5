import { definePlugin, onlyOne } from '../../chain/index.js';
import { showDrops } from './metrics.js';

/** Adds its metric; what it stands for is what the listeners do anyway. */
export const shed = definePlugin('shed', (directives, block) => {
  onlyOne(directives).flag();
  const end = showDrops(block.runtime, () => block.addresses());
  block.onStop(end);
  return undefined;
});
