import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/lib/clock.js';
import { secureRandom } from '../../src/lib/random.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { runDig } from '../../src/resolver/index.js';
import { Checkout, interrupt, isAlive, kill, type Started } from '../support/checkout.js';

const checkout = new Checkout();
const { env: ENV, folder: clone, temporary } = checkout;
const type = (line: string, input?: string): string => checkout.type(line, input);
const noDig = spawnSync('sh', ['-c', 'command -v dig']).status !== 0;
if (noDig) console.log('test/cli/lab-start: dig is not installed (Debian: bind9-dnsutils); its commands are skipped');

beforeAll(() => checkout.create(), 60_000);
afterAll(() => checkout.remove());

/** The commands that a started lab proposes. */
const proposals = (text: string): string[] =>
  /Try it from another terminal:\n\n([\s\S]*?)\n\nCtrl-C/
    .exec(text)![1]!
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

describe('npm start', () => {
  let lab: Started;
  let tookUntilAnswer: number;

  beforeAll(async () => {
    const begun = performance.now();
    lab = checkout.start('npm', ['start', '--', '-port', '0']);
    const [, port = ''] = await lab.said(/^ +(\d+) +default\/curl-pod/m);
    const { text } = await runDig(['@127.0.0.1', '-p', port, '+short', 'webpod.default.svc.cluster.local'], {
      network: new HostNetwork(),
      clock: realClock,
      random: secureRandom,
      resolvConf: '',
    });
    tookUntilAnswer = performance.now() - begun;
    expect(text).toBe('10.96.152.212\n');
    await lab.said(/Ctrl-C ends it/);
  }, 30_000);
  afterAll(() => {
    kill(lab);
  });

  it('answers soon', () => {
    // Less than a second on an idle machine, npm included; tests run beside others.
    expect(tookUntilAnswer).toBeLessThan(8000);
  });

  it('proposes commands that work as they stand', async () => {
    const lines = proposals(lab.text());
    expect(lines.length).toBeGreaterThanOrEqual(5);
    for (const line of lines) {
      if (line.startsWith('dig ')) {
        if (!noDig)
          expect(type(line), line).toMatch(
            /status: NOERROR[\s\S]*ANSWER SECTION:\n\S+\s+\d+\s+IN\s+A\s+(10\.96\.152\.212|142\.250\.196\.110)/,
          );
      } else if (/^(.* )?http:/.test(line)) expect((await fetch(/http:\S+/.exec(line)![0])).status, line).toBe(200);
      else if (line.startsWith('KUBECONFIG=')) {
        // The kubectl of the machine is asked in the end-to-end tests.
        const [, command = ''] = /^KUBECONFIG=\$\((.*)\) kubectl /.exec(line) ?? [];
        expect(readFileSync(type(command).trim(), 'utf8'), line).toContain('"current-context"');
      } else {
        expect(line).toMatch(/^bin\/nodens lab (exec|shell) /);
        expect(type(line, 'explain google.com\nexit\n'), line).toMatch(
          /Address: 10\.96\.152\.212|google\.com has 142\.250\.196\.110/,
        );
      }
    }
  });

  it('keeps its socket and its kubeconfig from others', () => {
    expect(readdirSync(temporary)).toEqual([`nodens-lab-${os.userInfo().uid}`]);
    expect(type(`stat -c %a ${temporary}/* ${temporary}/*/*`)).toBe('700\n600\n600\n');
  });

  it('ends with Ctrl-C, and leaves neither process nor file', async () => {
    await interrupt(lab);
    expect(isAlive(lab)).toBe(false);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe('labs side by side', () => {
  const base = (text: string): string => /http:\/\/127\.0\.0\.1:(\d+)\//.exec(text)![1]!;
  let first: Started;
  let second: Started;

  beforeAll(async () => {
    [first, second] = [
      checkout.start('bin/nodens', ['lab', 'up', '-port', '0']),
      checkout.start('bin/nodens', ['lab', 'up', '-port', '0']),
    ];
    await Promise.all([first.said(/Ctrl-C ends it/), second.said(/Ctrl-C ends it/)]);
  }, 30_000);
  afterAll(() => {
    kill(first, second);
  });
  const fails = (...args: string[]): string => {
    const { status, stderr } = spawnSync('bin/nodens', ['lab', ...args], { cwd: clone, env: ENV, encoding: 'utf8' });
    expect(status).toBe(1);
    return stderr;
  };

  it('are two', () => {
    type(`bin/nodens lab exec -port ${base(first.text())} kubectl delete pod curl-pod`);
    expect(type(`bin/nodens lab exec -port ${base(second.text())} kubectl get pod curl-pod`)).toContain('Running');
    expect(type(`bin/nodens lab status -port ${base(second.text())}`)).toContain(`127.0.0.1:${base(second.text())}/`);
  });

  it('have to be told apart', () => {
    const both = [base(first.text()), base(second.text())].sort((a, b) => Number(a) - Number(b)).join(', ');
    expect(fails('exec', 'help')).toBe(`several labs are running; there are labs at ${both}: say which with -port\n`);
    expect(fails('shell')).toBe(`several labs are running; there are labs at ${both}: say which with -port\n`);
    expect(fails('down', '-port', '1')).toBe(
      `no lab is running at port 1; there are labs at ${both}: say which with -port\n`,
    );
  });

  it('say which of them has a port', () => {
    const port = Number(base(first.text()));
    expect(fails('up', '-port', String(port))).toMatch(
      new RegExp(
        `^a lab is running already at port ${port}; end it with: nodens lab down.*, or start this one beside it: nodens lab up -port \\d+\\n$`,
      ),
    );
  });

  it('what one that was killed leaves is cleared away by the next', async () => {
    process.kill(-first.child.pid!, 'SIGKILL');
    await once(first.child, 'close');
    const left = path.join(temporary, `nodens-lab-${os.userInfo().uid}`, `${base(first.text())}.sock`);
    expect(existsSync(left)).toBe(true);
    expect(type('bin/nodens lab exec echo the only one')).toBe('the only one\n');
    const third = checkout.start('bin/nodens', ['lab', 'up', '-port', '0']);
    await third.said(/Ctrl-C ends it/);
    expect(existsSync(left)).toBe(false);
    await Promise.all([interrupt(second), interrupt(third)]);
    expect(readdirSync(temporary)).toEqual([]);
  });
});
