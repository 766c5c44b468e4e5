import { definePlugin, onlyOne } from '../../chain/index.js';

export const root = definePlugin('root', (directives, block) => {
  const directive = onlyOne(directives);
  directive.noOptions();
  const path = directive.one('root PATH');
  try {
    if (block.runtime.fileInfo(path) === undefined) block.logger('root').warning(`Root path does not exist: ${path}`);
  } catch (error) {
    directive.fail(`unable to access root path '${path}': ${(error as Error).message}`);
  }
  block.settings.root = path;
  return undefined;
});
