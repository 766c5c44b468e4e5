import {
  Zones,
  definePlugin,
  hasExternalServices,
  type Block,
  type ProvidesExternalServices,
} from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { isName } from '../../wire/index.js';
import { K8sExternal, type ExternalOptions } from './handler.js';

const OPTIONS = ['apex', 'ttl', 'headless', 'fallthrough'];
const DEFAULT_TTL = 5;
const MAX_TTL = 3600;

/** Of several directives in a server block the last one says the zones; options add up, the last of each counts. */
export const k8sExternal = definePlugin('k8s_external', (directives, block) => {
  const options: { -readonly [Key in keyof ExternalOptions]: ExternalOptions[Key] } = {
    zones: new Zones([]),
    apex: 'dns',
    ttl: DEFAULT_TTL,
    headless: false,
    through: new Zones([]),
  };
  for (const directive of directives) {
    options.zones = block.zonesOf(directive.args, directive);
    for (const option of directive.options ?? []) {
      option.noOptions();
      switch (option.name) {
        case 'apex': {
          const apex = option.one('apex APEX').toLowerCase();
          if (!isName(`${apex}.`)) option.wrong(apex, 'a label, such as dns');
          options.apex = apex;
          break;
        }
        case 'ttl':
          options.ttl = option.seconds(option.one('ttl TTL'), { min: 0, max: MAX_TTL });
          break;
        case 'headless':
          option.argCount(0, 0);
          options.headless = true;
          break;
        case 'fallthrough':
          options.through = new Zones(option.args.length === 0 ? ['.'] : option.zones(option.args));
          break;
        default:
          option.unknown(OPTIONS);
      }
    }
  }
  let cluster: ProvidesExternalServices;
  block.onStart(() => void (cluster = clusterOf(block, directives[0])));
  return new K8sExternal(options, () => cluster, block.ask);
});

function clusterOf(block: Block, directive: Directive): ProvidesExternalServices {
  const handler = block.handlers().find((each) => hasExternalServices(each));
  return handler ?? directive.fail('got no kubernetes in this server block, whose services it answers for; add one');
}
