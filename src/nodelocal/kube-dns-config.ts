import { NodensError } from '../lib/errors.js';
import { ipFamily } from '../lib/cidr.js';

/** The parts of the kube-dns ConfigMap that a node cache follows. */
export interface KubeDnsConfig {
  /** Servers by domain. */
  readonly stubDomains: ReadonlyMap<string, readonly string[]>;
  /** Servers for everything outside the cluster; empty for the node's own. */
  readonly upstreamNameservers: readonly string[];
}

export const NO_KUBE_DNS_CONFIG: KubeDnsConfig = { stubDomains: new Map(), upstreamNameservers: [] };

/** A file of the ConfigMap that cannot be used: its name, what stands there, what is allowed. */
export class KubeDnsConfigError extends NodensError {
  override readonly name = 'KubeDnsConfigError';

  constructor(message: string) {
    super('NODENS_KUBE_DNS_CONFIG', message);
  }
}

const MAX_UPSTREAMS = 3;
/** Names as Kubernetes takes them for objects: RFC 1123 labels joined by dots. */
const SUBDOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/**
 * Reads the files of a mounted kube-dns ConfigMap, by name: `stubDomains`, a JSON object of domains with lists of
 * servers, and `upstreamNameservers`, a JSON
 * list of at most three. Servers are addresses, with a port where that is not 53. Files with other names are left
 * alone. Throws a KubeDnsConfigError.
 */
export function parseKubeDnsConfig(files: ReadonlyMap<string, string>): KubeDnsConfig {
  return {
    stubDomains: stubDomains(files.get('stubDomains')),
    upstreamNameservers: upstreamNameservers(files.get('upstreamNameservers')),
  };
}

function stubDomains(text: string | undefined): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  if (text === undefined) return found;
  const value = json('stubDomains', text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('stubDomains', value, 'an object of domains with lists of servers');
  for (const [domain, servers] of Object.entries(value)) {
    if (domain.length > 253 || !SUBDOMAIN.test(domain))
      throw wrong('stubDomains', domain, 'a domain in lower case without final dot');
    const list = serverList(`stubDomains: ${domain}`, servers);
    if (list.length === 0) throw wrong(`stubDomains: ${domain}`, servers, 'at least one server');
    found.set(domain, list);
  }
  return found;
}

function upstreamNameservers(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const list = serverList('upstreamNameservers', json('upstreamNameservers', text));
  if (list.length > MAX_UPSTREAMS)
    throw new KubeDnsConfigError(`upstreamNameservers: got ${list.length} servers, allowed: at most ${MAX_UPSTREAMS}`);
  return list;
}

function json(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KubeDnsConfigError(`${file}: no JSON: ${(error as Error).message}`);
  }
}

function serverList(where: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw wrong(where, value, 'a list of servers');
  return value.map((server: unknown) => {
    if (typeof server !== 'string' || !isServer(server))
      throw wrong(where, server, 'an address, IP:PORT or [IPV6]:PORT');
    return server;
  });
}

function isServer(text: string): boolean {
  if (ipFamily(text) !== 0) return true;
  const [, six, four, port] = /^(?:\[(.*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  return (
    port !== undefined &&
    Number(port) >= 1 &&
    Number(port) <= 65_535 &&
    (six === undefined ? ipFamily(four!) === 4 : ipFamily(six) === 6)
  );
}

const wrong = (where: string, got: unknown, allowed: string): KubeDnsConfigError =>
  new KubeDnsConfigError(`${where}: got ${JSON.stringify(got)}, allowed: ${allowed}`);
