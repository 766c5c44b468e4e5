import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completions } from '../../src/lab/commands/completion.js';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());

describe('completions', () => {
  it.each([
    { line: 'kub', want: ['kubectl', 'kubens'] },
    { line: 'kubectl des', want: ['describe'] },
    { line: 'kubectl get depl', want: ['deploy', 'deployment', 'deployments'] },
    { line: 'kubectl get pod w', want: ['webpod-556878d5d7-7p8bn', 'webpod-556878d5d7-r4dmh'] },
    { line: 'kubectl -n kube-system get po coredns-674b8bbfcf-g', want: ['coredns-674b8bbfcf-gbnm8'] },
    { line: 'kubectl describe svc/kube', want: ['svc/kubernetes'] },
    { line: 'kubectl edit cm -n kube-system co', want: ['coredns'] },
    { line: 'kubectl get pods -n kube', want: ['kube-system'] },
    { line: 'kubectl get nodes -o js', want: ['json', 'jsonpath='] },
    { line: 'kubectl exec cur', want: ['curl-pod'] },
    { line: 'kubectl exec curl-pod -- ns', want: ['nslookup'] },
    { line: 'kubectl exec curl-pod -- cat /etc/r', want: ['/etc/resolv.conf'] },
    { line: 'kubectl -n kube-system exec coredns-674b8bbfcf-gbnm8 -- cat /etc/h', want: ['/etc/hostname'] },
    { line: 'ssh k8s-w1 ip a', want: ['add', 'addr'] },
    { line: 'drop -n kube-system cil', want: ['cilium-5fc6j', 'cilium-nbmtj'] },
    { line: 'kubectl -n kube-system exec cil', want: ['cilium-5fc6j', 'cilium-nbmtj'] },
    {
      line: 'kubectl exec curl-pod -- nslookup webpod.d',
      want: ['webpod.default', 'webpod.default.svc.cluster.local'],
    },
    { line: 'kubectl logs -n kube-system ds/', want: ['ds/cilium'] },
    { line: 'kubectl rollout re', want: ['restart'] },
    { line: 'kubectl rollout restart deploy/c', want: ['deploy/coredns'] },
    { line: 'k get ciliumn', want: ['ciliumn', 'ciliumnode', 'ciliumnodes'] },
    { line: 'kubectl get pods | gre', want: ['grep'] },
    { line: 'ssh ', want: ['k8s-ctr', 'k8s-w1', 'resolver', 'resolver-w1', 'router'] },
    { line: 'ssh k8s-w1 iptables-', want: ['iptables-save'] },
    { line: 'explain goo', want: ['google.com'] },
    { line: 'explain x --pod kube-system/coredns-674b8bbfcf-v', want: ['kube-system/coredns-674b8bbfcf-vvgfm'] },
    { line: 'hubble observe --to-pod cu', want: ['curl-pod'] },
    { line: 'tcpdump -i eth', want: ['eth0', 'eth1'] },
    {
      line: 'helm upgrade cilium --set ipMasq',
      want: ['ipMasqAgent.config.masqLinkLocal=', 'ipMasqAgent.config.nonMasqueradeCIDRs=', 'ipMasqAgent.enabled='],
    },
    { line: 'cilium-dbg lr', want: ['lrp'] },
    { line: 'nosuch ', want: [] },
    { line: 'kubectl get nosuch x', want: [] },
  ])('$line', ({ line, want }) =>
    expect(completions(driven.session, line)).toEqual({ words: want, start: /\S*$/.exec(line)![0] }),
  );

  it('in a pod: what is there', async () => {
    await driven.run('kubectl exec -it curl-pod -- bash');
    expect(completions(driven.session, 'di').words).toEqual(['dig']);
    expect(completions(driven.session, 'dig exam').words).toEqual(['example.org']);
    expect(completions(driven.session, 'kub').words).toEqual([]);
    await driven.run('exit');
  });
});
