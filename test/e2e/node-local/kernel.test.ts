import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kernelPrograms, type KernelProgram } from '../../../src/kernel/kernel-status.js';
import { missingForKernel, programsOf } from '../../support/kernel-server.js';
import { PROGRAM, Program } from '../../support/program.js';
import { Namespaces, inside, join, run, runIn, whyNot } from './namespaces.js';

const reason = missingForKernel() ?? whyNot(['ip', 'iptables', 'iptables-save', 'conntrack', 'dig']);
if (reason !== undefined) console.log(`test/e2e/node-local/kernel: ${reason}; skipped`);

const CLUSTER_DNS = '10.96.31.170';
const LOCAL = ['169.254.20.10', '10.96.0.10'] as const;
const NAME = 'webpod.default.svc.cluster.local';
const CLUSTER = `.:53 {
  bind ${CLUSTER_DNS}
  hosts {
    10.96.152.212 ${NAME}
  }
}
`;
const TEMPLATE = `__PILLAR__DNS__DOMAIN__:53 {
  errors
  cache {
    success 9984 30
    denial 9984 5
  }
  loop
  bind __PILLAR__LOCAL__DNS__
  forward . __PILLAR__CLUSTER__DNS__ {
    force_tcp
  }
}
`;

describe.skipIf(reason !== undefined)('a node cache with answers in the kernel, where pods come and go', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'node-kernel-'));
  const started: Program[] = [];
  let namespaces: Namespaces;
  let node: string;

  /** Those of the node cache: other tests have some too. */
  const programs = async (): Promise<KernelProgram[]> => {
    const own = programsOf(started.at(-1)!.child.pid!);
    return (await kernelPrograms(0, () => Promise.resolve())).filter(({ id }) => own.has(id));
  };
  const answered = async (): Promise<number> => (await programs())[0]?.queries.answered ?? 0;
  const start = async (namespace: string, args: string[], env: Record<string, string> = {}): Promise<void> => {
    const program = new Program(inside(namespace, ...PROGRAM, ...args), env);
    started.push(program);
    await program.said(/nodens-/);
  };

  /** A pod whose end on the node has no address of its own, as with Cilium and Calico. */
  function addPod(number: number): string {
    const pod = namespaces.add(`nk-pod${number}`);
    join([node, `lxc${number}`, []], [pod, 'eth0', [`172.20.0.${number}/32`]]);
    run('ip', '-n', pod, 'route', 'add', '172.20.0.1', 'dev', 'eth0', 'scope', 'link');
    run('ip', '-n', pod, 'route', 'add', 'default', 'via', '172.20.0.1');
    run('ip', '-n', node, 'route', 'add', `172.20.0.${number}`, 'dev', `lxc${number}`);
    return pod;
  }

  async function attachedAt(count: number): Promise<void> {
    for (const end = performance.now() + 15_000; ;) {
      const devices = (await programs())[0]?.devices.length;
      if (devices === count) return;
      if (performance.now() > end) throw new Error(`attached at ${devices} devices, not at ${count}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const ask = (pod: string, server: string): string =>
    runIn(pod, 'dig', `@${server}`, NAME, '+short', '+tries=2', '+timeout=5', '+noedns').trim();

  beforeAll(async () => {
    namespaces = new Namespaces();
    node = namespaces.add('nk-node');
    const dns = namespaces.add('nk-dns');
    join([node, 'eth0', ['192.168.10.100/24']], [dns, 'eth0', ['192.168.10.10/24', `${CLUSTER_DNS}/32`]]);
    run('ip', '-n', node, 'route', 'add', CLUSTER_DNS, 'via', '192.168.10.10');
    // The address that pods know their node by; a rule of the usual kind switches connection tracking on.
    run('ip', '-n', node, 'addr', 'add', '172.20.0.1/32', 'dev', 'lo');
    runIn(node, 'iptables', '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'ESTABLISHED', '-j', 'ACCEPT');
    writeFileSync(path.join(dir, 'cluster'), CLUSTER);
    mkdirSync(path.join(dir, 'base'));
    writeFileSync(path.join(dir, 'base', 'Corefile.base'), TEMPLATE);
    await start(dns, ['-conf', path.join(dir, 'cluster')]);
    const files = ['-conf', path.join(dir, 'Corefile'), '-basecorefile', path.join(dir, 'base', 'Corefile.base')];
    const cache = ['-localip', LOCAL.join(','), ...files, '-upstreamsvc', 'kube-dns-upstream', '-io', 'kernel=lxc*'];
    await start(node, ['node-cache', ...cache], { KUBE_DNS_UPSTREAM_SERVICE_HOST: CLUSTER_DNS });
  }, 60_000);
  afterAll(async () => {
    for (const program of started) await program.stop('SIGKILL');
    namespaces.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  it('answers at both addresses, with nothing in the table of connections', async () => {
    await attachedAt(0);
    const first = addPod(69);
    await attachedAt(1);
    for (const server of [...LOCAL, ...LOCAL, ...LOCAL]) expect(ask(first, server)).toBe('10.96.152.212');
    // The first one comes from the cluster DNS, the second one of the cache, and from then on from below it.
    expect(await answered()).toBeGreaterThanOrEqual(3);
    const second = addPod(70);
    await attachedAt(2);
    const count = await answered();
    for (const server of LOCAL) expect(ask(second, server)).toBe('10.96.152.212');
    expect(await answered()).toBe(count + 2);
    expect(runIn(node, 'conntrack', '-L').match(/src=172\.20\.0\.\d+ .*dport=53 /)).toBeNull();
    run('ip', '-n', node, 'link', 'del', 'lxc69');
    await attachedAt(1);
  }, 60_000);
});
