import { definePlugin } from '../../chain/index.js';
import { Rewrite } from './handler.js';
import { readStep } from './parse.js';

export const rewrite = definePlugin('rewrite', (directives, block) => {
  const around = { ask: (query: Parameters<typeof block.ask>[0]) => block.ask(query), log: block.logger('rewrite') };
  return new Rewrite(directives.map((directive) => readStep(directive, around)));
});
