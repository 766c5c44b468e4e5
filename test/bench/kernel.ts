// `npm run bench:kernel [-- SECONDS]`: what a cache hit and a name of a cluster cost over a link into a namespace, with
// client and server on one core so that nothing hides, less what a program takes that only sends the packet back.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Bpf } from '../../src/kernel/bpf.js';
import { readObject } from '../../src/kernel/object-file.js';
import { Namespaces, join, run } from '../e2e/node-local/namespaces.js';
import { dir, write } from './peer.js';
import { installed, startPinned, stop } from './process.js';

const SECONDS = process.argv[2] ?? '3';
const ROUNDS = 3;
const PACED = '20000';
const CORE = '0';
const [SERVER, PORT] = ['10.99.0.1', 5300];
const NODENS = path.resolve(import.meta.dirname, '../../bin/nodens');

const namespaces = new Namespaces();
const [server, client] = [namespaces.add('bench-s'), namespaces.add('bench-c')];
join([server, 'in', [`${SERVER}/24`]], [client, 'out', ['10.99.0.2/24']]);
const within = (namespace: string, ...words: string[]): string[] => ['netns', 'exec', namespace, ...words];

const services = Array.from({ length: 1000 }, (_, i) => i);
const objects = services.map(
  (i) => `---
apiVersion: v1
kind: Service
metadata: { name: svc${i}, namespace: default }
spec: { clusterIP: 10.96.${i >> 8}.${i & 255}, clusterIPs: [10.96.${i >> 8}.${i & 255}], ports: [{ name: http, port: 80, protocol: TCP }] }
`,
);
const manifests = write(
  'kernel-objects.yaml',
  `apiVersion: v1\nkind: Namespace\nmetadata: { name: default }\n${objects.join('')}`,
);
const names = services.map((i) => `n${i}.bench.example.org A\n`);
const questions = {
  cache: write('kernel-names', names.join('')),
  cluster: write('kernel-services', services.map((i) => `svc${i}.default.svc.cluster.local A\n`).join('')),
};
const corefile = {
  cache: `.:${PORT} {\n  bind ${SERVER}\n  cache 3600\n  template IN A example.org {\n    answer "{{ .Name }} 3600 IN A 192.0.2.1"\n  }\n}\n`,
  cluster: `cluster.local:${PORT} {\n  bind ${SERVER}\n  kubernetes cluster.local {\n    manifests ${manifests}\n  }\n}\n`,
};
type Kind = keyof typeof questions;

const nodens = (io: string, kind: Kind): string[] => [
  process.execPath,
  NODENS,
  '-io',
  io,
  '-workers',
  '1',
  '-conf',
  write(`kernel-Corefile-${kind}`, corefile[kind]),
];
const records = (line: (name: string, ip: string) => string): string =>
  services.map((i) => line(`n${i}.bench.example.org`, '192.0.2.1')).join('');
const PEERS: { name: string; program?: string; command: (kind: Kind) => string[] | undefined }[] = [
  { name: 'nodens, kernel', command: (kind) => nodens('kernel=in', kind) },
  { name: 'nodens, batched', command: (kind) => nodens('batched', kind) },
  {
    name: 'unbound',
    program: 'unbound',
    command: (kind) =>
      kind === 'cluster'
        ? undefined
        : [
            'unbound',
            '-d',
            '-c',
            write(
              'kernel-unbound',
              `server:\n  interface: ${SERVER}@${PORT}\n  access-control: 10.99.0.0/24 allow\n  num-threads: 1\n  chroot: ""\n  username: ""\n  pidfile: ""\n  use-syslog: no\n  do-not-query-localhost: no\n${records((name, ip) => `  local-data: "${name}. 3600 IN A ${ip}"\n`)}remote-control:\n  control-enable: no\n`,
            ),
          ],
  },
  {
    name: 'nsd',
    program: 'nsd',
    command: (kind) =>
      kind === 'cluster'
        ? undefined
        : [
            'nsd',
            '-d',
            '-c',
            write(
              'kernel-nsd',
              `server:\n  ip-address: ${SERVER}\n  port: ${PORT}\n  server-count: 1\n  rrl-ratelimit: 0\n  username: ""\n  zonesdir: "${dir}"\n  xfrdir: "${dir}"\n  pidfile: "${dir}/k.pid"\n  xfrdfile: "${dir}/k.xfrd"\n  zonelistfile: "${dir}/k.list"\n  database: ""\nremote-control:\n  control-enable: no\nzone:\n  name: bench.example.org\n  zonefile: "${write('kernel-zone', `$TTL 3600\n@ SOA ns host 1 7200 3600 86400 300\n@ NS ns\n${services.map((i) => `n${i} A 192.0.2.1\n`).join('')}`)}"\n`,
            ),
          ],
  },
];

/** Queries a second, and their mean latency in microseconds. */
function ask(kind: Kind, ...more: string[]): { rate: number; latency: number } {
  const { stdout } = spawnSync(
    'ip',
    within(client, 'taskset', '-c', CORE, 'dnsperf', '-s', SERVER, '-p', String(PORT), '-d', questions[kind], ...more),
    { encoding: 'utf8' },
  );
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? NaN);
  return {
    rate: number(/Queries per second: +([\d.]+)/),
    latency: number(/Average Latency \(s\): +([\d.]+)/) * 1e6,
  };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Microseconds of the core that a query takes, and the mean latency at a paced rate. */
function measured(kind: Kind): { cost: number; latency: number } {
  ask(kind, '-n', '3', '-q', '50');
  const costs = Array.from({ length: ROUNDS }, () => 1e6 / ask(kind, '-l', SECONDS, '-q', '100').rate);
  return { cost: median(costs), latency: ask(kind, '-l', SECONDS, '-Q', PACED).latency };
}

function reflected(): { cost: number; latency: number } {
  const object = path.join(dir, 'reflect.o');
  run(
    'clang-14',
    '-target',
    'bpf',
    '-O2',
    '-ffreestanding',
    '-c',
    path.join(import.meta.dirname, 'reflect.bpf.c'),
    '-o',
    object,
  );
  const attach = ['tc', '-n', server, 'qdisc', 'add', 'dev', 'in', 'clsact'] as const;
  // The verifier has a look at it before tc does: a refusal is said in full.
  const read = readObject(readFileSync(object));
  const bpf = new Bpf();
  bpf.close(
    bpf.loadProgram(
      read.program('tc', () => 0),
      read.license,
      'reflect',
    ),
  );
  run(...attach);
  run('tc', '-n', server, 'filter', 'add', 'dev', 'in', 'ingress', 'bpf', 'da', 'obj', object, 'sec', 'tc');
  try {
    return measured('cache');
  } finally {
    run('tc', '-n', server, 'qdisc', 'del', 'dev', 'in', 'clsact');
  }
}

try {
  const floor = reflected();
  process.stdout.write(
    `a program that sends the packet back: ${floor.cost.toFixed(1)} us a query, ${floor.latency.toFixed(0)} us latency\n`,
  );
  process.stdout.write(
    '| scenario | server | us a query | less the reflecting program | us latency at 20,000 q/s |\n|---|---|---|---|---|\n',
  );
  for (const kind of ['cache', 'cluster'] as const)
    for (const { name, program, command } of PEERS) {
      const words = command(kind);
      if (words === undefined || (program !== undefined && !installed(program))) continue;
      const child = startPinned(CORE, 'ip', within(server, ...words));
      await new Promise((resolve) => setTimeout(resolve, 3000));
      const { cost, latency } = measured(kind);
      await stop(child);
      const scenario = kind === 'cache' ? 'cache hit, kernel' : 'cluster names, kernel';
      process.stdout.write(
        `| ${scenario} | ${name} | ${cost.toFixed(1)} | ${(cost - floor.cost).toFixed(1)} | ${latency.toFixed(0)} |\n`,
      );
    }
} finally {
  namespaces.remove();
}
