import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { untilRight } from './ask.js';
import { OUTSIDE, rightAnswers } from './cluster.js';
import { write } from './peer.js';
import { TLS_FILES } from './peers.js';
import { LOAD_CORE, installed, startPinned, stop } from './process.js';

/**
 * Servers that questions are forwarded to. All of them have one address for every name. NSD and Knot answer in order
 * over TCP, unbound in any order; `slow` is NSD behind a relay that works on one query of a connection at a time.
 */
export const UPSTREAMS = ['nsd', 'knot', 'unbound', 'unbound-tls', 'slow'] as const;
export type UpstreamName = (typeof UPSTREAMS)[number];

const zone = (): string =>
  write(
    'root.zone',
    `$ORIGIN .\n$TTL 300\n@ SOA ns. host. 1 7200 1800 86400 300\n@ NS ns.\nns A ${OUTSIDE}\n* A ${OUTSIDE}\n`,
  );
/** The folder of all files. */
const folder = (): string => path.dirname(zone());

const PROGRAMS: Readonly<Record<Exclude<UpstreamName, 'slow'>, (port: number) => [string, ...string[]]>> = {
  nsd: (port) => [
    'nsd',
    '-d',
    '-c',
    write(
      'nsd.conf',
      [
        'server:',
        ` ip-address: 127.0.0.1@${port}`,
        ' username: ""',
        ' database: ""',
        ` zonesdir: "${folder()}"`,
        ...['pidfile', 'xfrdfile', 'zonelistfile'].map((file) => ` ${file}: "${folder()}/nsd.${file}"`),
        ' tcp-count: 400',
        ' rrl-ratelimit: 0',
        'remote-control:',
        ' control-enable: no',
        'zone:',
        ' name: "."',
        ` zonefile: "${zone()}"`,
      ].join('\n'),
    ),
  ],
  knot: (port) => [
    'knotd',
    '-c',
    write(
      'knot.conf',
      [
        'server:',
        `  rundir: "${folder()}"`,
        `  listen: 127.0.0.1@${port}`,
        '  udp-workers: 1',
        '  tcp-workers: 1',
        'database:',
        `  storage: "${folder()}/knot"`,
        'zone:',
        '  - domain: .',
        `    file: "${zone()}"`,
        '    zonefile-sync: -1',
        '    journal-content: none',
      ].join('\n'),
    ),
  ],
  unbound: (port) => unbound(port, []),
  'unbound-tls': (port) =>
    unbound(port, [
      ` tls-port: ${port}`,
      ` tls-service-key: "${TLS_FILES.key}"`,
      ` tls-service-pem: "${TLS_FILES.cert}"`,
    ]),
};

const unbound = (port: number, more: readonly string[]): [string, ...string[]] => [
  'unbound',
  '-d',
  '-c',
  write(
    `upstream-unbound-${port}`,
    [
      'server:',
      ' username: ""',
      ' chroot: ""',
      ' pidfile: ""',
      ' use-syslog: no',
      ` directory: "${folder()}"`,
      ` interface: 127.0.0.1@${port}`,
      ` port: ${port}`,
      ' num-threads: 1',
      ' local-zone: "." redirect',
      ` local-data: ". 300 IN A ${OUTSIDE}"`,
      ...more,
      'remote-control:',
      ' control-enable: no',
    ].join('\n'),
  ),
];

/** The command line of one that listens at 127.0.0.1. */
export const upstreamCommand = (name: keyof typeof PROGRAMS, port: number): [string, ...string[]] =>
  PROGRAMS[name](port);

/** The upstreams that scenarios ask for, each started once, on the load's core. */
export class Upstreams {
  private readonly ports = new Map<UpstreamName, Promise<number>>();
  private readonly children: ChildProcess[] = [];

  /** @param nextPort gives a port that nothing else uses */
  constructor(private readonly nextPort: () => number) {}

  /** Whether its program is there. */
  available(name: UpstreamName): boolean {
    return installed(name === 'slow' ? 'nsd' : PROGRAMS[name](0)[0]);
  }

  port(name: UpstreamName): Promise<number> {
    const port = this.ports.get(name) ?? this.start(name);
    this.ports.set(name, port);
    return port;
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => stop(child)));
  }

  private async start(name: UpstreamName): Promise<number> {
    const port = this.nextPort();
    if (name === 'slow') {
      const relay = new URL('slow-relay.ts', import.meta.url).pathname;
      const child = startPinned(LOAD_CORE, process.execPath, [
        '--import',
        'tsx',
        relay,
        String(port),
        String(await this.port('nsd')),
      ]);
      this.children.push(child);
      await new Promise((resolve) => child.stdout!.once('data', resolve));
      return port;
    }
    const [program, ...args] = PROGRAMS[name](port);
    this.children.push(startPinned(LOAD_CORE, program, args));
    const question = 'ready.example.org A';
    if (name !== 'unbound-tls') await untilRight(port, question, rightAnswers(undefined)(question));
    return port;
  }
}
