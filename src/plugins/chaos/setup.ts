import { definePlugin } from '../../chain/index.js';
import { Chaos } from './handler.js';

/** Of several directives in a server block the first counts, as with CoreDNS. */
export const chaos = definePlugin('chaos', ([directive, ...more], block) => {
  for (const each of [directive, ...more]) each.noOptions();
  const [version, ...authors] = directive.args;
  const { runtime } = block;
  return new Chaos(
    {
      version: version ?? `nodens-${runtime.version}`,
      authors: [...new Set(authors)],
      hostname: runtime.hostname,
    },
    runtime.random,
  );
});
