import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Program, PROGRAM } from '../../support/program.js';
import { Namespaces, inside, join, run, runIn, whyNot } from './namespaces.js';

const reason = whyNot(['ip', 'iptables-nft', 'iptables-legacy', 'dig']);
if (reason !== undefined)
  console.log(`test/e2e/node-local/second-instance: ${reason} (Debian: iproute2, iptables, bind9-dnsutils); skipped`);

const LOCAL = '169.254.20.10';
const KUBE_DNS = '10.96.0.10';
const HEALTH = 18_080;
const BASE = `.:53 {
    bind __PILLAR__LOCAL__DNS__
    health __PILLAR__LOCAL__DNS__:8080
    prometheus :9253
    hosts {
        192.0.2.7 www.example.test
    }
}
`;
/** Fails to start where another program has that port for itself. */
const FAILING = BASE.replace('__PILLAR__LOCAL__DNS__:8080', `127.0.0.1:${HEALTH}`);

describe.skipIf(reason !== undefined)('instances that share a node', () => {
  let namespaces: Namespaces;
  let node: string;
  let pod: string;
  let dir: string;
  const started: Program[] = [];

  const start = async (base = BASE, serves = true, ...more: string[]): Promise<Program> => {
    const own = mkdtempSync(path.join(dir, 'instance-'));
    writeFileSync(path.join(own, 'Corefile.base'), base);
    const args = ['-localip', `${LOCAL},${KUBE_DNS}`, '-basecorefile', path.join(own, 'Corefile.base')];
    const command = [...PROGRAM, 'node-cache', ...args, '-conf', path.join(own, 'Corefile'), ...more];
    const program = new Program(inside(node, ...command), { KUBE_DNS_SERVICE_HOST: '192.0.2.53' });
    started.push(program);
    if (serves) await program.said(/^nodens-\d/m);
    return program;
  };
  const rules = (command = 'iptables-nft'): number =>
    runIn(node, `${command}-save`)
      .split('\n')
      .filter((line) => line.includes('NodeLocal')).length;
  const serving = async (): Promise<Program> => {
    const program = await start();
    for (let tries = 0; rules('iptables-nft') + rules('iptables-legacy') < 24 && tries < 250; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    return program;
  };
  const links = (): string => run('ip', '-n', node, 'link', 'show');
  const dig = (...more: string[]): string =>
    runIn(pod, 'dig', `@${KUBE_DNS}`, 'www.example.test', '+short', '+tries=1', '+timeout=5', ...more);
  /** How many listen at an address and port of IPv4, as /proc/net/tcp has them. */
  const listening = (address: string, port: number): number => {
    const host = Buffer.from(address.split('.').map(Number)).reverse().toString('hex').toUpperCase();
    const place = `${host}:${port.toString(16).toUpperCase().padStart(4, '0')} `;
    return runIn(node, 'cat', '/proc/net/tcp')
      .split('\n')
      .filter((line) => line.includes(` ${place}`) && / 0A /.test(line)).length;
  };

  beforeAll(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-second-'));
    namespaces = new Namespaces();
    [node, pod] = [namespaces.add('node2'), namespaces.add('pod2')];
    join([node, 'lxc0', ['172.20.0.1/24']], [pod, 'eth0', ['172.20.0.69/24']]);
    run('ip', '-n', pod, 'route', 'add', 'default', 'via', '172.20.0.1');
  });

  afterEach(async () => {
    for (const program of started.splice(0)) await program.stop();
  });

  afterAll(() => {
    namespaces.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  it('all listen for DNS, health and metrics, and the last one to end takes the network down', async () => {
    const first = await serving();
    const second = await start();
    await second.said(new RegExp(`${LOCAL}:53 is shared with another process`));
    expect([listening(LOCAL, 53), listening(KUBE_DNS, 53), listening(LOCAL, 8080)]).toEqual([2, 2, 2]);
    for (let i = 0; i < 8; i++) expect([dig(), dig('+tcp')]).toEqual(['192.0.2.7\n', '192.0.2.7\n']);
    expect(await first.stop()).toBe(0);
    expect(first.text).toContain('Another process serves at -localip: link and rules stay');
    expect([rules(), links().includes('nodelocaldns'), listening(LOCAL, 53)]).toEqual([24, true, 1]);
    expect([dig(), dig('+tcp')]).toEqual(['192.0.2.7\n', '192.0.2.7\n']);
    expect(await second.stop()).toBe(0);
    expect([rules(), links().includes('nodelocaldns')]).toEqual([0, false]);
  });

  it('that end at once leave nothing', async () => {
    const both = [await serving(), await serving()];
    await Promise.all(both.map((program) => program.stop()));
    expect([rules(), links().includes('nodelocaldns')]).toEqual([0, false]);
  });

  it('leave all to the others when they fail to start', async () => {
    const first = await serving();
    const holder = new Program(
      inside(
        node,
        process.execPath,
        '-e',
        `net.createServer().listen(${HEALTH}, '127.0.0.1', () => console.log('held'))`,
      ),
    );
    started.push(holder);
    await holder.said(/held/);
    const second = await start(FAILING, false);
    expect(await second.ended()).toBe(1);
    expect(second.text).toContain(`cannot listen on 127.0.0.1:${HEALTH}`);
    expect([rules(), links().includes('nodelocaldns')]).toEqual([24, true]);
    expect(dig()).toBe('192.0.2.7\n');
    await first.stop();
    expect([rules(), links().includes('nodelocaldns')]).toEqual([0, false]);
  });

  it('leave a link alone that none of them made', async () => {
    run('ip', '-n', node, 'link', 'add', 'taken', 'type', 'bridge');
    run('ip', '-n', node, 'addr', 'add', '192.0.2.1/24', 'dev', 'taken');
    const before = run('ip', '-n', node, 'addr', 'show', 'taken');
    const program = await start(BASE, false, '-interfacename', 'taken');
    await program.ended();
    expect(program.text).toContain('[ERROR] Interface taken was not made by a node cache (bridge)');
    expect([run('ip', '-n', node, 'addr', 'show', 'taken'), rules()]).toEqual([before, 0]);
    run('ip', '-n', node, 'link', 'del', 'taken');
  });

  it('set their rules where the kubelet has its own, on a host with iptables-legacy', async () => {
    for (const args of [
      ['-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT'],
      ['-P', 'INPUT', 'DROP'],
    ])
      runIn(node, 'iptables-legacy', ...args);
    const program = await serving();
    expect([rules('iptables-legacy'), rules('iptables-nft')]).toEqual([24, 0]);
    await program.said(/Using iptables-legacy, which holds the rules of kubelet/);
    // The host drops what no rule lets in: rules in the other set would be of no use.
    expect([dig(), dig('+tcp')]).toEqual(['192.0.2.7\n', '192.0.2.7\n']);
    await program.stop();
    expect([rules('iptables-legacy'), links().includes('nodelocaldns')]).toEqual([0, false]);
  });
});
