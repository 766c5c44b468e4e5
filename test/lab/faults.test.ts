import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());

const run = async (line: string): Promise<string> => (await driven.run(line)).text;
const pods = (): readonly string[] =>
  driven.lab.kubelet
    .list()
    .filter(({ program }) => program.kind === 'dns')
    .map(({ name }) => name);
const backends = (): readonly string[] => [
  ...new Set(
    driven.lab.world.services
      .frontendsOf('kube-system', 'kube-dns')
      .flatMap((frontend) => frontend.backends.map(({ ip }) => ip)),
  ),
];

describe('drop', () => {
  it('takes queries away on their way into the pod, and lets them pass again', async () => {
    const [first = '', second = ''] = pods();
    for (const pod of [first, second])
      expect(await run(`drop -n kube-system ${pod}`)).toMatch(/^packets to pod coredns-.* are dropped\n$/);
    expect((await driven.run('kubectl exec curl-pod -- nslookup webpod')).code).not.toBe(0);
    expect(await run('hubble observe --verdict DROPPED --last 5')).toMatch(/kube-dns|coredns.*Policy denied DROPPED/);
    for (const pod of [first, second]) await run(`drop --off -n kube-system ${pod}`);
    expect(await run('kubectl exec curl-pod -- nslookup webpod')).toContain('10.96.152.212');
  });

  it('leaves replies to the pod alone: a server whose clients are cut off still asks its upstream', async () => {
    const pod = driven.lab.kubelet.list().find(({ name }) => name === 'curl-pod')!;
    await run('drop curl-pod');
    expect(pod.model.denied).toBe(true);
    expect(await run('kubectl exec curl-pod -- nslookup webpod')).toContain('10.96.152.212');
    await run('drop --off curl-pod');
  });

  it("refuses a pod in its node's network", async () => {
    expect(await run('drop -n kube-system ds/cilium')).toContain("is in its node's network");
  });
});

describe('a pod', () => {
  it('says what became of it, and does it', async () => {
    const pod = driven.lab.kubelet.list().find(({ name }) => name.startsWith('webpod-'))!;
    const where = `pod ${pod.name} on ${pod.model.spec.node}`;
    const state = (): unknown => ({ paused: pod.network.paused, state: pod.state, denied: pod.model.denied ?? false });
    const good = { paused: false, state: 'Running', denied: false };
    expect(state()).toEqual(good);
    for (const [line, said, want] of [
      [`crash ${pod.name}`, `${where} crashed\n`, { ...good, state: 'Crashed' }],
      [`restart ${pod.name}`, `${where} runs again\n`, good],
      [`hang -n default ${pod.name}`, `${where} hangs\n`, { ...good, paused: true }],
      [`restart --namespace default ${pod.name}`, `${where} runs again\n`, good],
      [`drop ${pod.name}`, `packets to ${where} are dropped\n`, { ...good, denied: true }],
      [`drop --off ${pod.name}`, `packets to ${where} pass again\n`, good],
    ] as const) {
      expect(await driven.run(line)).toMatchObject({ text: said, code: 0 });
      expect({ line, ...(state() as object) }).toEqual({ line, ...want });
    }
  });

  it.each(['crash', 'hang', 'restart', 'drop'])('%s wants one pod', async (program) => {
    for (const words of ['', ' a b'])
      expect(await driven.run(`${program}${words}`)).toMatchObject({
        code: 1,
        text: expect.stringContaining(`${program}: allowed: ${program} `) as string,
      });
  });
});

describe('api-server', () => {
  it('away refuses kubectl and helm, and what died meanwhile is not noticed before it is back', async () => {
    const [first = ''] = pods();
    expect(await run('api-server away')).toBe('the API server at 192.168.10.100:6443 is away\n');
    expect(await driven.run('kubectl get pods')).toMatchObject({
      code: 1,
      text: expect.stringContaining('The connection to the server 192.168.10.100:6443 was refused') as string,
    });
    expect(await run('helm list')).toContain('Kubernetes cluster unreachable');
    expect(await run('kubectl config current-context')).not.toContain('refused');
    await run(`crash -n kube-system ${first}`).catch(() => undefined);
    expect(backends()).toHaveLength(2);
    await run('api-server back');
    expect(backends()).toHaveLength(1);
    expect(await run('kubectl get pods -n kube-system')).toMatch(new RegExp(`${first} +0/1`));
    await run(`restart -n kube-system ${first}`);
    expect(backends()).toHaveLength(2);
  });

  it.each(['api-server', 'api-server gone', 'api-server away now'])('%s is refused', async (line) => {
    expect(await driven.run(line)).toMatchObject({ code: 1 });
  });
});
