import type { Directive } from '../../corefile/index.js';
import { hostPort, parseIp } from '../../lib/cidr.js';
import type { Endpoint } from '../../net/network.js';
import { fqdn, isName } from '../../wire/index.js';

/** Most upstreams of one directive. */
const MAX_UPSTREAMS = 15;
const PORT = 53;
const TLS_PORT = 853;
const HTTPS_PORT = 443;

/** An upstream as written. */
export interface UpstreamTarget {
  readonly to: Endpoint;
  /** `10.0.2.3:53`: the `to` label of metrics. */
  readonly label: string;
  readonly tls: boolean;
  /** Over HTTPS, which is over TLS too. */
  readonly https: boolean;
  /** The TLS server name from `tls://ADDRESS%NAME` or `https://ADDRESS%NAME`. */
  readonly serverName: string | undefined;
}

/** An upstream whose address is still to be looked up. */
export interface HostTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly https: boolean;
  readonly serverName: string | undefined;
}

const FORMS =
  'IP, IP:PORT, [IPV6]:PORT, HOST, HOST:PORT, each also behind dns://, tls:// or https://, ' +
  'tls://IP%SERVERNAME[:PORT] and the same with https://, or a file like /etc/resolv.conf';

/**
 * Reads the upstreams of a directive: addresses, names of hosts, or files in the format of resolv.conf(5) whose
 * `nameserver` lines name them.
 *
 * @throws CorefileError at the directive
 */
export function parseTargets(
  directive: Directive,
  texts: readonly string[],
  readFile: (path: string) => string,
): (UpstreamTarget | HostTarget)[] {
  const targets = texts.flatMap((text) => parseTarget(directive, text, readFile));
  if (targets.length === 0)
    directive.fail(`upstream: got no nameserver line in ${texts.join(', ')}, allowed: at least one`);
  if (targets.length > MAX_UPSTREAMS)
    directive.fail(`got ${targets.length} upstreams, allowed: at most ${MAX_UPSTREAMS}`);
  return targets;
}

/** The upstreams that are the addresses of a host. */
export const targetsAt = (host: HostTarget, addresses: readonly string[]): UpstreamTarget[] =>
  addresses.map((address) => ({
    to: { address, port: host.port },
    label: hostPort(address, host.port),
    tls: host.tls,
    https: host.https,
    serverName: host.serverName,
  }));

function parseTarget(
  directive: Directive,
  text: string,
  readFile: (path: string) => string,
): (UpstreamTarget | HostTarget)[] {
  const scheme = /^([a-z0-9]+):\/\//.exec(text);
  if (scheme !== null && !['dns', 'tls', 'https'].includes(scheme[1]!))
    directive.wrong(scheme[0], 'dns://, tls:// and https://, or no scheme', `upstream ${text}`);
  const rest = text.slice(scheme?.[0].length ?? 0);
  const https = scheme?.[1] === 'https';
  if (https && rest.includes('/')) directive.wrong(text, 'no path: /dns-query is asked', 'upstream');
  const tls = https || scheme?.[1] === 'tls';
  const address = parseAddress(rest, tls, https);
  if (address !== undefined) return [address];
  const host = parseHost(rest, tls, https);
  if (tls) return [host ?? directive.wrong(text, FORMS, 'upstream')];
  if (rest === '') return directive.wrong(text, FORMS, 'upstream');
  return parseFile(directive, rest, readFile) ?? [host!];
}

/** `HOST[%SERVERNAME][:PORT]`; undefined for what cannot be a host, such as a path or a wrong address. */
function parseHost(text: string, tls: boolean, https: boolean): HostTarget | undefined {
  const [, host = '', serverName, portText] = /^([\w.-]+)(?:%([^:]+))?(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = portText === undefined ? (https ? HTTPS_PORT : tls ? TLS_PORT : PORT) : Number(portText);
  const isHost = isName(fqdn(host)) && /[a-z]/i.test(host) && port >= 1 && port <= 65_535;
  return isHost && (tls || serverName === undefined) ? { host, port, tls, https, serverName } : undefined;
}

/**
 * `HOST[%ZONE][:PORT]` or `[HOST[%ZONE]][:PORT]`; what is behind the percent sign is the server name of a TLS
 * upstream, else the zone of a link-local address.
 */
function parseAddress(text: string, tls: boolean, https = false): UpstreamTarget | undefined {
  const bracketed = /^\[([^[\]%]+)(?:%([^[\]]+))?\](?:%([^:]+))?(?::(\d{1,5}))?$/.exec(text);
  const plain = bracketed
    ? null
    : (/^([^[\]%:]+|[^[\]%]*:[^[\]%]*:[^[\]%]*)(?:%([^:]+))?(?::(\d{1,5}))?$/.exec(text) ??
      /^([^[\]%:]+)(?:%([^:]+))?:(\d{1,5})$/.exec(text));
  const host = bracketed?.[1] ?? plain?.[1];
  if (host === undefined || parseIp(host) === undefined) return undefined;
  const zone = bracketed ? (bracketed[2] ?? bracketed[3]) : plain![2];
  const portText = bracketed ? bracketed[4] : plain![3];
  const port = portText === undefined ? (https ? HTTPS_PORT : tls ? TLS_PORT : PORT) : Number(portText);
  if (port < 1 || port > 65_535) return undefined;
  const scoped = !tls && zone !== undefined && host.includes(':') ? `${host}%${zone}` : host;
  return { to: { address: scoped, port }, label: hostPort(host, port), tls, https, serverName: tls ? zone : undefined };
}

/** The upstreams of a file; undefined where there is none and the path may be the name of a host. */
function parseFile(
  directive: Directive,
  path: string,
  readFile: (path: string) => string,
): UpstreamTarget[] | undefined {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    if (parseHost(path, false, false) !== undefined) return undefined;
    return directive.fail(
      `upstream: got '${path}', which is no address and no file that can be read ` +
        `(${(error as NodeJS.ErrnoException).code ?? (error as Error).message}); allowed: ${FORMS}`,
    );
  }
  return text.split('\n').flatMap((line) => {
    const [keyword, server = ''] = line.trim().split(/\s+/);
    if (keyword !== 'nameserver') return [];
    return [
      parseAddress(server.includes(':') ? `[${server}]` : server, false) ??
        directive.fail(`upstream: got 'nameserver ${server}' in ${path}, allowed: an IPv4 or IPv6 address`),
    ];
  });
}
