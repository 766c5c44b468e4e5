import { definePlugin, onlyOne } from '../../chain/index.js';
import { Nsid } from './handler.js';

/** Longest identifier, in bytes: with the option's code and length it fills the data of an OPT record. */
const MAX_IDENTIFIER = 0xffff - 4;

export const nsid = definePlugin('nsid', (directives, block) => {
  const directive = onlyOne(directives);
  directive.noOptions();
  const { args } = directive;
  const identifier = Buffer.from(args.length === 0 ? block.runtime.hostname : args.join(' '));
  if (identifier.length > MAX_IDENTIFIER)
    directive.fail(`got an identifier of ${identifier.length} bytes, allowed: at most ${MAX_IDENTIFIER}`);
  return new Nsid(identifier);
});
