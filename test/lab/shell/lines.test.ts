import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.js';
import { completions } from '../../../src/lab/commands/completion.js';
import { Lab } from '../../../src/lab/lab.js';
import { COMMANDS } from '../../../src/lab/commands/index.js';
import { DRIVEN_START, drive } from '../../../src/lab/session/driven-clock.js';
import { Session } from '../../../src/lab/session/session.js';
import { wantsMore } from '../../../src/lab/shell/parse.js';
import { loadTopology } from '../../../src/lab/topology/load.js';
import { PROMPT_LINES } from './prompt-lines.js';

const clock = new ManualClock(DRIVEN_START);
let lab: Lab;
let session: Session;
beforeAll(async () => {
  lab = await drive(clock, Lab.create(loadTopology('two-nodes'), { clock }));
  session = new Session(lab, { read: () => noFile() }, COMMANDS);
});
afterAll(() =>
  drive(
    clock,
    session.close().then(() => lab.stop()),
  ),
);
const noFile = (): never => {
  throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
};

/** Types lines one after the other, as at a prompt that can be interrupted; gives what the last one wrote. */
async function type(...lines: readonly string[]): Promise<{ readonly text: string; readonly code: number }> {
  let typed = { text: '', code: 0 };
  for (const line of lines) typed = await typeIn(session, line);
  return typed;
}

/** @param seconds until it is interrupted */
async function typeIn(own: Session, line: string, seconds?: number): Promise<{ text: string; code: number }> {
  let text = '';
  const stop = new AbortController();
  const { signal } = stop;
  if (seconds !== undefined) clock.setTimeout(() => stop.abort(), seconds * 1000);
  const code = await drive(
    clock,
    own.run(line, { write: (part) => (text += part), signal, interactive: true, terminal: true }),
  );
  return { text, code };
}

describe('lines that people type', () => {
  it.each([
    {
      name: 'a variable of an answer of kubectl',
      lines: [
        `export WEBPODIP1=$(kubectl get -l app=webpod pods -o jsonpath='{.items[0].status.podIP}')`,
        'kubectl exec curl-pod -- ping -c 1 $WEBPODIP1 | grep -c "1 received"',
      ],
      text: '1\n',
    },
    {
      name: 'backticks',
      lines: ['kubedns=`kubectl get svc kube-dns -n kube-system -o jsonpath={.spec.clusterIP}`', 'echo $kubedns'],
      text: '10.96.0.10\n',
    },
    {
      name: 'an alias with a variable',
      lines: [
        'export NS=kube-system',
        'alias kd="kubectl -n $NS get svc kube-dns --no-headers"',
        "kd | awk '{print $3}'",
      ],
      text: '10.96.0.10\n',
    },
    {
      name: 'two aliases that come along',
      lines: ['k get svc -n kube-system kube-dns -o name'],
      text: 'service/kube-dns\n',
    },
    {
      name: 'a loop over nodes',
      lines: ['for i in k8s-ctr k8s-w1; do echo ">> node : $i <<"; ssh $i hostname; done'],
      text: '>> node : k8s-ctr <<\nk8s-ctr\n>> node : k8s-w1 <<\nk8s-w1\n',
    },
    {
      name: 'an endless loop that head ends',
      lines: [
        `kubectl exec curl-pod -- sh -c 'while true; do curl -s webpod | grep Hostname; sleep 1; done' | head -2 | wc -l`,
      ],
      text: '2\n',
    },
    {
      name: 'JSON that goes on for ever, text by text',
      lines: [`while true; do echo '{"a":1}'; sleep 1; done | jq -c .a | head -2`],
      text: '1\n1\n',
    },
    {
      name: 'a time limit',
      lines: ['timeout 2 sh -c "while true; do echo x; sleep 1; done" | head -1; echo end'],
      text: 'x\nend\n',
    },
    {
      name: 'a file that sed edits',
      lines: [
        'echo "a: __PILLAR__LOCAL__DNS__" > f.yaml',
        'localdns=169.254.20.10',
        'sed -i "s/__PILLAR__LOCAL__DNS__/$localdns/g" f.yaml; cat f.yaml',
      ],
      text: 'a: 169.254.20.10\n',
    },
    {
      name: 'a here-document with a variable',
      lines: [
        'NAME=cm1',
        'cat << EOF | kubectl apply -f -\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: $NAME }\nEOF',
      ],
      text: 'configmap/cm1 created\n',
    },
    { name: 'xargs', lines: ['kubectl get cm cm1 -o name | xargs kubectl get -o name'], text: 'configmap/cm1\n' },
    {
      name: 'a job, its number, and its end',
      lines: ['sleep 60 &', 'jobs'],
      text: '[1]+  Running                 sleep 60 &\n',
    },
    { name: 'kill by the number of the job', lines: ['kill %1', 'jobs'], text: '' },
    { name: 'history', lines: ['history 2'], text: /^ +\d+ {2}jobs\n +\d+ {2}history 2\n$/ },
    {
      name: 'a function of its own',
      lines: ['count() { kubectl get $1 -A --no-headers | wc -l; }', 'count nodes'],
      text: '2\n',
    },
    {
      name: 'a condition on an answer',
      lines: ['if kubectl get node k8s-w1 > /dev/null; then echo there; fi'],
      text: 'there\n',
    },
    { name: 'errors go their own way', lines: ['kubectl get pod nosuch 2> err; cat err | wc -l'], text: '1\n' },
    { name: 'both streams in a pipe', lines: ['kubectl get pod nosuch 2>&1 | grep -c NotFound'], text: '1\n' },
    {
      name: "the node's own files only",
      lines: ['cat /etc/shadow'],
      text: 'cannot read /etc/shadow: no such file\n',
      code: 1,
    },
    {
      name: 'a word that is nearly one',
      lines: ['kubctl get pods'],
      text: 'kubctl: command not found; did you mean kubectl?\n',
      code: 127,
    },
    { name: 'what cannot be there', lines: ['k9s'], text: /^k9s: not in the lab: .*kubectl get pods/, code: 127 },
    {
      name: 'waiting for pods',
      lines: ['kubectl wait --for=condition=Ready pod -l app=webpod --timeout=60s | sort | uniq -c | wc -l'],
      text: '2\n',
    },
    {
      name: 'waiting for a pod that never goes',
      lines: ['kubectl wait --for=delete pod/curl-pod --timeout=1s'],
      text: 'error: timed out waiting for the condition on pods/curl-pod\n',
      code: 1,
    },
    {
      name: 'waiting for a value',
      lines: [`kubectl wait --for=jsonpath='{.status.phase}'=Running pod/curl-pod`],
      text: 'pod/curl-pod condition met\n',
    },
    {
      name: 'another namespace for what names none',
      lines: ['kubectl config set-context --current --namespace=kube-system', 'k get svc kube-dns -o name'],
      text: 'service/kube-dns\n',
    },
    {
      name: 'kubens',
      lines: ['kubens default > /dev/null', 'kubectl get svc -o name | head -1'],
      text: 'service/kubernetes\n',
    },
    {
      name: 'kinds',
      lines: ["kubectl api-resources --api-group=apps --no-headers | awk '{print $1}'"],
      text: 'daemonsets\ndeployments\nreplicasets\n',
    },
    {
      name: 'a verb that is nearly one',
      lines: ['kubectl gt pods'],
      text: /^error: unknown command "gt" for "kubectl"; did you mean get\?/,
      code: 1,
    },
    {
      name: 'a kind that is nearly one',
      lines: ['kubectl get pdo'],
      text: /resource type "pdo"; did you mean pod\?/,
      code: 1,
    },
    { name: 'ls after a file was written', lines: ['mkdir d; echo 1 > d/a; touch d/b; ls d'], text: 'a\nb\n' },
    { name: 'names of files', lines: ['cd d; echo *; cd; pwd'], text: 'a b\n/root\n' },
    { name: 'a command of watch', lines: ['watch -n1 hostname | head -3 | tail -1'], text: 'k8s-ctr\n' },
  ])('$name', async ({ lines, text, code = 0 }) => {
    const got = await type(...lines);
    expect(got.text).toMatch(
      typeof text === 'string' ? new RegExp(`^${text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`) : text,
    );
    expect(got.code).toBe(code);
  });

  it('a line that is interrupted ends with its jobs left alone', async () => {
    await type('sleep 100 &');
    const stop = new AbortController();
    const work = session.run('while true; do sleep 1; done', { write: () => undefined, signal: stop.signal });
    clock.setTimeout(() => stop.abort(), 5000);
    expect(await drive(clock, work)).not.toBe(127);
    expect((await type('jobs')).text).toContain('Running');
    await type('kill %1');
  });

  it('wait that is interrupted as it prints leaves the jobs behind alone', async () => {
    const own = new Session(lab, { read: () => noFile() }, COMMANDS);
    const stop = new AbortController();
    const write = (part: string): void => {
      if (part === 'early\n') stop.abort();
    };
    const line = '{ echo early; sleep 1; } & { sleep 9; echo late; } & wait';
    expect(await drive(clock, own.run(line, { write, signal: stop.signal, terminal: true }))).toBe(130);
    await typeIn(own, 'sleep 9');
    expect((await typeIn(own, 'wait')).text).toBe('late\n');
    await drive(clock, own.close());
  });

  it.each([
    {
      line: 'watch -n2 hostname',
      text: '\u001b[H\u001b[2J\u001b[3JEvery 2.0s: hostname\n\nk8s-ctr\n'.repeat(3),
      code: 0,
    },
    { line: 'sleep 100 & wait', text: '[1] PID\n', code: 130 },
    { line: 'fg', text: 'sleep 100\n', code: 0 },
    { line: '{ sleep 1; echo a; sleep 9; } & fg', text: '[1] PID\n{ sleep 1; echo a; sleep 9; }\na\n', code: 0 },
  ])('$line, interrupted after 5 s', async ({ line, text, code }) => {
    const typed = await typeIn(session, line, 5);
    expect({ ...typed, text: typed.text.replace(/\b1\d{4}\b/g, 'PID') }).toEqual({ text, code });
  });

  it('lines at a prompt, one after the other', async () => {
    const own = new Session(lab, { read: () => noFile() }, COMMANDS);
    const typed: unknown[] = [];
    for (const [line] of PROMPT_LINES) {
      const { text, code } = await typeIn(own, line);
      typed.push([line, text.replace(/\b1\d{4}\b/g, 'PID'), ...(code === 0 ? [] : [code])]);
    }
    await drive(clock, own.close());
    expect(typed).toEqual(PROMPT_LINES);
  });

  it('what is set in one session is not set in another', async () => {
    await type('SECRET=1');
    const other = new Session(lab, { read: () => noFile() }, COMMANDS);
    let text = '';
    await drive(clock, other.run('echo "[$SECRET]"', { write: (part) => (text += part) }));
    expect(text).toBe('[]\n');
  });

  it.each([
    { line: 'echo $kubed', words: ['$kubedns'] },
    { line: 'xar', words: ['xargs'] },
    { line: 'expo', words: ['export'] },
  ])('completes $line', ({ line, words }) => expect(completions(session, line).words).toEqual(words));
});

it.each([
  { text: 'a', more: false },
  { text: 'a \\', more: true },
  { text: 'a \\\\', more: false },
  { text: 'echo "a', more: true },
  { text: "echo 'a\nb", more: true },
  { text: 'cat <<EOF\na', more: true },
  { text: 'cat <<EOF\na\nEOF', more: false },
  { text: 'for i in 1 2; do', more: true },
  { text: 'for i in 1 2; do\necho $i', more: true },
  { text: 'for i in 1 2; do\necho $i\ndone', more: false },
  { text: 'if true; then', more: true },
  { text: 'f() {', more: true },
  { text: 'a |', more: true },
  { text: 'a &&', more: true },
  { text: 'echo $(ls', more: true },
  { text: 'a )', more: false },
])('$text goes on: $more', ({ text, more }) => expect(wantsMore(text)).toBe(more));
