import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ControlClient } from '../../src/cli/lab-control.js';
import { realClock } from '../../src/lib/clock.js';
import { secureRandom } from '../../src/lib/random.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { runDig } from '../../src/resolver/index.js';
import { Program, PROGRAM } from '../support/program.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-lab-test-'));
const socket = (name: string): Record<string, string> => ({ NODENS_LAB_SOCKET: path.join(folder, name, 'lab.sock') });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = async (
  args: readonly string[],
  env: Record<string, string> = socket('none'),
): Promise<{ text: string; code: number | null }> => {
  const program = new Program([...PROGRAM, 'lab', ...args], env);
  const code = await program.ended();
  return { text: program.text, code };
};

/** Runs the prompt with lines on its standard input. */
const typed = (lines: string, env: Record<string, string>): Promise<{ text: string; code: number | null }> =>
  new Promise((resolve) => {
    const [program = '', ...args] = [...PROGRAM, 'lab', 'shell'];
    const child = spawn(program, args, { env: { PATH: process.env.PATH, ...env } });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('close', (code) => resolve({ text, code }));
    child.stdin.end(lines);
  });

describe('a running lab', () => {
  const env = socket('up');
  let lab: Program;
  let port: number;
  let tookUntilAnswer: number;
  const dig = async (): Promise<string> =>
    (
      await runDig(['@127.0.0.1', '-p', String(port), '+short', '+timeout=1', 'webpod.default.svc.cluster.local'], {
        network: new HostNetwork(),
        clock: realClock,
        random: secureRandom,
        resolvConf: '',
      })
    ).text;

  beforeAll(async () => {
    const started = performance.now();
    lab = new Program([...PROGRAM, 'lab', 'up', '-port', '0'], env);
    port = Number((await lab.said(/^ +(\d+) +default\/curl-pod/m))[1]);
    expect(await dig()).toBe('10.96.152.212\n');
    tookUntilAnswer = performance.now() - started;
  }, 30_000);

  it('answers its first dig soon, and says what to type', async () => {
    // Two seconds on an idle machine; tests run beside others.
    expect(tookUntilAnswer).toBeLessThan(8000);
    await lab.said(/Ctrl-C ends it/);
    expect(lab.text).toContain(`dig @127.0.0.1 -p ${port} webpod.default.svc.cluster.local`);
    expect(lab.text).toMatch(/^ {4}\S+ lab exec explain google\.com$/m);
  });

  it.each([
    {
      args: ['exec', 'kubectl', 'exec', 'curl-pod', '--', 'nslookup', 'webpod'],
      text: 'Address: 10.96.152.212',
      code: 0,
    },
    { args: ['exec', 'kubectl get pods -A | grep -c coredns'], text: '2\n', code: 0 },
    { args: ['exec', 'explain', 'google.com'], text: 'cost: 10 queries', code: 0 },
    { args: ['exec', 'nosuch'], text: 'nosuch: command not found', code: 127 },
    { args: ['exec'], text: 'expected a command', code: 2 },
    { args: ['status'], text: 'default/curl-pod', code: 0 },
    { args: ['kubeconfig'], text: '/up/lab.kubeconfig\n', code: 0 },
    { args: ['up', '-port', '0'], text: 'a lab is running already', code: 1 },
  ])('$args', async ({ args, text, code }) => {
    const ran = await run(args, env);
    expect(ran.text).toContain(text);
    expect(ran.code).toBe(code);
  });

  it('reads files from where the user is', async () => {
    const file = path.join(folder, 'pod.yaml');
    writeFileSync(file, 'apiVersion: v1\nkind: Pod\nmetadata: { name: mine }\nspec: { containers: [] }\n');
    expect((await run(['exec', 'kubectl', 'apply', '-f', file], env)).text).toBe('pod/mine created\n');
    expect((await run(['exec', 'kubectl', 'get', 'pod', 'mine'], env)).text).toContain('Running');
  });

  it.each([
    {
      name: 'an editor that changes it',
      editor: "sed -i 's/ttl 30/ttl 9/'",
      text: 'configmap/coredns edited\n',
      code: 0,
    },
    { name: 'an editor that does nothing', editor: 'true', text: 'Edit cancelled, no changes made.\n', code: 0 },
    {
      name: 'an editor that fails',
      editor: 'false',
      text: 'error: there was a problem with the editor "false"\n',
      code: 1,
    },
    {
      name: 'no editor and no terminal',
      editor: undefined,
      text: 'error: there is no editor here; name a program: EDITOR=',
      code: 1,
    },
  ])("hands a text to the user's own editor: $name", async ({ editor, text, code }) => {
    const temporary = path.join(folder, 'temporary');
    mkdirSync(temporary, { recursive: true });
    const ran = await run(['exec', 'kubectl', 'edit', 'cm', 'coredns', '-n', 'kube-system'], {
      ...env,
      TMPDIR: temporary,
      ...(editor !== undefined && { EDITOR: editor }),
    });
    expect(ran.text).toContain(text);
    expect(ran.code).toBe(code);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('writes captures where the user is', async () => {
    const file = path.join(folder, 'mine.pcap');
    const { text } = await typed(
      `tcpdump -i any -c 1 -w ${file} port 53 &\nkubectl exec curl-pod -- nslookup webpod\nfg\n`,
      env,
    );
    expect(text).toContain('1 packets captured');
    expect(readFileSync(file).readUInt32LE(0)).toBe(0xa1b2c3d4);
    expect(
      (
        await run(
          ['exec', 'tcpdump', '-i', 'any', '-c', '1', '-w', '/nowhere/x.pcap', '&', 'dig', 'google.com', ';', 'fg'],
          env,
        )
      ).text,
    ).toContain("ENOENT: no such file or directory, open '/nowhere/x.pcap'");
  });

  it('completes what is typed, and ends what runs when it is told to', async () => {
    const client = await ControlClient.connect(env.NODENS_LAB_SOCKET!);
    let found = '';
    const code = await client.ask({ ask: 'complete', line: 'kubectl get nod' }, (part) => (found += part));
    expect([JSON.parse(found), code]).toEqual([{ words: ['node', 'nodes'], start: 'nod' }, 0]);
    const run = { ask: 'run', line: 'sleep 1000', cwd: folder, interactive: true } as const;
    const ended = client.ask(run, () => undefined);
    client.interrupt();
    await ended;
    const lost = client.ask(run, () => undefined);
    expect(client.open).toBe(true);
    client.close();
    expect([await lost, client.open]).toEqual([1, false]);
  });

  it('takes lines that go on, and shells in pods', async () => {
    const { text, code } = await typed(
      'cat <<EOF | kubectl apply -f -\napiVersion: v1\nkind: Pod\nmetadata: { name: typed }\nspec: { containers: [] }\nEOF\nkubectl exec -it typed -- sh\nhostname\nexit\necho a \\\n  b\nexit\necho never\n',
      env,
    );
    expect(text).toBe('pod/typed created\nprograms run in typed now; exit leaves it\ntyped\na b\n');
    expect(code).toBe(0);
  });

  it('tells of a here-document that is not closed', async () =>
    expect((await typed('cat <<EOF\na\n', env)).text).toBe('<<EOF: got no closing line "EOF"\n'));

  it('has a prompt', async () => {
    const { text, code } = await typed(
      'echo one > file\ncat file\ntcpdump -i any port 53 &\nkubectl exec curl-pod -- nslookup webpod\nfg\nexit\n',
      env,
    );
    expect(text).toContain('one\n');
    expect(text).toMatch(/A\? webpod\.default\.svc\.cluster\.local\./);
    expect(code).toBe(0);
  });

  it('told that a port is taken', async () => {
    const { text, code } = await run(['up', '-port', String(port)], socket('second'));
    expect(text).toContain(`a port from ${port} on is taken`);
    expect(text).toMatch(/take others with: nodens lab up -port \d+, or free ones with: nodens lab up -port 0\n$/);
    expect(code).toBe(1);
    expect(existsSync(path.join(folder, 'second'))).toBe(false);
  });

  it('ends by down, and leaves no file', async () => {
    expect((await run(['down'], env)).code).toBe(0);
    expect(await lab.ended()).toBe(0);
    expect(existsSync(path.join(folder, 'up'))).toBe(false);
    expect(await run(['status'], env)).toEqual({
      text: 'no lab is running; start one in another terminal: nodens lab up\n',
      code: 1,
    });
  });
});

it.each(['SIGINT', 'SIGTERM'] as const)('%s ends a lab, and leaves no file', async (signal) => {
  const env = socket(signal);
  const lab = new Program([...PROGRAM, 'lab', 'up', '-port', '0'], env);
  await lab.said(/Ctrl-C ends it/);
  expect(existsSync(path.join(folder, signal, 'lab.sock'))).toBe(true);
  expect(await lab.stop(signal)).toBe(0);
  expect(existsSync(path.join(folder, signal))).toBe(false);
});

describe('without a lab', () => {
  it.each([
    { args: [], text: "nodens lab - a cluster's DNS on this machine", code: 0 },
    {
      args: ['nosuch'],
      text: "unknown command 'lab nosuch', allowed: up, run, exec, world, shell, kubeconfig, status, down",
      code: 2,
    },
    { args: ['up', '-port', 'x'], text: "-port: expected 0 to 65000, got 'x'", code: 2 },
    { args: ['up', '-topology', 'nosuch'], text: 'nosuch: there is no such topology', code: 1 },
    { args: ['up', '-nodes', '251'], text: "-nodes: expected 1 to 250, got '251'", code: 2 },
    { args: ['up', '-nodes', '2', '-pods', '221'], text: "-pods: expected 1 to 220, got '221'", code: 2 },
    { args: ['up', '-pods', '9'], text: '-pods: allowed with -nodes only', code: 2 },
    {
      args: ['up', '-topology', 'same-node', '-nodes', '2'],
      text: "-nodes: allowed with -topology kind only, got 'same-node'",
      code: 2,
    },
    { args: ['up', '-h'], text: 'Usage of nodens lab up:\n', code: 0 },
    { args: ['exec', '--help'], text: "nodens lab - a cluster's DNS on this machine", code: 0 },
    { args: ['up', 'extra'], text: "unexpected argument 'extra'", code: 2 },
    { args: ['run'], text: 'expected a script', code: 2 },
    {
      args: ['run', 'nosuch'],
      text: 'nosuch: there is no such script, allowed: a file, or one of cache, ipam, masquerade, names,',
      code: 1,
    },
    {
      args: ['run', '-topology', 'nosuch', 'names'],
      text: 'nosuch: there is no such topology, allowed: a file, or one of host-scope, kind, same-node, two-nodes',
      code: 1,
    },
    { args: ['exec', 'echo'], text: 'no lab is running', code: 1 },
    { args: ['down'], text: 'no lab is running', code: 1 },
    { args: ['down', '-port', '70000'], text: "-port: expected 0 to 65000, got '70000'", code: 2 },
    { args: ['status', 'extra'], text: "unexpected argument 'extra'", code: 2 },
    { args: ['exec', '-port', '1'], text: 'expected a command', code: 2 },
    { args: ['shell', 'extra'], text: "unexpected argument 'extra'", code: 2 },
  ])('lab $args', async ({ args, text, code }) => {
    const ran = await run(args);
    expect(ran.text).toContain(text);
    expect(ran.code).toBe(code);
    if (code === 0) expect(ran.text).toMatch(/^(?:nodens lab|Usage of)/);
  });

  it('a script is played, and what fails in it is told with file and line', async () => {
    const file = path.join(folder, 'mine.lab');
    writeFileSync(
      file,
      '# mine\nsleep 3600\nkubectl exec curl-pod -- dig +short webpod.default.svc.cluster.local\nexpect 10.96.152.213\n',
    );
    const { text, code } = await run(['run', file]);
    expect(text).toContain(
      '# mine\n$ sleep 3600\n$ kubectl exec curl-pod -- dig +short webpod.default.svc.cluster.local\n10.96.152.212\n',
    );
    expect(text).toMatch(/mine\.lab:4: expect 10\.96\.152\.213: no such line\n$/);
    expect(code).toBe(1);
    // An hour of a cluster, with all its timers.
  }, 60_000);

  it('the prompt has a lab of its own', async () => {
    const { text, code } = await typed('kubectl get nodes\nnosuch\n', socket('none'));
    expect(text).toMatch(/k8s-ctr +Ready +control-plane/);
    expect(code).toBe(127);
  });
});
