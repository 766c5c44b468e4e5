import type { Seconds, Milliseconds } from '../../lib/units.js';
import { Type, labels, type Name } from '../../wire/index.js';
import type { EtcdClient, KeyValue } from './client.js';
import { ofOneGroup, pathOf, readService, type SkyService } from './service.js';

const DEFAULT_TTL: Seconds = 300;
const WILDCARDS = new Set(['*', 'any']);

export interface StoreOptions {
  readonly prefix: string;
  readonly minLeaseTtl: Seconds;
  readonly maxLeaseTtl: Seconds;
}

/** What etcd says of names. */
export class ServiceStore {
  constructor(
    private readonly client: Pick<EtcdClient, 'range' | 'timeToLive'>,
    private readonly options: StoreOptions,
  ) {}

  /**
   * The services of a name that can be told to a question of this type, with all below it unless `exact`; undefined
   * where there is no such key. Rejects with a ServiceError or a MessageError.
   */
  async services(
    name: Name,
    type: number,
    exact: boolean,
    timeout: Milliseconds,
  ): Promise<readonly SkyService[] | undefined> {
    const { prefix } = this.options;
    const parts = labels(name).reverse();
    const wild = parts.findIndex((part) => WILDCARDS.has(part));
    const path = wild < 0 ? pathOf(name, prefix) : pathOf(parts.slice(0, wild).reverse().join('.') + '.', prefix);
    const found = await this.find(path, exact, timeout);
    if (found.length === 0) return undefined;
    const wanted = pathOf(name, prefix).split('/');
    const kept = wild < 0 ? found : found.filter(({ key }) => fits(key.split('/'), wanted));
    const services = await Promise.all(unique(kept).map((each) => this.withTtl(each, timeout)));
    return ofOneGroup(services.filter(({ host, text }) => host !== '' || (type === Type.TXT && text !== '')));
  }

  private async find(path: string, exact: boolean, timeout: Milliseconds): Promise<KeyValue[]> {
    if (exact) return this.client.range(path, false, timeout);
    const below = await this.client.range(`${path}/`, true, timeout);
    return below.length > 0 ? below : this.client.range(path, false, timeout);
  }

  /** The smaller of what the message says and what is left of its lease, within bounds. */
  private async withTtl({ key, value, lease }: KeyValue, timeout: Milliseconds): Promise<SkyService> {
    const service = readService(key, value);
    const { minLeaseTtl, maxLeaseTtl } = this.options;
    const left = lease === undefined ? 0 : await this.client.timeToLive(lease, timeout).catch(() => 0);
    const ofLease = left > 0 ? Math.min(Math.max(left, minLeaseTtl), maxLeaseTtl) : 0;
    const known = [service.ttl, ofLease].filter((ttl) => ttl > 0);
    return { ...service, ttl: known.length === 0 ? DEFAULT_TTL : Math.min(...known) };
  }
}

/** A key may have more parts than the name, and any part where the name has a wildcard. */
const fits = (key: readonly string[], wanted: readonly string[]): boolean =>
  wanted.every((part, i) => i < key.length && (WILDCARDS.has(part) || part === key[i]));

function unique(values: readonly KeyValue[]): KeyValue[] {
  return [...new Map(values.map((each) => [`${each.key}\0${each.value}`, each])).values()];
}
