import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readOptions } from '../../../src/plugins/forward/options.js';
import { forward } from '../../../src/plugins/forward/setup.js';
import { parseTargets } from '../../../src/plugins/forward/targets.js';
import { directives, setup } from '../../support/block.js';

const pem = (name: string): string =>
  readFileSync(new URL(`../../exchange/certificates/${name}`, import.meta.url), 'utf8');
const FILES: Record<string, string> = {
  '/etc/resolv.conf':
    '# made by hand\nsearch example.org\nnameserver 192.0.2.1\n  nameserver 2001:db8::1 # second\noptions ndots:5\nnameserver\t192.0.2.2\n',
  '/empty': 'search example.org\n',
  '/bad': 'nameserver ns1.example.org\n',
  '/ca.pem': pem('ca.pem'),
  '/cert.pem': pem('client.pem'),
  '/key.pem': pem('client.key'),
  '/text': 'no PEM',
};
const readFile = (path: string): string => {
  if (FILES[path] === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
  return FILES[path];
};

describe('upstreams', () => {
  it.each([
    { to: '10.0.0.1', want: ['10.0.0.1:53'] },
    { to: '10.0.0.1:1053', want: ['10.0.0.1:1053'] },
    { to: 'dns://10.0.0.1', want: ['10.0.0.1:53'] },
    { to: 'dns://10.0.0.1:1053', want: ['10.0.0.1:1053'] },
    { to: '2003::1', want: ['[2003::1]:53'] },
    { to: '[2003::1]:1053', want: ['[2003::1]:1053'] },
    { to: '[2003::1]', want: ['[2003::1]:53'] },
    { to: '::1', want: ['[::1]:53'] },
    { to: 'tls://9.9.9.9', want: ['tls 9.9.9.9:853'] },
    { to: 'tls://9.9.9.9:8853', want: ['tls 9.9.9.9:8853'] },
    { to: 'tls://9.9.9.9%dns.quad9.net', want: ['tls 9.9.9.9:853 dns.quad9.net'] },
    { to: 'tls://9.9.9.9%dns.quad9.net:8853', want: ['tls 9.9.9.9:8853 dns.quad9.net'] },
    { to: 'tls://[2620:fe::fe]:8853', want: ['tls [2620:fe::fe]:8853'] },
    { to: 'tls://2620:fe::fe%dns.quad9.net', want: ['tls [2620:fe::fe]:853 dns.quad9.net'] },
    { to: 'tls://[2620:fe::fe%dns.quad9.net]:8853', want: ['tls [2620:fe::fe]:8853 dns.quad9.net'] },
    { to: 'fe80::1%eth0', want: ['[fe80::1]:53 at fe80::1%eth0'] },
    { to: 'dns.example.local', want: ['dns.example.local 53'] },
    { to: 'dns://dns.example.local.:1053', want: ['dns.example.local. 1053'] },
    { to: 'tls://dns.example.local', want: ['tls dns.example.local 853'] },
    { to: 'tls://dns.example.local%name.example:8853', want: ['tls dns.example.local 8853 name.example'] },
    { to: '/empty 10.0.0.9', want: ['10.0.0.9:53'] },
    { to: '/etc/resolv.conf', want: ['192.0.2.1:53', '[2001:db8::1]:53', '192.0.2.2:53'] },
    {
      to: '10.0.0.9 /etc/resolv.conf 10.0.0.8:5353',
      want: ['10.0.0.9:53', '192.0.2.1:53', '[2001:db8::1]:53', '192.0.2.2:53', '10.0.0.8:5353'],
    },
  ])('$to', ({ to, want }) => {
    const [directive] = directives(`forward . ${to}`, 'forward');
    const got = parseTargets(directive, directive.args.slice(1), readFile).map((target) =>
      [
        ...(target.tls ? ['tls'] : []),
        'to' in target ? target.label : `${target.host} ${target.port}`,
        ...(target.serverName === undefined ? [] : [target.serverName]),
        ...('to' in target && target.to.address.includes('%') ? [`at ${target.to.address}`] : []),
      ].join(' '),
    );
    expect(got).toEqual(want);
  });
});

describe('options', () => {
  const DEFAULTS = {
    except: [],
    forceTcp: false,
    preferUdp: false,
    expire: 10_000,
    maxAge: 0,
    readTimeout: 2000,
    source: undefined,
    resolvers: undefined,
    maxIdle: 0,
    mixedCase: false,
    cookies: false,
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
  it.each([
    { line: '', want: {} },
    { line: 'except Example.org a.b. 10.0.0.0/8', want: { except: ['example.org.', 'a.b.', '10.in-addr.arpa.'] } },
    { line: 'except a\nexcept b', want: { except: ['a.', 'b.'] } },
    { line: 'force_tcp', want: { forceTcp: true } },
    { line: 'prefer_udp', want: { preferUdp: true } },
    { line: 'expire 1m30s', want: { expire: 90_000 } },
    { line: 'max_idle_conns 3', want: { maxIdle: 3 } },
    { line: 'mixed_case', want: { mixedCase: true } },
    { line: 'cookies', want: { cookies: true } },
    { line: 'expire 1s\nmax_age 30s', want: { expire: 1000, maxAge: 30_000 } },
    { line: 'read_timeout 500ms', want: { readTimeout: 500 } },
    { line: 'source_address 127.0.0.2', want: { source: '127.0.0.2' } },
    {
      line: 'resolver 10.0.0.9 10.0.0.8:5353',
      want: {
        resolvers: [
          { address: '10.0.0.9', port: 53 },
          { address: '10.0.0.8', port: 5353 },
        ],
      },
    },
    { line: 'next_on_nodata', want: { nextOnNodata: true } },
    { line: 'max_fails 0', want: { maxFails: 0 } },
    { line: 'max_connect_attempts 4', want: { maxAttempts: 4 } },
    { line: 'tls', want: { tls: { ca: undefined } } },
    { line: 'tls /ca.pem', want: { tls: { ca: FILES['/ca.pem'] } } },
    {
      line: 'tls /cert.pem /key.pem',
      want: { tls: { cert: FILES['/cert.pem'], key: FILES['/key.pem'], ca: undefined } },
    },
    {
      line: 'tls /cert.pem /key.pem /ca.pem',
      want: { tls: { cert: FILES['/cert.pem'], key: FILES['/key.pem'], ca: FILES['/ca.pem'] } },
    },
    { line: 'tls_servername dns.quad9.net', want: { tlsServerName: 'dns.quad9.net' } },
    { line: 'policy round_robin', want: { policy: 'round_robin' } },
    { line: 'health_check 2s', want: { checkInterval: 2000 } },
    { line: 'health_check 0s no_rec', want: { checkInterval: 0, checkRecursion: false } },
    {
      line: 'health_check 1s domain Example.ORG no_rec',
      want: { checkInterval: 1000, checkRecursion: false, checkName: 'example.org.' },
    },
    { line: 'max_concurrent 1000', want: { maxConcurrent: 1000 } },
    { line: 'next NXDOMAIN servfail', want: { nextRcodes: new Set([3, 2]) } },
    { line: 'failover REFUSED', want: { failoverRcodes: new Set([5]) } },
    { line: 'failfast_all_unhealthy_upstreams', want: { failFast: true } },
  ])('$line', ({ line, want }) => {
    const [directive] = directives(`forward . 10.0.0.1 {\n${line}\n}`, 'forward');
    expect(readOptions(directive, readFile)).toEqual({ ...DEFAULTS, ...want });
  });
});

const ADDRESSES =
  'IP, IP:PORT, [IPV6]:PORT, HOST, HOST:PORT, each also behind dns://, tls:// or https://, tls://IP%SERVERNAME[:PORT] and the same with https://, or a file like /etc/resolv.conf';
const RCODES =
  'NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN, YXRRSET, NXRRSET, NOTAUTH, NOTZONE, DSOTYPENI, BADVERS, BADKEY, BADTIME, BADMODE, BADNAME, BADALG, BADTRUNC, BADCOOKIE';

describe('bad text', () => {
  it.each([
    { text: 'forward', error: '2: forward: got no argument, allowed: at least 2 arguments; usage: forward FROM TO...' },
    {
      text: 'forward .',
      error: "2: forward: got 1 argument ('.'), allowed: at least 2 arguments; usage: forward FROM TO...",
    },
    {
      text: 'forward a..b 10.0.0.1',
      error: "2: forward: got zone 'a..b', allowed: no empty label (a dot at the start, or two in a row)",
    },
    {
      text: 'forward . 10.0.0.256',
      error: `2: forward: upstream: got '10.0.0.256', which is no address and no file that can be read (ENOENT); allowed: ${ADDRESSES}`,
    },
    {
      text: 'forward . 10.0.0.1:0',
      error: `2: forward: upstream: got '10.0.0.1:0', which is no address and no file that can be read (ENOENT); allowed: ${ADDRESSES}`,
    },
    {
      text: 'forward . 10.0.0.1:65536',
      error: `2: forward: upstream: got '10.0.0.1:65536', which is no address and no file that can be read (ENOENT); allowed: ${ADDRESSES}`,
    },
    {
      text: 'forward . [10.0.0.1',
      error: `2: forward: upstream: got '[10.0.0.1', which is no address and no file that can be read (ENOENT); allowed: ${ADDRESSES}`,
    },
    {
      text: 'forward . quic://10.0.0.1',
      error: "2: forward: upstream quic://10.0.0.1: got 'quic://', allowed: dns://, tls:// and https://, or no scheme",
    },
    { text: 'forward . dns://', error: `2: forward: upstream: got 'dns://', allowed: ${ADDRESSES}` },
    {
      text: 'forward . tls:///etc/resolv.conf',
      error: `2: forward: upstream: got 'tls:///etc/resolv.conf', allowed: ${ADDRESSES}`,
    },
    {
      text: 'forward . /empty',
      error: '2: forward: upstream: got no nameserver line in /empty, allowed: at least one',
    },
    {
      text: 'forward . /bad',
      error: "2: forward: upstream: got 'nameserver ns1.example.org' in /bad, allowed: an IPv4 or IPv6 address",
    },
    {
      text: `forward . ${new Array<string>(16).fill('10.0.0.1').join(' ')}`,
      error: '2: forward: got 16 upstreams, allowed: at most 15',
    },
    {
      text: 'forward . 10.0.0.1 {\nmax_fail 1\n}',
      error:
        "3: forward: unknown option 'max_fail'; allowed: except, force_tcp, prefer_udp, expire, max_age, read_timeout, mixed_case, cookies, source_address, resolver, max_idle_conns, max_fails, max_connect_attempts, tls, tls_servername, doh_method, policy, health_check, max_concurrent, next, next_on_nodata, failfast_all_unhealthy_upstreams, failover; did you mean 'max_fails'?",
    },
    {
      text: 'forward . 10.0.0.1 {\nexcept\n}',
      error: '3: forward: except: got no argument, allowed: at least 1 argument; usage: except IGNORED_NAMES...',
    },
    {
      text: 'forward . 10.0.0.1 {\nforce_tcp yes\n}',
      error: "3: forward: force_tcp: got 1 argument ('yes'), allowed: no argument",
    },
    {
      text: 'forward . 10.0.0.1 {\nprefer_udp yes\n}',
      error: "3: forward: prefer_udp: got 1 argument ('yes'), allowed: no argument",
    },
    {
      text: 'forward . 10.0.0.1 {\nexpire 10\n}',
      error: "3: forward: expire: got '10', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      text: 'forward . 10.0.0.1 {\nexpire -1s\n}',
      error: "3: forward: expire: got '-1s', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      text: 'forward . 10.0.0.1 {\nmax_age 5s\n}',
      error: '2: forward: got max_age 5s with expire 10s, allowed: no less than expire',
    },
    {
      text: 'forward . 10.0.0.1 {\nread_timeout 0s\n}',
      error: "3: forward: read_timeout: got '0s', allowed: a duration such as 30s, 250ms or 1h30m, at least 1ms",
    },
    {
      text: 'forward . 10.0.0.1 {\nsource_address eth0\n}',
      error: "3: forward: source_address: got 'eth0', allowed: an IPv4 or IPv6 address",
    },
    {
      text: 'forward . 10.0.0.1 {\nresolver dns.example\n}',
      error:
        "3: forward: resolver: got 'dns.example', allowed: IP:PORT, [IPV6]:PORT, IP alone for port 53; PORT from 0 to 65535",
    },
    {
      text: 'forward . 10.0.0.1 {\nnext_on_nodata yes\n}',
      error: "3: forward: next_on_nodata: got 1 argument ('yes'), allowed: no argument",
    },
    {
      text: 'forward . 10.0.0.1 {\nmax_idle_conns -1\n}',
      error: "3: forward: max_idle_conns: got '-1', allowed: a whole number from 0 to 4294967295",
    },
    {
      text: 'forward . 10.0.0.1 {\nmax_fails x\n}',
      error: "3: forward: max_fails: got 'x', allowed: a whole number from 0 to 4294967295",
    },
    {
      text: 'forward . 10.0.0.1 {\nmax_connect_attempts 1.5\n}',
      error: "3: forward: max_connect_attempts: got '1.5', allowed: a whole number from 0 to 4294967295",
    },
    {
      text: 'forward . 10.0.0.1 {\ntls a b c d\n}',
      error:
        "3: forward: tls: got 4 arguments ('a' 'b' 'c' 'd'), allowed: 0 to 3 arguments; usage: tls [CERT KEY] [CA]",
    },
    {
      text: 'forward . 10.0.0.1 {\ntls /gone\n}',
      error: "3: forward: tls: got '/gone', which cannot be read (ENOENT); allowed: a PEM file",
    },
    {
      text: 'forward . 10.0.0.1 {\ntls_servername\n}',
      error: '3: forward: tls_servername: got no argument, allowed: 1 argument; usage: tls_servername NAME',
    },
    {
      text: 'forward . tls://9.9.9.9%a.example {\ntls_servername b.example\n}',
      error:
        "2: forward: got TLS server name 'b.example' in tls_servername and 'a.example' at upstream 9.9.9.9:853, allowed: one of the two ways",
    },
    {
      text: 'forward . 10.0.0.1 {\npolicy fastest\n}',
      error: "3: forward: policy: got 'fastest', allowed: random, round_robin, sequential, latency",
    },
    {
      text: 'forward . 10.0.0.1 {\nhealth_check\n}',
      error:
        '3: forward: health_check: got no argument, allowed: at least 1 argument; usage: health_check DURATION [no_rec] [domain FQDN]',
    },
    {
      text: 'forward . 10.0.0.1 {\nhealth_check -1s\n}',
      error: "3: forward: health_check: got '-1s', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      text: 'forward . 10.0.0.1 {\nhealth_check 1s rec\n}',
      error: "3: forward: health_check: got 'rec', allowed: no_rec, domain",
    },
    {
      text: 'forward . 10.0.0.1 {\nhealth_check 1s domain\n}',
      error: "3: forward: health_check: got 'domain' at the end, allowed: domain FQDN",
    },
    {
      text: 'forward . 10.0.0.1 {\nhealth_check 1s domain a..b\n}',
      error: "3: forward: health_check: domain: got 'a..b', allowed: a domain name",
    },
    {
      text: 'forward . 10.0.0.1 {\nmax_concurrent -1\n}',
      error: "3: forward: max_concurrent: got '-1', allowed: a whole number from 0 to 4294967295",
    },
    {
      text: 'forward . 10.0.0.1 {\nnext\n}',
      error: '3: forward: next: got no argument, allowed: at least 1 argument; usage: next RCODE...',
    },
    { text: 'forward . 10.0.0.1 {\nnext NXDOMAINS\n}', error: `3: forward: next: got 'NXDOMAINS', allowed: ${RCODES}` },
    {
      text: 'forward . 10.0.0.1 {\nfailover\n}',
      error: '3: forward: failover: got no argument, allowed: at least 1 argument; usage: failover RCODE...',
    },
    {
      text: 'forward . 10.0.0.1 {\nfailover NOERROR\n}',
      error: "3: forward: failover: got 'NOERROR', allowed: any rcode but NOERROR",
    },
    {
      text: 'forward . 10.0.0.1 {\nfailfast_all_unhealthy_upstreams on\n}',
      error: "3: forward: failfast_all_unhealthy_upstreams: got 1 argument ('on'), allowed: no argument",
    },
    { text: 'forward . 10.0.0.1 {\nexpire 1s {\n}\n}', error: '3: forward: expire: got a block in { }, allowed: none' },
  ])('$text', ({ text, error }) =>
    expect(() => setup(forward, text, { files: FILES })).toThrow(
      expect.objectContaining({ name: 'CorefileError', message: `Corefile:${error}` }) as Error,
    ),
  );

  it('a key that does not fit is reported with what OpenSSL says', () =>
    expect(() => setup(forward, 'forward . tls://10.0.0.1 {\ntls /text /key.pem\n}', { files: FILES })).toThrow(
      /^Corefile:2: forward: tls: got a certificate, key or CA that cannot be used \(.+\); allowed: PEM, the key without a passphrase$/,
    ));
});

it('says which zone it takes of an address block off the octet boundary', () => {
  const { block } = setup(forward, 'forward 10.0.0.0/15 10.0.0.1');
  expect(block.log.lines).toEqual([
    "[WARNING] plugin/forward: Unsupported CIDR notation: '10.0.0.0/15' expands to multiple zones. Using only '0.10.in-addr.arpa.'.",
  ]);
});

it('has counters from the start, and series per upstream when they are needed', async () => {
  const { block } = setup(forward, 'forward . 10.0.0.1');
  expect((await block.metrics.text()).trim().split('\n')).toEqual([
    '# HELP coredns_forward_failures_remembered_total Counter of queries answered with a failure of a short time ago.',
    '# TYPE coredns_forward_failures_remembered_total counter',
    'coredns_forward_failures_remembered_total 0',
    '# HELP coredns_forward_healthcheck_broken_total Counter of the number of complete failures of the healthchecks.',
    '# TYPE coredns_forward_healthcheck_broken_total counter',
    'coredns_forward_healthcheck_broken_total 0',
    '# HELP coredns_forward_max_concurrent_rejects_total Counter of the number of queries rejected because the concurrent queries were at maximum.',
    '# TYPE coredns_forward_max_concurrent_rejects_total counter',
    'coredns_forward_max_concurrent_rejects_total 0',
    '# HELP coredns_forward_unreachable_total Counter of look-ups given up because no upstream showed signs of life.',
    '# TYPE coredns_forward_unreachable_total counter',
    'coredns_forward_unreachable_total 0',
  ]);
});
