import type { Directive, Option } from '../../corefile/index.js';
import type { TlsSettings } from '../../exchange/index.js';
import { formatDuration } from '../../lib/duration.js';
import type { Endpoint } from '../../net/network.js';
import type { Milliseconds } from '../../lib/units.js';
import { Rcode, encodeName, fqdn, lowerName, rcodeFromName, type Name } from '../../wire/index.js';
import { POLICIES, type PolicyName } from './policy.js';

/** What the block of a `forward` directive says. */
export interface ForwardOptions {
  except: string[];
  forceTcp: boolean;
  preferUdp: boolean;
  /** Unused sockets and connections are closed after this long. */
  expire: Milliseconds;
  /** Sockets and connections are closed this long after they were opened; 0 for no limit but the pools' own. */
  maxAge: Milliseconds;
  /** An attempt is given up after this long. */
  readTimeout: Milliseconds;
  /** Names are asked in a case that is drawn for each query over UDP. */
  mixedCase: boolean;
  /** Queries over UDP carry cookies. */
  cookies: boolean;
  /** Address that everything is sent from; the system's choice when left out. */
  source: string | undefined;
  /** Who is asked for the addresses of upstreams that are named; this host's own resolvers when left out. */
  resolvers: readonly Endpoint[] | undefined;
  /** Most unused sockets and connections that are kept per upstream; 0 for no limit. */
  maxIdle: number;
  /** Failed health checks in a row that an upstream survives; 0 for any number, and no checks. */
  maxFails: number;
  /** Attempts for one query; 0 for no limit but its deadline. */
  maxAttempts: number;
  tls: TlsSettings;
  tlsServerName: string | undefined;
  /** How upstreams over HTTPS are asked. */
  dohMethod: 'GET' | 'POST';
  policy: PolicyName;
  checkInterval: Milliseconds;
  checkRecursion: boolean;
  checkName: Name;
  /** Queries under way at once; 0 for no limit. */
  maxConcurrent: number;
  nextRcodes: Set<number>;
  /** A reply without an answer is not the last word where another forward follows. */
  nextOnNodata: boolean;
  failoverRcodes: Set<number>;
  failFast: boolean;
}

const UINT32 = 2 ** 32 - 1;

/** Each option with what reads it. */
const READERS: Readonly<
  Record<string, (option: Option, into: ForwardOptions, readFile: (path: string) => string) => void>
> = {
  except(option, into) {
    option.argCount(1, Infinity, 'except IGNORED_NAMES...');
    into.except.push(...option.zones(option.args));
  },
  force_tcp(option, into) {
    option.flag();
    into.forceTcp = true;
  },
  prefer_udp(option, into) {
    option.flag();
    into.preferUdp = true;
  },
  expire(option, into) {
    into.expire = option.duration(option.one('expire DURATION'), { min: 0 });
  },
  max_age(option, into) {
    into.maxAge = option.duration(option.one('max_age DURATION'), { min: 0 });
  },
  read_timeout(option, into) {
    into.readTimeout = option.duration(option.one('read_timeout DURATION'), { min: 1 });
  },
  mixed_case(option, into) {
    option.flag();
    into.mixedCase = true;
  },
  cookies(option, into) {
    option.flag();
    into.cookies = true;
  },
  source_address(option, into) {
    into.source = option.ip(option.one('source_address IP'));
  },
  resolver(option, into) {
    option.argCount(1, Infinity, 'resolver IP[:PORT]...');
    into.resolvers = option.args.map((text) => {
      const { host, port } = option.hostPort(text, { defaultPort: 53, ipOnly: true, hostNeeded: true });
      return { address: host, port };
    });
  },
  max_idle_conns(option, into) {
    into.maxIdle = option.integer(option.one('max_idle_conns INTEGER'), { min: 0, max: UINT32 });
  },
  max_fails(option, into) {
    into.maxFails = option.integer(option.one('max_fails INTEGER'), { min: 0, max: UINT32 });
  },
  max_connect_attempts(option, into) {
    into.maxAttempts = option.integer(option.one('max_connect_attempts INTEGER'), { min: 0, max: UINT32 });
  },
  tls(option, into, readFile) {
    option.argCount(0, 3, 'tls [CERT KEY] [CA]');
    const texts = option.args.map((path) => readPem(option, path, readFile));
    into.tls = texts.length < 2 ? { ca: texts[0] } : { cert: texts[0], key: texts[1], ca: texts[2] };
  },
  tls_servername(option, into) {
    into.tlsServerName = option.one('tls_servername NAME');
  },
  doh_method(option, into) {
    into.dohMethod = option.oneOf(option.one('doh_method GET|POST'), ['GET', 'POST']);
  },
  policy(option, into) {
    into.policy = option.oneOf(option.one(`policy ${POLICIES.join('|')}`), POLICIES);
  },
  health_check: readHealthCheck,
  max_concurrent(option, into) {
    into.maxConcurrent = option.integer(option.one('max_concurrent MAX'), { min: 0, max: UINT32 });
  },
  next(option, into) {
    option.argCount(1, Infinity, 'next RCODE...');
    for (const text of option.args) into.nextRcodes.add(readRcode(option, text));
  },
  next_on_nodata(option, into) {
    option.flag();
    into.nextOnNodata = true;
  },
  failfast_all_unhealthy_upstreams(option, into) {
    option.flag();
    into.failFast = true;
  },
  failover(option, into) {
    option.argCount(1, Infinity, 'failover RCODE...');
    for (const text of option.args) {
      const rcode = readRcode(option, text);
      if (rcode === Rcode.NOERROR) option.wrong(text, 'any rcode but NOERROR');
      into.failoverRcodes.add(rcode);
    }
  },
};

/**
 * Reads the options of a directive; later ones replace earlier ones, lists grow.
 *
 * @param readFile reads PEM files; its errors are reported at the option
 * @throws CorefileError
 */
export function readOptions(directive: Directive, readFile: (path: string) => string): ForwardOptions {
  const options: ForwardOptions = {
    except: [],
    forceTcp: false,
    preferUdp: false,
    expire: 10_000,
    maxAge: 0,
    readTimeout: 2000,
    mixedCase: false,
    cookies: false,
    source: undefined,
    resolvers: undefined,
    maxIdle: 0,
    maxFails: 2,
    maxAttempts: 0,
    tls: {},
    tlsServerName: undefined,
    dohMethod: 'POST',
    policy: 'latency',
    checkInterval: 500,
    checkRecursion: true,
    checkName: '.',
    maxConcurrent: 0,
    nextRcodes: new Set(),
    nextOnNodata: false,
    failoverRcodes: new Set(),
    failFast: false,
  };
  for (const option of directive.options ?? []) {
    option.noOptions();
    const read = Object.hasOwn(READERS, option.name) ? READERS[option.name]! : option.unknown(Object.keys(READERS));
    read(option, options, readFile);
  }
  if (options.maxAge > 0 && options.maxAge < options.expire)
    directive.fail(
      `got max_age ${formatDuration(options.maxAge)} with expire ${formatDuration(options.expire)}, allowed: no less than expire`,
    );
  return options;
}

function readHealthCheck(option: Option, into: ForwardOptions): void {
  option.argCount(1, Infinity, 'health_check DURATION [no_rec] [domain FQDN]');
  const [interval, ...words] = option.args;
  into.checkInterval = option.duration(interval!, { min: 0 });
  into.checkName = '.';
  while (words.length > 0) {
    const word = option.oneOf(words.shift()!, ['no_rec', 'domain']);
    if (word === 'no_rec') into.checkRecursion = false;
    else into.checkName = readName(option, words.shift());
  }
}

function readName(option: Option, text: string | undefined): Name {
  if (text === undefined) return option.fail("got 'domain' at the end, allowed: domain FQDN");
  try {
    encodeName(text);
  } catch {
    return option.wrong(text, 'a domain name', 'domain');
  }
  return lowerName(fqdn(text));
}

function readRcode(option: Option, text: string): number {
  return rcodeFromName(text) ?? option.wrong(text, Object.keys(Rcode).join(', '));
}

function readPem(option: Option, path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path);
  } catch (error) {
    return option.fail(
      `got '${path}', which cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}); allowed: a PEM file`,
    );
  }
}
