import { afterEach, describe, expect, it } from 'vitest';
import { detailsOf } from '../../src/lab/web/details.js';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

let driven: Driven;
afterEach(() => driven.end());

const text = async (line: string): Promise<string> => (await driven.run(line)).text;
/** READY, STATUS and RESTARTS of the pods of the cluster DNS. */
const state = async (): Promise<string[]> =>
  (await text('kubectl get pods -n kube-system -l k8s-app=kube-dns'))
    .split('\n')
    .slice(1, -1)
    .map((line) => line.split(/ {2,}/).slice(1, -1).join(' '));
const edit = (change: string): Promise<unknown> =>
  driven.run(`EDITOR="sed -i ${change}" kubectl edit cm coredns -n kube-system`);
const LOOP = /^\[ERROR\] plugin\/loop: Loop \(\S+ -> :53\) detected for zone "\.", .*"HINFO \d+\.\d+\."\n$/;

describe('a cluster DNS that forwards to itself', () => {
  it.each([
    { name: 'through the service', lines: [], change: 's,/etc/resolv.conf,10.96.0.10,' },
    {
      name: 'by the resolv.conf of its pod',
      lines: [
        `kubectl patch deploy coredns -n kube-system -p '{"spec":{"template":{"spec":{"dnsPolicy":"ClusterFirst"}}}}'`,
      ],
      change: 's,prometheus,prometheus,',
    },
  ])('$name: CrashLoopBackOff, until its Corefile is another', async ({ lines, change }) => {
    driven = await drivenLab();
    await edit(change);
    for (const line of [...lines, 'kubectl delete pods -n kube-system -l k8s-app=kube-dns']) await driven.run(line);
    await driven.run('sleep 12');
    const [pod] = driven.lab.kubelet.list().filter(({ name }) => name.startsWith('coredns'));
    const name = pod!.name;
    const looping = (one: string): boolean => /^0\/1 CrashLoopBackOff [1-2] \(\d+s ago\)$/.test(one);
    expect((await state()).filter(looping)).not.toEqual([]);
    expect(await text(`kubectl logs -n kube-system ${name} | tail -1`)).toMatch(LOOP);
    // Between two runs the one that ended is the current one and the one before.
    expect(await text(`kubectl logs -n kube-system ${name} --previous | grep -c Loop`)).toBe('1\n');
    expect(await text(`kubectl describe pod -n kube-system ${name}`)).toMatch(
      / State: +Waiting\n +Reason: +CrashLoopBackOff\n +Last State: +Terminated\n +Reason: +Error\n +Exit Code: +1\n/,
    );
    expect(await text('kubectl get events -n kube-system')).toContain(
      `Back-off restarting failed container coredns in pod ${name}_kube-system`,
    );
    expect(Object.fromEntries(detailsOf(driven.lab, `pod/kube-system/${name}`, [])!.facts)).toMatchObject({
      state: 'CrashLoopBackOff',
      restarts: String(pod!.restarts),
    });
    await edit('/loop$/d');
    await driven.run('sleep 30');
    expect(await state()).toEqual(Array(2).fill(expect.stringMatching(/^1\/1 Running \d \(/)));
  });
});

describe('a program that does not start', () => {
  it('is tried again, and runs when its Corefile is mended', async () => {
    driven = await drivenLab();
    await edit('s,ready,raedy,');
    await driven.run('kubectl delete pods -n kube-system -l k8s-app=kube-dns');
    expect(await state()).toEqual(Array(2).fill(expect.stringMatching(/^0\/1 CrashLoopBackOff 1 \(\ds ago\)$/)));
    await edit('s,raedy,ready,');
    await driven.run('sleep 10');
    expect(await state()).toEqual(Array(2).fill(expect.stringMatching(/^1\/1 Running 2 \(\d+s ago\)$/)));
    const [pod] = driven.lab.kubelet.list().filter(({ name }) => name.startsWith('coredns'));
    const logs = `kubectl logs -n kube-system ${pod!.name}`;
    expect(await text(logs)).not.toContain('raedy');
    expect(await text(`${logs} --previous`)).toContain('raedy');
  });
});
