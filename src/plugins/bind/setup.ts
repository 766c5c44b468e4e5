import { definePlugin, listenAddresses } from '../../chain/index.js';

export const bind = definePlugin('bind', (directives, block) => {
  const interfaces = block.runtime.network.interfaces();
  // What `except` takes away counts for its own line only; an address that several lines name is served once.
  const addresses = new Set(directives.flatMap((directive) => listenAddresses(directive, interfaces)));
  block.settings.listen = [...addresses];
  return undefined;
});
