import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../../src/lab/explain/explanation.js';
import { drivenLab, topologyWith, type Driven } from '../lab.js';

describe('explain tells causes', () => {
  let driven: Driven;
  const run = async (line: string): Promise<string> => (await driven.run(line)).text;
  beforeAll(async () => {
    driven = await drivenLab();
  });
  afterAll(() => driven.end());

  it('an address is not looked up', async () =>
    expect(await run('explain 10.96.0.10')).toBe(
      '10.96.0.10 is an address: programs take it as it is, and nothing is looked up; --type PTR asks for its name\n',
    ));

  it.each([
    {
      line: 'explain 10.96.0.10 --type PTR',
      text: '10.0.96.10.in-addr.arpa. has kube-dns.kube-system.svc.cluster.local.\n',
    },
    { line: 'explain _dns._udp.kube-dns.kube-system --type srv', text: ' kube-dns.kube-system.svc.cluster.local.\n' },
    { line: 'explain _none._udp.kube-dns.kube-system --type SRV', text: 'EAI_NONAME: Name or service not known' },
    { line: 'explain 10.96.0.10 --type PTR --libc musl', text: '--libc: got "musl" with --type PTR, allowed: glibc' },
  ])('$line', async ({ line, text }) => expect(await run(line)).toContain(text));

  it('as JSON it has all that the words have', async () => {
    const explanation = JSON.parse(await run('explain webpod -o json')) as Explanation;
    expect(explanation).toMatchObject({ asked: 'webpod', found: true, reasons: [] });
  });

  it('libraries stand side by side', async () => {
    const [head, ...rows] = (await run('explain google.com --compare libcs')).trimEnd().split('\n');
    expect(head).toMatch(/^LIBC +QUERIES +PACKETS +SOCKETS +TIME +OUTCOME$/);
    expect(rows.map((row) => row.split(/ +/).slice(0, 2))).toEqual([
      ['glibc', '10'],
      ['musl', expect.any(String)],
      ['go', expect.any(String)],
      ['bind', expect.any(String)],
      ['busybox', expect.any(String)],
    ]);
    expect(await run('explain google.com --compare nothing')).toContain(
      '--compare: got "nothing", allowed: libcs, modes',
    );
  });

  it('modes of the node cache stand side by side, in labs of their own', async () => {
    const [head, ...rows] = (await run('explain google.com --compare modes')).trimEnd().split('\n');
    expect(head).toMatch(/^MODE +QUERIES +PACKETS +VISITS +COLD +WARM +OUTCOME$/);
    const cells = rows.map((row) => row.split(/ +/));
    expect(cells.map(([mode, queries]) => `${mode} ${queries}`)).toEqual(['none 10', 'iptables 10', 'redirect 10']);
    const warm = cells.map((row) => Number(row[6]));
    // Only the redirect leads to the cache of the node.
    expect(warm[2]).toBeLessThan(warm[0]!);
    expect(await run('kubectl get ds -n kube-system node-local-dns')).toContain('not found');
  });

  it('a node cache with rules is passed by, and why', async () => {
    expect(await run('explain webpod')).not.toContain('passed by');
    await run('kubectl apply -f ../manifests/node-local-dns.yaml');
    expect(await run('explain webpod')).toContain(
      'k8s-ctr has the address itself and is passed by: sockets are translated before a packet is sent',
    );
    await run('kubectl delete ds node-local-dns -n kube-system');
  });

  it('a backend that was chosen and is silent, by name', async () => {
    const pods = driven.lab.kubelet.list().filter(({ name }) => name.startsWith('coredns'));
    for (const { name } of pods) await run(`hang -n kube-system ${name}`);
    const text = await run('explain webpod');
    const names = pods.map(({ name, model }) => `kube-system/${name} \\(${model.ip}\\)`).join('|');
    expect(text).toMatch(new RegExp(`no server took it: (${names}) was chosen, and is silent`));
    expect(text).toMatch(
      new RegExp(`^why: backend (${names}) of 10\\.96\\.0\\.10 is silent: timeout after 10\\.0 s$`, 'm'),
    );
    expect(text).toContain('try: Look whether it runs: kubectl get pods -A, and its logs\n');
    for (const { name } of pods) await run(`restart -n kube-system ${name}`);
    expect(await run('explain webpod')).not.toContain('why:');
  });
});

describe('explain with an upstream that is silent', () => {
  it('names it, with the time that it was waited for', async () => {
    const driven = await drivenLab(
      {},
      topologyWith('two-nodes', [
        ['corefile: world, upstream: true, delay: 4', 'corefile: world, upstream: true, delay: 10000'],
      ]),
    );
    const { text } = await driven.run('explain google.com.');
    expect(text).toMatch(/; \d+\.\d+\.\d+\.\d+:53 by UDP: timeout after /);
    expect(text).toMatch(/^why: upstream \d+\.\d+\.\d+\.\d+:53 is silent: timeout after /m);
    await driven.end();
  });
});
