import { readFileSync } from 'node:fs';
import path from 'node:path';
import { OUTSIDE } from './cluster.js';
import { OTHER_SERVERS } from './other-servers.js';
import { addressOf, clientsOf, dir, write, type Command, type Peer, type Work } from './peer.js';
import { installed } from './process.js';

const CERTIFICATES = path.resolve(import.meta.dirname, '../exchange/certificates');
/** The certificate and key of an upstream over TLS, what they are checked with, and the name on the certificate. */
export const TLS_FILES = { cert: `${CERTIFICATES}/server.pem`, key: `${CERTIFICATES}/server.key` };
const CA = `${CERTIFICATES}/ca.pem`;
/** A key of a zone above the small one. */
const KEY = path.resolve(import.meta.dirname, '../dnssec/keys/ecdsa-ksk');
const TLS_NAME = 'dns.example.net';

/** Ports of a server for a cluster beside its own. */
export const metricsPort = (port: number): number => port + 20_000;
export const readyPort = (port: number): number => port + 30_000;

/** Names of the large zone, all with the address that names outside have. */
export const ZONE_NAMES = 1_000_000;
const ZONE = 'bench.example.org';

const written = new Map<number, string>();
/** The file of a zone of so many names. */
function zoneFile(names: number): string {
  const known = written.get(names);
  if (known !== undefined) return known;
  const lines = ['$TTL 3600', '@ SOA ns host 1 7200 3600 86400 300', '@ NS ns', 'ns A 192.0.2.53'];
  for (let i = 1; i <= names; i++) lines.push(`n${i} A ${OUTSIDE}`);
  const file = write(`zone-${names}`, `${lines.join('\n')}\n`);
  written.set(names, file);
  return file;
}

/** For a cluster, the Corefile that clusters run, but for the log. */
function corefile(work: Work): string {
  const { kind, port, upstream, api } = work;
  const address = addressOf(work);
  if (kind === 'cluster') {
    return `.:${port} {
    bind ${address}
    errors
    ready 127.0.0.1:${readyPort(port)}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        endpoint ${api}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus 127.0.0.1:${metricsPort(port)}
    forward . 127.0.0.1:${upstream}
    cache 3600 {
        disable success cluster.local
        disable denial cluster.local
    }
    loop
    loadbalance
}
`;
  }
  if (kind.endsWith('zone')) {
    const names = kind === 'zone' ? ZONE_NAMES : 1000;
    const keys = kind === 'signed-zone' ? `    dnssec ${ZONE} {\n        key file ${KEY}\n    }\n` : '';
    return `.:${port} {\n    bind ${address}\n${keys}    file ${zoneFile(names)} ${ZONE}\n}\n`;
  }
  const cache = kind === 'cache' ? '    cache 3600\n' : '';
  const to = kind === 'forward-tls' ? `tls://127.0.0.1:${upstream}` : `127.0.0.1:${upstream}`;
  const options =
    kind === 'forward-tcp'
      ? ' {\n        force_tcp\n    }'
      : kind === 'forward-tls'
        ? ` {\n        tls ${CA}\n        tls_servername ${TLS_NAME}\n    }`
        : '';
  return `.:${port} {\n    bind ${address}\n${cache}    forward . ${to}${options}\n}\n`;
}

export const NODENS = path.resolve(import.meta.dirname, '../../bin/nodens');

const nodens: Peer = {
  name: 'nodens',
  available: () => true,
  zones: true,
  command: (work) => ({
    command: NODENS,
    args: [
      '-quiet',
      ...(work.threads === undefined ? [] : ['-workers', String(work.threads)]),
      '-conf',
      write(`nodens-${work.kind}-${work.port}`, corefile(work)),
    ],
  }),
};

/**
 * The same, but each thread leaves a profile in `dir` when it ends: files of kind `.cpuprofile`, as browsers'
 * developer tools and editors show them.
 */
export function profiled({ command, args, ...rest }: Command, dir: string): Command {
  const [, flags = ''] = /^#!.* -S node (.*)$/m.exec(readFileSync(command, 'utf8')) ?? [];
  return {
    ...rest,
    command: process.execPath,
    args: [...flags.split(' ').filter(Boolean), '--cpu-prof', `--cpu-prof-dir=${path.resolve(dir)}`, command, ...args],
  };
}

const coredns: Peer = {
  name: 'coredns',
  available: () => installed('coredns'),
  zones: true,
  command: (work) =>
    work.threads !== undefined
      ? undefined
      : {
          command: 'coredns',
          args: ['-quiet', '-conf', write(`coredns-${work.kind}`, corefile(work))],
          env: { GOMAXPROCS: '1' },
        },
};

const unbound: Peer = {
  name: 'unbound',
  available: () => installed('unbound'),
  command: ({ kind, port, upstream, threads, address }) =>
    kind === 'cluster' || threads !== undefined
      ? undefined
      : {
          command: 'unbound',
          args: [
            '-d',
            '-c',
            write(
              `unbound-${kind}`,
              [
                'server:',
                ' username: ""',
                ' chroot: ""',
                ' pidfile: ""',
                ' use-syslog: no',
                ` directory: "${dir}"`,
                ` port: ${port}`,
                ` interface: ${addressOf({ address })}`,
                ` access-control: ${clientsOf({ address })} allow`,
                ' num-threads: 1',
                ' do-daemonize: no',
                ' do-not-query-localhost: no',
                ' module-config: "iterator"',
                ' outgoing-range: 4096',
                ' num-queries-per-thread: 2048',
                ' so-rcvbuf: 4m',
                ' msg-cache-size: 64m',
                ' rrset-cache-size: 64m',
                kind === 'cache' ? ' cache-min-ttl: 3600' : ' cache-max-ttl: 0',
                kind === 'forward-tls' ? ` tls-cert-bundle: "${CA}"` : '',
                'remote-control:',
                ' control-enable: no',
                'forward-zone:',
                ' name: "."',
                ` forward-addr: 127.0.0.1@${upstream}${kind === 'forward-tls' ? `#${TLS_NAME}` : ''}`,
                kind === 'forward-tcp' ? ' forward-tcp-upstream: yes' : '',
                kind === 'forward-tls' ? ' forward-tls-upstream: yes' : '',
              ].join('\n'),
            ),
          ],
        },
};

const dnsmasq: Peer = {
  name: 'dnsmasq',
  available: () => installed('dnsmasq'),
  command: ({ kind, port, upstream, threads, address }) =>
    kind === 'forward-tcp' || kind === 'forward-tls' || kind === 'cluster' || threads !== undefined
      ? undefined
      : {
          command: 'dnsmasq',
          args: [
            '-k',
            '-C',
            '/dev/null',
            '--no-resolv',
            '--no-hosts',
            '--user=root',
            '--pid-file=',
            `--listen-address=${addressOf({ address })}`,
            '--bind-interfaces',
            '-p',
            String(port),
            '-S',
            `127.0.0.1#${upstream}`,
            '-c',
            kind === 'cache' ? '10000' : '0',
            '--dns-forward-max=2048',
            ...(kind === 'cache' ? ['--min-cache-ttl=3600'] : []),
          ],
        },
};

export const PEERS: readonly Peer[] = [nodens, unbound, dnsmasq, ...OTHER_SERVERS, coredns];
