import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());

/** What a capture in the background prints of a line that is typed meanwhile. */
const captured = async (tcpdump: string, line: string): Promise<string> => {
  for (const one of [`${tcpdump} &`, line, 'sleep 2']) await driven.run(one);
  return (await driven.run('fg')).text;
};
const LOOKUP = 'kubectl exec curl-pod -- dig +short webpod.default.svc.cluster.local';

describe('tcpdump without -n', () => {
  it('names addresses as its pod does: itself, endpoints of services, and those of its own lookups', async () => {
    const text = await captured('kubectl exec curl-pod -- tcpdump -i eth0 udp port 53', LOOKUP);
    const server = String.raw`172-20-\d-\d+\.kube-dns\.kube-system\.svc\.cluster\.local\.domain`;
    expect(text).toMatch(new RegExp(`IP curl-pod\\.\\d+ > ${server}: \\d+\\+ .* A\\? webpod\\.default`));
    expect(text).toMatch(new RegExp(`IP ${server} > curl-pod\\.\\d+: \\d+\\*- 1/0/1 A 10\\.96\\.152\\.212`));
    // As with the real one, what it asks itself is captured too, at most once for each server.
    expect([1, 2]).toContain(text.match(/PTR\? \d+\.\d\.20\.172\.in-addr\.arpa\./g)?.length);
  });

  it('leaves addresses that have no name', async () => {
    const text = await captured('tcpdump -c 2 -i eth1 icmp', 'kubectl exec curl-pod -- ping -c 1 172.20.0.130');
    expect(text).toMatch(/IP 172\.20\.1\.236 > 172\.20\.0\.130: ICMP echo request/);
  });

  it('names nodes by the hosts file of a node', async () => {
    const text = await captured('ssh k8s-w1 tcpdump -c 2 -i eth1 icmp', 'ping -c 1 192.168.10.101');
    expect(text).toMatch(/IP k8s-ctr > k8s-w1: ICMP echo request/);
  });

  it.each(['-n', '-nn'])('but not with %s', async (option) => {
    const text = await captured(`kubectl exec curl-pod -- tcpdump ${option} -c 2 -i eth0 udp port 53`, LOOKUP);
    expect(text).toMatch(/IP 172\.20\.1\.236\.\d+ > 172\.20\.\d\.\d+\.53: /);
    expect(text).not.toMatch(/PTR|kube-dns/);
  });

  it('prints what still waits for a name when it is stopped', async () => {
    for (const line of [
      'drop -n kube-system coredns-674b8bbfcf-vvgfm',
      'drop -n kube-system $(kubectl get pods -n kube-system -l k8s-app=kube-dns -o name | tail -1 | cut -d/ -f2)',
    ])
      await driven.run(line);
    const text = await captured(
      'kubectl exec curl-pod -- tcpdump -i eth0 icmp',
      'kubectl exec curl-pod -- ping -c 1 10.10.1.200',
    );
    expect(text).toContain('10.10.1.200: ICMP echo request');
  });
});
