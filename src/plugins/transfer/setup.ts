import { definePlugin, transfersZones, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { canonicalIp } from '../../lib/cidr.js';
import type { Endpoint } from '../../net/network.js';
import { namedKey, type TsigKey } from '../../tsig/index.js';
import { ZoneTransfers, type TransferRule } from './handler.js';
import { Notifier } from './notifier.js';

const DNS_PORT = 53;

export const transfer = definePlugin('transfer', (directives, block) => {
  const handler = new ZoneTransfers(
    directives.map((directive) => readRule(directive, block)),
    block.logger('transfer'),
  );
  block.onStart(() => {
    handler.sources = block.handlers().filter((other) => transfersZones(other));
  });
  return handler;
});

function readRule(directive: Directive, block: Block): TransferRule {
  const servers: Endpoint[] = [];
  let everybody = false;
  let source: string | undefined;
  let key: TsigKey | undefined;
  for (const option of directive.options ?? []) {
    option.noOptions();
    switch (option.name) {
      case 'to':
        option.argCount(1, Infinity, 'to ADDRESS...');
        for (const address of option.args) {
          if (address === '*') everybody = true;
          else servers.push(readServer(option, address));
        }
        break;
      case 'source':
        if (source !== undefined) option.fail('got it a second time, allowed: once');
        source = option.ip(option.one('source ADDRESS'));
        break;
      case 'notify_key':
        key = namedKey(option, block.settings.tsig);
        break;
      default:
        option.unknown(['to', 'source', 'notify_key']);
    }
  }
  if (servers.length === 0 && !everybody) directive.fail("'to' is required");
  const notifier = new Notifier(servers, { source, key }, block.runtime, block.logger('transfer'));
  block.onStop(() => notifier.stop());
  return {
    zones: block.zonesOf(directive.args, directive),
    clients: everybody ? undefined : new Set(servers.map(({ address }) => address)),
    notify: (zone) => notifier.notify(zone),
  };
}

function readServer(option: Option, text: string): Endpoint {
  const { host, port } = option.hostPort(text, { defaultPort: DNS_PORT, ipOnly: true, hostNeeded: true });
  return { address: canonicalIp(host) ?? host, port };
}
