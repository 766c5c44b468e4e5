import { definePlugin, onlyOne, type Runtime } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { repeat } from '../../lib/clock.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import type { JsonEndpoint } from '../../net/json-client.js';
import { NomadClient } from './client.js';
import { Nomad } from './handler.js';
import { NomadMetrics } from './metrics.js';

const OPTIONS = ['address', 'filter', 'token', 'ttl'];
const DEFAULT_ZONE = 'service.nomad';
const DEFAULT_ADDRESS = 'http://127.0.0.1:4646';
const MAX_TTL: Seconds = 3600;
/** How often an agent that has not answered yet is asked whether it is there. */
const LOOK: Milliseconds = 1000;

interface NomadSettings {
  addresses: URL[];
  filter: string | undefined;
  token: string | undefined;
  ttl: Seconds;
}

export const nomad = definePlugin('nomad', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 1, 'nomad [ZONE]');
  const { runtime } = block;
  const { env } = runtime;
  const [zone] = directive.zones([directive.args[0] ?? DEFAULT_ZONE]);
  const draft: NomadSettings = { addresses: [], filter: undefined, token: env['NOMAD_TOKEN'], ttl: 30 };
  for (const option of directive.options ?? []) readOption(option, draft);
  if (draft.addresses.length === 0) draft.addresses.push(readAddress(env['NOMAD_ADDR'] ?? DEFAULT_ADDRESS, directive));
  const tls = readTls(directive, runtime);
  const client = new NomadClient(
    draft.addresses.map((url) => ({ url, tls })),
    { token: draft.token, httpAuth: env['NOMAD_HTTP_AUTH'], region: env['NOMAD_REGION'], filter: draft.filter },
  );
  const handler = new Nomad(zone!, draft.ttl, client, new NomadMetrics(runtime.metrics), runtime.clock);
  block.onServing(() => {
    const looking = repeat(runtime.clock, LOOK, () => void handler.look().then((there) => there && looking.cancel()));
    void handler.look().then((there) => there && looking.cancel());
    block.onStop(() => looking.cancel());
  });
  block.onStop(() => client.close());
  return handler;
});

function readOption(option: Option, draft: NomadSettings): void {
  option.noOptions();
  switch (option.name.toLowerCase()) {
    case 'address':
      option.argCount(1, Infinity, 'address URL...');
      draft.addresses.push(...option.args.map((text) => readAddress(text, option)));
      break;
    case 'filter':
      draft.filter = option.one('filter FILTER');
      break;
    case 'token':
      draft.token = option.one('token TOKEN');
      break;
    case 'ttl':
      draft.ttl = option.seconds(option.one('ttl SECONDS'), { min: 0, max: MAX_TTL });
      break;
    default:
      option.unknown(OPTIONS);
  }
}

function readAddress(text: string, entry: Directive | Option): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const usable = url?.protocol === 'unix:' ? url.pathname.length > 1 : url !== undefined && url.hostname !== '';
  if (url === undefined || !usable || !['http:', 'https:', 'unix:'].includes(url.protocol))
    return entry.wrong(text, 'a URL such as http://127.0.0.1:4646 or unix:///secrets/api.sock', 'address');
  return url;
}

/** As Nomad's own programs have it from the environment. */
function readTls(directive: Directive, runtime: Runtime): JsonEndpoint['tls'] {
  const file = (name: string): string | undefined => {
    const path = runtime.env[name];
    if (path === undefined || path === '') return undefined;
    try {
      return runtime.readFile(path);
    } catch (error) {
      return directive.fail(`cannot read '${path}' of ${name}: ${(error as Error).message}`);
    }
  };
  return { ca: file('NOMAD_CACERT'), cert: file('NOMAD_CLIENT_CERT'), key: file('NOMAD_CLIENT_KEY') };
}
