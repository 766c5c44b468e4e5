import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/lab/commands/index.js';
import { Session } from '../../src/lab/session/session.js';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());
const run = async (line: string): Promise<string> => (await driven.run(line)).text;

describe('a shell in a pod', () => {
  it('takes the next lines, until it is left', async () => {
    expect(await run('kubectl exec -it curl-pod -- bash')).toBe('programs run in curl-pod now; exit leaves it\n');
    expect(driven.session.prompt).toBe('curl-pod:~# ');
    expect(await run('hostname')).toBe('curl-pod\n');
    expect(await run('cat /etc/resolv.conf | grep -c nameserver')).toBe('1\n');
    expect(await run('dig +short webpod.default.svc.cluster.local; echo done')).toBe('10.96.152.212\ndone\n');
    expect(await run('kubectl get pods')).toContain(
      'error: exec: "kubectl": executable file not found in $PATH; there are nslookup, dig',
    );
    expect(await run('help')).toMatch(/^in curl-pod there are nslookup, .*; exit leaves it\n$/);
    expect(await run('exit')).toBe('');
    expect(driven.session.prompt).toBe('lab$ ');
  });

  it('ends with its pod', async () => {
    await run('kubectl run short --image=nicolaka/netshoot');
    await run('kubectl exec -it short -- sh');
    await driven.lab.remove('Pod', 'default', 'short');
    expect(await driven.run('hostname')).toEqual({
      text: 'pod short is gone; programs run on k8s-ctr again\n',
      code: 137,
    });
    expect(await run('hostname')).toBe('k8s-ctr\n');
  });

  it('needs a prompt', async () => {
    let text = '';
    const code = await driven.drive(
      driven.session.run('kubectl exec -it curl-pod -- bash', { write: (part) => (text += part) }),
    );
    expect([text, code]).toEqual([
      'error: a shell in a pod needs a prompt: type this in "nodens lab shell", or give a command: kubectl exec curl-pod -- COMMAND\n',
      126,
    ]);
  });
});

describe('sh -c', () => {
  it.each([
    { line: `kubectl exec curl-pod -- sh -c 'curl -s webpod | grep -c Hostname'`, text: '1\n' },
    {
      line: `kubectl exec curl-pod -- /bin/sh -c 'hostname; dig +short nosuch. && echo none'`,
      text: 'curl-pod\nnone\n',
    },
    {
      line: `kubectl exec curl-pod -- sh -c 'curl -s nosuch || echo failed'`,
      text: 'curl: (6) Could not resolve host: nosuch\nfailed\n',
    },
    {
      line: `kubectl exec curl-pod -- sh -c 'hostname > x; cat x; for i in 1 2; do echo $i; done'`,
      text: 'curl-pod\n1\n2\n',
    },
    {
      line: `kubectl exec curl-pod -- sh -c 'while true; do hostname; done'`,
      text: 'the loop would never end here: put & at the end of the line, and print its output later with: fg\n',
    },
  ])('$line', async ({ line, text }) => expect(await run(line)).toBe(text));

  it('a loop runs until it is ended', async () => {
    await run(`kubectl exec -it curl-pod -- sh -c 'while true; do curl -s webpod | grep Hostname; sleep 1; done' &`);
    await run('sleep 3.5');
    expect((await run('fg')).match(/^Hostname: webpod-/gm)).toHaveLength(4);
  });
});

describe('a line that is interrupted', () => {
  it.each([
    { name: 'a program that minds it', line: 'hubble observe -f', code: 0 },
    { name: 'a program that does not', line: 'kubectl exec curl-pod -- curl 10.10.9.9', code: 130 },
    { name: 'what comes after it', line: 'sleep 1000; echo never', code: 0 },
  ])('$name', async ({ line, code }) => {
    const stop = new AbortController();
    let text = '';
    const running = driven.session.run(line, { write: (part) => (text += part), signal: stop.signal });
    await driven.run('sleep 1');
    stop.abort();
    expect(await driven.drive(running)).toBe(code);
    expect(text).not.toContain('never');
  });
});

describe('kubectl logs', () => {
  it.each([
    {
      line: 'kubectl -n kube-system logs deploy/coredns --tail 1',
      text: /^Found 2 pods, using pod\/coredns-674b8bbfcf-vvgfm\nnodens-\S+\n$/,
    },
    { line: 'kubectl -n kube-system logs coredns-674b8bbfcf-vvgfm --since=1s', text: /^$/ },
    { line: 'kubectl -n kube-system logs coredns-674b8bbfcf-vvgfm --since=5m --tail=1', text: /^nodens-/ },
    {
      line: 'kubectl -n kube-system logs coredns-674b8bbfcf-vvgfm --tail=1 --timestamps',
      text: /^2025-07-30T14:56:15\.\d{9}Z nodens-/,
    },
    {
      line: 'kubectl -n kube-system logs -l k8s-app=kube-dns --tail=1 --prefix',
      text: /^\[pod\/coredns-674b8bbfcf-gbnm8\] nodens-\S+\n\[pod\/coredns-674b8bbfcf-vvgfm\] nodens-\S+\n$/,
    },
    {
      line: 'kubectl -n kube-system logs coredns-674b8bbfcf-vvgfm -p',
      text: /^Error from server \(BadRequest\): previous terminated container in pod "coredns-674b8bbfcf-vvgfm" not found\n$/,
    },
  ])('$line', async ({ line, text }) => expect(await run(line)).toMatch(text));

  it('-p shows what was written before the program began anew', async () => {
    await run('kubectl run web --image=coredns; sleep 1; restart web; sleep 1');
    expect(await run('kubectl logs web -p')).toContain("open '/Corefile'");
    await run('kubectl delete pod web');
  });
});

const KUBELET = 'clusterDNS:\n- 10.96.0.10\nclusterDomain: cluster.local\ncontainerRuntimeEndpoint: ""\n';

describe('on a node', () => {
  it.each([
    {
      line: "grep -v '^#' /etc/resolv.conf",
      text: 'nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch Davolink\n',
    },
    { line: 'grep cluster -A1 /var/lib/kubelet/config.yaml', text: KUBELET },
    { line: 'cat /etc/passwd', text: 'cannot read /etc/passwd: no such file\n' },
    { line: 'dig +short google.com', text: '142.250.196.110\n' },
    { line: 'dig @10.96.0.10 +short webpod.default.svc.cluster.local', text: '10.96.152.212\n' },
    { line: 'ssh k8s-w1 hostname', text: 'k8s-w1\n' },
    { line: 'curl -s -o /dev/null -w "%{http_code} %{remote_ip}\\n" 10.96.152.212', text: '200 10.96.152.212\n' },
    { line: 'ip -br addr show eth1', text: 'eth1             UP             192.168.10.100/24\n' },
    { line: 'iptables -t raw -S OUTPUT | head -1', text: '-P OUTPUT ACCEPT\n' },
    {
      line: 'cilium status | grep Masq',
      text: 'Masquerading:            BPF   [eth0, eth1]   172.20.0.0/16 [IPv4: Enabled, IPv6: Disabled]\n',
    },
    { line: 'cilium hubble port-forward', text: 'Hubble is reached without a port-forward here: hubble observe\n' },
  ])('$line', async ({ line, text }) => expect(await run(line)).toBe(text));

  it('ip addr tells of each device', async () => {
    expect(await run('ip addr show dev eth1')).toMatch(
      /^3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000\n {4}link\/ether [\da-f:]{17} brd ff:ff:ff:ff:ff:ff\n {4}inet 192\.168\.10\.100\/24 scope global eth1\n {7}valid_lft forever preferred_lft forever\n$/,
    );
    expect(await run('ip -4 a')).toContain('1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN');
  });

  it.each([
    { line: 'ip addr show eth9', text: 'Device "eth9" does not exist; there are lo, eth0, eth1' },
    { line: 'iptables', text: 'iptables: allowed: iptables [-t TABLE] -S|-L [CHAIN]; all of them: iptables-save' },
    { line: 'iptables -t x -S', text: 'iptables: -t: got "x", allowed: raw, mangle, nat, filter' },
    {
      line: 'hubble observe --protocol dns',
      text: 'hubble: --protocol dns: Hubble looks into packets only where a policy tells it to',
    },
    { line: 'dig +trace google.com', text: 'dig: +trace is not supported: there are no root servers here' },
    { line: 'curl -o file webpod', text: 'curl: -o: got "file", allowed: /dev/null' },
    { line: 'curl -H x 10.96.152.212', text: 'curl: -H: got "x", allowed: NAME: VALUE' },
    { line: 'curl -s -w "%{x}" 10.96.152.212', text: 'curl: -w: got %{x}, allowed: %{http_code}' },
    { line: 'kubectl exec curl-pod -- wget webpod', text: 'wget: allowed: wget -qO- [-T SECONDS] URL' },
    { line: 'kubectl exec curl-pod -- nc webpod 80', text: 'nc: allowed: nc -z [-v] [-w SECONDS] HOST PORT, by TCP' },
    { line: 'kubectl exec curl-pod -- nc -z webpod x', text: 'nc: port: got "x", allowed: 1 to 65535' },
    {
      line: 'kubectl exec curl-pod -- nc -z webpod 81 -w 1',
      text: 'nc: connect to webpod (10.96.152.212) port 81 (tcp) failed: Operation timed out',
    },
    {
      line: 'kubectl exec curl-pod -- ping -c 1 google.com',
      text: 'note: nothing in this lab has the address 142.250.196.110, so there will be no answer',
    },
  ])('refuses $line', async ({ line, text }) => {
    const ran = await driven.run(line);
    expect(ran.text).toContain(text);
    expect(ran.code).not.toBe(0);
  });
});

describe('tcpdump -w', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-pcap-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const noReader = spawnSync('sh', ['-c', 'command -v tshark']).status !== 0;
  if (noReader) console.log('test/lab/shells: tshark is not installed; no other program reads the capture file');

  async function capture(line: string, file: string): Promise<string> {
    const session = new Session(
      driven.lab,
      {
        read: () => '',
        write: (name, bytes) => writeFileSync(path.join(folder, name), bytes),
      },
      COMMANDS,
    );
    let text = '';
    const say = (one: string): Promise<number> => driven.drive(session.run(one, { write: (part) => (text += part) }));
    await say(`${line} -w ${file} &`);
    await say('kubectl exec curl-pod -- dig webpod.default.svc.cluster.local > answer');
    await say('fg');
    return text;
  }

  it('writes what it sees, and says how much', async () =>
    expect(await capture('tcpdump -i any udp port 53', 'any.pcap')).toMatch(/^[23] packets captured\n$/));

  it.skipIf(noReader)('writes what tshark reads', async () => {
    await capture('tcpdump -i lxcd63c3c1415ff udp port 53', 'lxc.pcap');
    const read = execFileSync(
      'tshark',
      ['-r', path.join(folder, 'lxc.pcap'), '-T', 'fields', '-e', 'ip.src', '-e', 'dns.qry.name'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    expect(read).toBe('172.20.1.236\twebpod.default.svc.cluster.local\n');
  });
});
