import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../../src/lab/explain/explanation.js';
import { drivenLab, topologyWith, type Driven } from '../lab.js';

const ALIAS = `apiVersion: v1
kind: Service
metadata: { name: outside, namespace: default }
spec: { type: ExternalName, externalName: www.google.com }
`;

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
    const pointer = JSON.parse(await run('explain 10.96.0.10 --type PTR -o json')) as Explanation;
    expect(pointer).toMatchObject({ found: true, addresses: [] });
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
      new RegExp(`^why: backend (${names}) of 10\\.96\\.0\\.10 is silent: timeout after 5\\.0 s$`, 'm'),
    );
    expect(text).toContain('try: Look whether it runs: kubectl get pods -A, and its logs\n');
    for (const { name } of pods) await run(`restart -n kube-system ${name}`);
    expect(await run('explain webpod')).not.toContain('why:');
  });
});

describe('explain in short: a step a line', () => {
  let driven: Driven;
  beforeAll(async () => {
    driven = await drivenLab({ 'alias.yaml': ALIAS });
    await driven.run('kubectl apply -f alias.yaml');
  });
  afterAll(() => driven.end());
  const COREDNS = 'coredns-674b8bbfcf-\\w{5}';

  it('the name that a server asks for to follow an alias out of the cluster', async () => {
    expect((await driven.run('explain -v outside')).text).toMatch(/; asks for www\.google\.com\. AAAA: NOERROR$/m);
    const { steps } = JSON.parse((await driven.run('explain outside --type A -o json')).text) as Explanation;
    expect(steps[0]!.queries[0]!.hops.at(-1)).toMatchObject({
      asks: [{ name: 'www.google.com.', type: 'A', result: 'NOERROR' }],
    });
  });

  it.each([
    {
      name: 'both types on one way',
      line: 'explain google.com',
      steps: [
        `google.com.default.svc.cluster.local.  (search default.svc.cluster.local)  A and AAAA NXDOMAIN after 0.0 ms: ${COREDNS} (cache disabled, kubernetes)`,
        `google.com.svc.cluster.local.  (search svc.cluster.local)  A and AAAA NXDOMAIN after 0.0 ms: ${COREDNS} (cache disabled, kubernetes)`,
        `google.com.cluster.local.  (search cluster.local)  A and AAAA NXDOMAIN after 0.0 ms: ${COREDNS} (cache disabled, kubernetes)`,
        `google.com.Davolink.  (search Davolink)  A and AAAA NXDOMAIN after 4.0 ms: ${COREDNS} (cache miss, forward) > resolver(-w1)? (template)`,
        `google.com.  (the name as it stands)  A and AAAA NOERROR after 4.0 ms: ${COREDNS} (cache miss, forward) > resolver(-w1)? (hosts)`,
      ],
    },
    {
      name: 'results that differ',
      line: 'explain webpod',
      steps: [
        `webpod.default.svc.cluster.local.  (search default.svc.cluster.local)  A NOERROR, AAAA NODATA after 0.0 ms: ${COREDNS} (cache disabled, kubernetes)`,
      ],
    },
    {
      name: 'an alias of another name',
      line: 'explain outside --type A',
      steps: [
        `outside.default.svc.cluster.local.  (search default.svc.cluster.local)  A NOERROR after 0.0 ms: ${COREDNS} (cache disabled, kubernetes, asks for www.google.com.); outside.default.svc.cluster.local. is an alias of www.google.com.`,
      ],
    },
  ])('$name', async ({ line, steps }) => {
    const { text } = await driven.run(line);
    expect(text).toContain('\n10.96.0.10: service kube-system/kube-dns: to 172.20.0.186 or 172.20.1.144\n\n1. ');
    const told = text.split('\n').filter((one) => /^\d+\. /.test(one));
    expect(told).toHaveLength(steps.length);
    for (const [i, step] of steps.entries())
      expect(told[i]).toMatch(
        new RegExp(`^${i + 1}\\. ${step.replace(/[.](?!\d? ms)|\((?!-w1)|(?<!-w1)\)/g, '\\$&')}$`),
      );
  });

  it('the servers behind a redirect, and one that is silent', async () => {
    await driven.run('kubectl apply -f ../manifests/node-local-dns-lrp.yaml');
    await driven.run('kubectl apply -f ../manifests/lrp.yaml');
    const { text } = await driven.run('explain webpod --type A');
    expect(text).toMatch(/^10\.96\.0\.10: redirect kube-system\/nodelocaldns on k8s-ctr: to /m);
    expect(text).toMatch(
      /: node-local-dns-\w{5} \(cache miss, forward\) > coredns-\w+-\w{5} by TCP \(cache disabled, /,
    );
    expect((await driven.run('explain webpod --type A')).text).toMatch(/: node-local-dns-\w{5} \(cache hit\)$/m);
    await driven.run('hang -n kube-system ds/node-local-dns');
    expect((await driven.run('explain webpod')).text).toMatch(
      /A and AAAA timeout \(2 times\) after 5\.0 s: no server took it: kube-system\/node-local-dns-\w{5} \(.*\) was chosen, and is silent$/m,
    );
  });
});

describe('explain of a way that leads nowhere', () => {
  let driven: Driven;
  beforeAll(async () => {
    driven = await drivenLab();
  });
  afterAll(() => driven.end());
  const LOOP = 's#forward . [^ ]*#forward . 10.96.0.10#; s/^ *loop$//';

  it.each([
    {
      name: 'a forward that comes back is a loop, told until it does',
      change: LOOP,
      line: 'explain google.com. --type A',
      want: [
        /^1\. google\.com\. .*: (coredns-\S+) \(cache miss, forward\) > (.* > )?\1 \(cache miss, forward\) > a loop, \d+ visits? more[;\n]/m,
        /^why: loop: what is sent upstream comes back to this server\ntry: Name the resolvers of the network in forward, not one that forwards here\n$/m,
      ],
    },
    {
      name: 'and hop by hop as far',
      change: LOOP,
      line: 'explain -v example.org. --type A',
      want: [/^ +a loop: \d+ visits? more of the same$/m],
    },
    {
      name: 'a backend where nothing listens refuses, and is not silent',
      change: 's/.:53/.:5353/',
      line: 'explain google.com. --type A',
      want: [
        /A connection refused .*: no server took it: kube-system\/coredns-\S+ \(.*\) was chosen, and says connection refused$/m,
        /^why: backend kube-system\/coredns-\S+ \(.*\) of 10\.96\.0\.10 has not taken it: connection refused$/m,
      ],
    },
  ])('$name', async ({ change, line, want }) => {
    await driven.run(`kubectl get cm -n kube-system coredns -o yaml | sed '${change}' | kubectl apply -f -`);
    await driven.run('kubectl rollout restart -n kube-system deploy/coredns');
    await driven.run('sleep 20');
    const { text } = await driven.run(line);
    for (const one of want) expect(text).toMatch(one);
    expect(text).not.toMatch(/is silent/);
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
    const { text } = await driven.run('explain -v google.com.');
    expect(text).toMatch(/; \d+\.\d+\.\d+\.\d+:53 by UDP: timeout after /);
    expect(text).toMatch(/^why: upstream \d+\.\d+\.\d+\.\d+:53 is silent: timeout after /m);
    // What is sent again reaches the server that is still at it.
    expect(text).not.toContain('no server took it');
    await driven.end();
  });
});
