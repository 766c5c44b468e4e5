import { parseIp, type IpBytes } from '../../lib/cidr.js';
import { NodensError } from '../../lib/errors.js';
import type { Seconds } from '../../lib/units.js';
import { fqdn, labels, nextLabel, type Name } from '../../wire/index.js';

/** A value in etcd that is no SkyDNS message. */
export class MessageError extends NodensError {
  override readonly name = 'MessageError';

  constructor(key: string, problem: string) {
    super('NODENS_SKYDNS', `${key}: ${problem}`);
  }
}

/** A SkyDNS message: one record, or a part of several. */
export interface SkyService {
  /** The key it stands at. */
  readonly key: string;
  /** An address or a name; empty for a mere text. */
  readonly host: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
  readonly text: string;
  readonly mail: boolean;
  readonly ttl: Seconds;
  /** Labels to leave out at the left of the name that an address gets. */
  readonly targetStrip: number;
  readonly group: string;
}

export const DEFAULT_PRIORITY = 10;

const FIELDS: Readonly<
  Record<string, { readonly as: keyof SkyService; readonly type: 'string' | 'number' | 'boolean' }>
> = {
  host: { as: 'host', type: 'string' },
  port: { as: 'port', type: 'number' },
  priority: { as: 'priority', type: 'number' },
  weight: { as: 'weight', type: 'number' },
  text: { as: 'text', type: 'string' },
  mail: { as: 'mail', type: 'boolean' },
  ttl: { as: 'ttl', type: 'number' },
  targetstrip: { as: 'targetStrip', type: 'number' },
  group: { as: 'group', type: 'string' },
};

/** Reads a message; its TTL is 0 where none is given. Throws a MessageError. */
export function readService(key: string, json: string): SkyService {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw new MessageError(key, (error as Error).message);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new MessageError(key, 'a message has to be a JSON object');
  const service: Record<string, unknown> = {
    key,
    host: '',
    port: 0,
    priority: 0,
    weight: 0,
    text: '',
    mail: false,
    ttl: 0,
    targetStrip: 0,
    group: '',
  };
  for (const [name, value] of Object.entries(parsed)) {
    const field = FIELDS[name.toLowerCase()];
    if (field === undefined || value === null) continue;
    const whole = typeof value === 'number' && Number.isInteger(value) && (value >= 0 || field.as === 'port');
    if (field.type === 'number' ? !whole : typeof value !== field.type)
      throw new MessageError(key, `${name}: got ${JSON.stringify(value)}, allowed: a ${field.type}`);
    service[field.as] = value;
  }
  if (service['priority'] === 0) service['priority'] = DEFAULT_PRIORITY;
  return service as unknown as SkyService;
}

/** Only those that belong together: the group of the shortest key decides, unless keys of that length disagree. */
export function ofOneGroup(services: readonly SkyService[]): readonly SkyService[] {
  const depth = ({ key }: SkyService): number => key.split('/').length;
  const least = Math.min(...services.map(depth));
  const shortest = services.filter((service) => depth(service) === least);
  const [group = ''] = shortest.map((service) => service.group);
  if (group === '' || shortest.some((service) => service.group !== '' && service.group !== group)) return services;
  return services.filter((service) => service.group === '' || service.group === group);
}

/** The address that a host is; undefined for a name. */
export const addressOf = ({ host }: SkyService): IpBytes | undefined => parseIp(host);

/** `/skydns/local/skydns/staging` for `staging.skydns.local.` below `skydns`. */
export const pathOf = (name: Name, prefix: string): string =>
  ['', ...prefixParts(prefix), ...labels(name).reverse()].join('/');

const prefixParts = (prefix: string): string[] => prefix.split('/').filter((part) => part !== '');

/** The name that a key stands for, below any prefix of one part. */
export const nameOf = (key: string, prefix: string): Name =>
  fqdn(
    key
      .split('/')
      .filter((part) => part !== '')
      .slice(prefixParts(prefix).length)
      .reverse()
      .join('.'),
  );

/** What an SRV, MX or NS record of the service leads to: its host, or the name that its address is given. */
export function targetOf(service: SkyService, prefix: string): Name {
  const name = addressOf(service) === undefined ? fqdn(service.host) : nameOf(service.key, prefix);
  let stripped = name;
  for (let i = 0; i < service.targetStrip; i++) {
    const next = nextLabel(stripped, 0);
    if (next < 0) return name;
    stripped = stripped.slice(next);
  }
  return stripped === '' ? name : stripped;
}
