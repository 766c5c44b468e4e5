import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeFile } from '../../src/lab/commands/target/node-files.js';
import { drivenLab, topologyWith, type Driven } from './lab.js';

describe('what options of commands do', () => {
  let driven: Driven;
  beforeAll(async () => {
    driven = await drivenLab();
  });
  afterAll(() => driven.end());
  const MANIFEST =
    "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: x\\ndata: {a: b}\\n' > x.yaml; kubectl apply -f x.yaml";
  /** When the object was made that is there by that name. */
  const made = (): number | undefined => driven.lab.api.get('ConfigMap', 'default', 'x')?.created;

  it.each<{ line: string; want: string; code?: number }>([
    {
      line: 'kubectl describe pods -l app=webpod | grep ^Name:',
      want: 'Name:             webpod-556878d5d7-7p8bn\nName:             webpod-556878d5d7-r4dmh\n',
    },
    {
      line: 'kubectl describe pods --selector app=nosuch',
      want: '!No resources found in default namespace.\n',
    },
    // 126: found, but cannot be executed (POSIX, section 2.8.2).
    {
      line: 'kubectl exec curl-pod -- sh',
      want: '!error: a shell in a pod needs a prompt: type this in "nodens lab shell", or give a command: kubectl exec curl-pod -- COMMAND\n',
      code: 126,
    },
    { line: 'kubectl exec curl-pod -- sh x', want: `!error: sh: got "x", allowed: sh -c 'COMMAND'\n`, code: 126 },
    {
      line: 'kubectl get pods --namespace kube-system --selector k8s-app=kube-dns --output name',
      want: 'pod/coredns-674b8bbfcf-gbnm8\npod/coredns-674b8bbfcf-vvgfm\n',
    },
    { line: 'kubectl get pods --field-selector spec.nodeName=k8s-w1 -o name', want: 'pod/webpod-556878d5d7-r4dmh\n' },
    {
      line: 'kubectl get pods --sort-by .metadata.name -o name | head -1',
      want: 'pod/curl-pod\n',
    },
    { line: 'kubectl get --raw /livez', want: 'ok\n' },
  ])('$line', async ({ line, want, code = 0 }) => {
    let text = '';
    const ended = await driven.drive(
      driven.session.run(line, { write: (part) => (text += part), error: (part) => (text += `!${part}`) }),
    );
    expect({ text, code: ended }).toEqual({ text: want, code });
  });

  it('replace keeps an object; with --force it is another one', async () => {
    await driven.run(MANIFEST);
    const before = made();
    await driven.run('sleep 2; kubectl replace -f x.yaml');
    expect(made()).toBe(before);
    await driven.run('sleep 2; cat x.yaml | kubectl replace --force -f -');
    expect(made()).toBeGreaterThan(before!);
    expect((await driven.run('cat x.yaml | kubectl delete -f -')).text).toBe(
      'configmap "x" deleted from default namespace\n',
    );
    expect(made()).toBeUndefined();
  });

  it('events that warn are told from others', async () => {
    const about = { kind: 'Pod', namespace: 'default', name: 'curl-pod', created: 0 };
    const source = { component: 'kubelet' };
    driven.lab.api.events.tell({ about, source, reason: 'Unhealthy', message: 'x', warning: true });
    const { text } = await driven.run('kubectl get events');
    const types = text.split('\n').map((line) => line.split(/ +/).slice(1, 3).join(' '));
    expect(types).toContain('Warning Unhealthy');
    expect(types).toContain('Normal Started');
    expect(
      (await driven.run('kubectl get events --field-selector type=Warning -o jsonpath={.items[*].reason}')).text,
    ).toBe('Unhealthy\n');
  });
});

describe('the resolver of a node', () => {
  const shown = (driven: Driven, node: string): string[] =>
    nodeFile(driven.lab, node, '/etc/resolv.conf')!
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));

  it('has a stub before it where DHCP names it', async () => {
    const driven = await drivenLab();
    expect(shown(driven, 'k8s-w1')).toEqual(['nameserver 127.0.0.53', 'options edns0 trust-ad', 'search Davolink']);
    await driven.end();
  });

  it("is the one of the node's own file elsewhere", async () => {
    const own = (address: string): string =>
      `- name: k8s-ctr\n    apiServer: true\n    podCidr: 172.20.1.0/24\n    resolvConf: |\n      nameserver ${address}`;
    const changes = [
      [', dhcp: { dns: 10.0.2.3 }', ''],
      [own('10.0.2.3'), own('10.0.2.4')],
    ] as const;
    const driven = await drivenLab({}, topologyWith('two-nodes', changes));
    expect(shown(driven, 'k8s-ctr')).toEqual(['nameserver 10.0.2.4', 'search Davolink']);
    expect(shown(driven, 'k8s-w1')).toEqual(['nameserver 10.0.2.3', 'search Davolink']);
    await driven.end();
  });
});
