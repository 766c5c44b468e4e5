import { Zones, definePlugin, onlyOne, type Block } from '../../chain/index.js';
import type { Option } from '../../corefile/index.js';
import type { JsonEndpoint } from '../../net/json-client.js';
import type { Seconds } from '../../lib/units.js';
import { EtcdClient, type Credentials } from './client.js';
import { Etcd } from './handler.js';
import { ServiceStore } from './store.js';

const OPTIONS = ['fallthrough', 'path', 'endpoint', 'credentials', 'tls', 'min-lease-ttl', 'max-lease-ttl'];
/** Without effect, as with CoreDNS. */
const IGNORED = ['stubzones', 'debug', 'upstream'];
const DEFAULT_ENDPOINT = 'http://localhost:2379';
const MAX_TTL: Seconds = 2 ** 32 - 1;

interface EtcdOptions {
  prefix: string;
  endpoints: URL[];
  credentials: Credentials | undefined;
  tls: JsonEndpoint['tls'];
  through: Zones;
  minLeaseTtl: Seconds;
  maxLeaseTtl: Seconds;
}

export const etcd = definePlugin('etcd', (directives, block) => {
  const directive = onlyOne(directives);
  const options: EtcdOptions = {
    prefix: 'skydns',
    endpoints: [new URL(DEFAULT_ENDPOINT)],
    credentials: undefined,
    tls: undefined,
    through: new Zones([]),
    minLeaseTtl: 30,
    maxLeaseTtl: 86_400,
  };
  for (const option of directive.options ?? []) {
    option.noOptions();
    if (!IGNORED.includes(option.name)) readOption(option, options, block);
  }
  const client = new EtcdClient(
    options.endpoints.map((url) => ({ url, tls: options.tls })),
    options.credentials,
  );
  block.onStop(() => client.close());
  const zones = block.zonesOf(directive.args, directive);
  const store = new ServiceStore(client, options);
  return new Etcd(zones, options.through, store, options.prefix, block.runtime.clock, block.ask);
});

function readOption(option: Option, options: EtcdOptions, block: Block): void {
  switch (option.name) {
    case 'fallthrough':
      options.through = new Zones(option.args.length === 0 ? ['.'] : option.zones(option.args));
      break;
    case 'path':
      options.prefix = option.one('path PATH');
      break;
    case 'endpoint':
      option.argCount(1, Infinity, 'endpoint ENDPOINT...');
      options.endpoints = option.args.map((text) => readEndpoint(text, option));
      break;
    case 'credentials': {
      option.argCount(2, 2, 'credentials USERNAME PASSWORD');
      const [name, password] = option.args as [string, string];
      options.credentials = { name, password };
      break;
    }
    case 'tls':
      options.tls = readTls(option, block);
      break;
    case 'min-lease-ttl':
      options.minLeaseTtl = readTtl(option);
      break;
    case 'max-lease-ttl':
      options.maxLeaseTtl = readTtl(option);
      break;
    default:
      option.unknown(OPTIONS);
  }
}

function readEndpoint(text: string, option: Option): URL {
  const full = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '')
    return option.wrong(text, 'a URL such as http://localhost:2379 or https://10.0.0.5:2379');
  return url;
}

/** One file is that of the authorities, two are certificate and key, three are all. */
function readTls(option: Option, block: Block): JsonEndpoint['tls'] {
  option.argCount(0, 3, 'tls [[CERT KEY] [CACERT]]');
  const files = option.args.map((path) => {
    try {
      return block.runtime.readFile(path);
    } catch (error) {
      return option.fail(`cannot read '${path}': ${(error as Error).message}`);
    }
  });
  if (files.length === 1) return { ca: files[0] };
  const [cert, key, ca] = files;
  return { cert, key, ca };
}

/** A number without a unit is in seconds. */
function readTtl(option: Option): Seconds {
  const text = option.one(`${option.name} DURATION`);
  const duration = option.duration(/^\d+$/.test(text) ? `${text}s` : text, { min: 0, max: MAX_TTL * 1000 });
  return Math.floor(duration / 1000);
}
