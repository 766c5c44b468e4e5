import path from 'node:path';
import { silentLog } from '../../src/lib/log.js';
import { Server } from '../../src/server/server.js';
import { decodeMessage } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import type { FakeApi } from '../support/fake-api.js';
import { clusterApi, service } from './cluster.js';
import { write } from './peer.js';
import { cpuTime, residentMemory, startPinned, stop } from './process.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** The cluster's DNS has a core to itself; API and nodes share the other. */
const CLUSTER_CORE = '0';
const SERVICES = 10_000;
const NODES = 200;
/** A second. */
const CHANGES = 100;
const TICK = 10;
/** Between two services that are made and asked for, and between two looks at a node that does not know it yet. */
const SAMPLE = 500;
const LOOK = 5;
const WARM_UP = 3;
/** An answer that has not come by then counts as this long. */
const PATIENCE = 5000;

/** What freshness takes, and how soon it comes. */
export interface Fresh {
  readonly nodes: number;
  readonly changes: number;
  /** Of all nodes and services that were made, in milliseconds after the API's write. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** Per change and node, in microseconds, with all that the cluster's DNS, and the nodes with their API, do else. */
  readonly clusterCpu: number;
  readonly nodeCpu: number;
  /** Per change and node. */
  readonly bytes: number;
  /** Of the cluster's DNS for each node that has subscribed, in kB. */
  readonly memory: number;
}

const clusterText = (port: number, api: string): string => `cluster.local:${port} {
  bind 127.0.0.1
  cache 30
  push {
    to *
  }
  prometheus 127.0.0.1:${port + 1}
  kubernetes cluster.local {
    endpoint ${api}
  }
}
`;
const nodeText = (port: number): string => `cluster.local:0 {
  bind 127.0.0.1
  cache {
    success 9984 30
    denial 9984 30
  }
  subscribe
  forward . 127.0.0.1:${port} {
    force_tcp
  }
}
`;
const pause = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time));

/** Measures it where the pattern matches `fresh`; takes the ports from `port` on. */
export async function measureFresh(only: RegExp, port: number, seconds: number): Promise<Fresh | undefined> {
  if (!only.test('fresh') || only.source === '(?:)') return undefined;
  const api = await clusterApi(SERVICES);
  const conf = write(`fresh-${port}`, clusterText(port, api.url));
  const child = startPinned(CLUSTER_CORE, path.join(ROOT, 'bin/nodens'), ['-conf', conf]);
  const nodes: Server[] = [];
  const cluster = (): { cpu: number; memory: number } => ({
    cpu: cpuTime(child.pid!),
    memory: residentMemory(child.pid!),
  });
  const own = (): number => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  try {
    await untilServing(port + 1, child.output);
    // Code is optimized, and the heap finds its size.
    const alone = await underChanges(api, WARM_UP, { cluster, own });
    for (let i = 0; i < NODES; i++) nodes.push(await startNode(nodeText(port)));
    await untilSubscribed(port + 1);
    const before = await metric(port + 1, 'bytes_total');
    const told = await underChanges(api, seconds, { cluster, own });
    const bytes = ((await metric(port + 1, 'bytes_total')) - before) / (told.changes * NODES);
    const latencies: number[] = [];
    await underChanges(api, seconds, { cluster, own }, (i) => sample(api, nodes, i, latencies));
    latencies.sort((a, b) => a - b);
    const quantile = (share: number): number =>
      latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!;
    const each = (cpu: number): number => cpu / told.changes / NODES;
    return {
      nodes: NODES,
      changes: CHANGES,
      p50: quantile(0.5),
      p99: quantile(0.99),
      worst: latencies.at(-1)!,
      clusterCpu: each(told.cluster),
      nodeCpu: each(told.own),
      bytes,
      memory: ((told.memory - alone.memory) * 1000) / NODES,
    };
  } finally {
    await Promise.allSettled(nodes.map((node) => node.stop()));
    await stop(child);
    await api.stop();
  }
}

/** Changes services for so long; what processor time that took on both sides. */
async function underChanges(
  api: FakeApi,
  seconds: number,
  measured: { cluster: () => { cpu: number; memory: number }; own: () => number },
  sampled?: (i: number) => Promise<void>,
): Promise<{ changes: number; cluster: number; own: number; memory: number }> {
  const [cluster, own] = [measured.cluster(), measured.own()];
  const samples: Promise<void>[] = [];
  const began = performance.now();
  let changes = 0;
  let taken = 0;
  for (let now = 0; now < seconds * 1000; now = performance.now() - began) {
    for (; changes < (now / 1000) * CHANGES; changes++) change(api);
    if (sampled !== undefined && now >= taken * SAMPLE) {
      const sample = sampled(taken++);
      // Told below, when those of its kind are through.
      sample.catch(() => undefined);
      samples.push(sample);
    }
    await pause(TICK);
  }
  await Promise.all(samples);
  const after = measured.cluster();
  return { changes, cluster: after.cpu - cluster.cpu, own: measured.own() - own, memory: after.memory };
}

let written = 0;

/** Gives one of the services an address that it never had. */
function change(api: FakeApi): void {
  const i = written++;
  const number = (i * 7919) % SERVICES;
  api.apply(service(`ns${number % 100}`, `svc${number}`, `10.99.${(i >> 8) & 255}.${i & 255}`));
}

/** Makes a service that no node knows, and sees when each does. */
async function sample(api: FakeApi, nodes: readonly Server[], i: number, latencies: number[]): Promise<void> {
  const name = `fresh${i}-${performance.now().toFixed(0)}`;
  const asked = query(`${name}.ns0.svc.cluster.local.`).bytes;
  const rcodes = await Promise.all(nodes.map((node) => rcodeOf(node, asked)));
  if (rcodes.some((rcode) => rcode !== 3)) throw new Error(`${name}: got ${rcodes.join(' ')} before it was made`);
  api.apply(service('ns0', name, '10.100.0.1'));
  const written = performance.now();
  await Promise.all(
    nodes.map(async (node) => {
      while ((await rcodeOf(node, asked)) !== 0 && performance.now() - written < PATIENCE) await pause(LOOK);
      latencies.push(performance.now() - written);
    }),
  );
}

async function rcodeOf(node: Server, asked: Uint8Array): Promise<number> {
  const answer = await node.exchange(Uint8Array.from(asked));
  return answer === undefined ? -1 : decodeMessage(Buffer.from(answer)).rcode;
}

async function startNode(corefile: string): Promise<Server> {
  const node = await Server.create({ corefile, log: silentLog() });
  await node.listen();
  return node;
}

async function metric(port: number, name: string): Promise<number> {
  const text = await fetch(`http://127.0.0.1:${port}/metrics`).then((response) => response.text());
  return Number(new RegExp(`^coredns_push_${name} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
}

async function untilServing(port: number, output: () => string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (
      await metric(port, 'entries').then(
        () => true,
        () => false,
      )
    )
      return;
    await pause(100);
  }
  throw new Error(`the cluster's DNS does not start:\n${output()}`);
}

async function untilSubscribed(port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if ((await metric(port, 'entries')) === NODES) return;
    await pause(100);
  }
  throw new Error(`${await metric(port, 'entries')} of ${NODES} nodes have subscribed`);
}

/** The figures with what they are of. */
export function freshText(fresh: Fresh): string {
  const { nodes, changes, p50, p99, worst, clusterCpu, nodeCpu, bytes, memory } = fresh;
  return [
    `fresh: ${nodes} nodes, ${SERVICES} services, ${changes} changes a second`,
    `a new service is known to a node after ${p50.toFixed(0)} ms (p50), ${p99.toFixed(0)} ms (p99), ${worst.toFixed(0)} ms (worst)`,
    `each change and node costs ${clusterCpu.toFixed(1)} us of the cluster's DNS, ` +
      `${nodeCpu.toFixed(1)} us of the node, ${bytes.toFixed(0)} bytes`,
    `each node that has subscribed takes ${memory.toFixed(0)} kB of the cluster's DNS`,
  ].join('\n');
}
