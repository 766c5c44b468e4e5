import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLUGINS } from '../../src/server/directives.js';
import { Checkout, kill, type Started } from '../support/checkout.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');

/** Commands of the page in order, with what it shows of their output. */
const commands = [...README.matchAll(/^```console\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
  [...block!.matchAll(/^\$ (.+)\n((?:[^$].*\n)*)/gm)].map(([, command, output]) => ({
    command: command!,
    output: output!,
  })),
);

/** How a command of the page is tried. */
type Trial =
  /** It goes on; `ready` is what it prints when it serves. */
  | { readonly goesOn: string; readonly ready: RegExp }
  /** It ends; what it prints is as shown, or matches. */
  | { readonly ends: RegExp; readonly input?: string }
  /** Something else tries it: what this text is taken from holds it. */
  | { readonly elsewhere: string; readonly held: RegExp };

const AS_SHOWN = /^/;
const COMPOSE = 'test/e2e/compose/compose.test.ts';
const TRIALS: Readonly<Record<string, Trial>> = {
  'npm ci && npm start': { goesOn: 'npm start', ready: /Ctrl-C ends it/ },
  'dig @127.0.0.1 -p 15301 webpod.default.svc.cluster.local +short': { ends: AS_SHOWN },
  'bin/nodens lab exec explain google.com': { ends: /cost: 10 queries/ },
  'bin/nodens lab shell': { ends: /cost: 2 queries/, input: 'explain google.com.\nexit\n' },
  'bin/nodens lab run names': { ends: /google\.com has/ },
  'docker compose --profile node-local up -d': { elsewhere: COMPOSE, held: /profile\('node-local'/ },
  'docker compose exec curl-pod dig +short +search google.com': {
    elsewhere: COMPOSE,
    held: /query: 'google\.com \+search'/,
  },
  'docker compose --profile node-local down': { elsewhere: COMPOSE, held: /cluster\.down\(\)/ },
  'npm ci && npm test': {
    elsewhere: '.ci/run',
    // On the oldest Node the quick ones count what they cover.
    held: /\n {2}npm ci\n[^]*npm run coverage --[^]*npm test -- --project quick[^]*\{ npm test -- --project long \$AGAIN \$KEPT; \}/,
  },
  'bin/nodens -conf corefiles/kubernetes-files.Corefile': {
    goesOn: 'bin/nodens -conf corefiles/kubernetes-files.Corefile',
    ready: /^nodens-/m,
  },
  'dig @127.0.0.1 -p 1053 webpod.default.svc.cluster.local +short': { ends: AS_SHOWN },
  'dig @127.0.0.1 -p 1053 _dns._udp.kube-dns.kube-system.svc.cluster.local SRV +short': { ends: AS_SHOWN },
  'dig @127.0.0.1 -p 1053 -x 10.96.152.212 +short': { ends: AS_SHOWN },
  'bin/nodens node-cache -localip 169.254.20.10,10.96.0.10 -dry-run': { ends: /ip link add nodelocaldns[^]*NOTRACK/ },
  'bin/nodens -io kernel=eth0,cni0': { elsewhere: 'test/server/io.test.ts', held: /kernel=eth0,cni0/ },
};

describe('README', () => {
  it('links to files that exist', () => {
    const links = [...README.matchAll(/\]\((?!http|#)([^)#]+)/g)].map((match) => match[1]!);
    expect(links.length).toBeGreaterThan(PLUGINS.length);
    expect(links.filter((link) => !existsSync(path.join(ROOT, link)))).toEqual([]);
  });

  it('names every plugin', () =>
    expect(PLUGINS.filter(({ name }) => !README.includes(`[${name}](src/plugins/${name}/README.md)`))).toEqual([]));

  it('names scripts, folders and Corefiles that exist', () => {
    const scripts = (
      JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    ).scripts;
    const named = [...README.matchAll(/npm (?:run )?(start|test|bench|soak)/g)].map((match) => match[1]!);
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
    expect(
      [...README.matchAll(/^src\/\w+|\ssrc\/\w+(?=\s{2,}|$)/gm)]
        .map((match) => match[0].trim())
        .filter((folder) => !existsSync(path.join(ROOT, folder))),
    ).toEqual([]);
    expect(
      [...README.matchAll(/`(?:corefiles\/)?([\w-]+\.Corefile)`/g)]
        .map((match) => match[1]!)
        .filter((file) => !existsSync(path.join(ROOT, 'corefiles', file))),
    ).toEqual([]);
  });
});

const noDig = spawnSync('sh', ['-c', 'command -v dig']).status !== 0;
if (noDig) console.log('test/project/readme: dig is not installed (Debian: bind9-dnsutils); its commands are skipped');

/** First of ten ports below those that systems draw from: a lab takes several in a row. */
const PORTS = 16_000 + (process.pid % 1000) * 10;

/**
 * The commands are tried in the order of the page, at ports of this test's own in place of 15300 and what follows,
 * and 1053.
 */
describe('the commands of README', () => {
  const checkout = new Checkout();
  const going: Started[] = [];
  const server = PORTS;
  const lab = PORTS + 1;

  beforeAll(() => {
    checkout.create();
    Object.assign(checkout.env, { NODENS_PORT: String(server), NODENS_UPSTREAM: '127.0.0.1:1' });
  }, 60_000);
  afterAll(() => {
    kill(...going);
    checkout.remove();
  });

  it('are all known here', () => expect(commands.map(({ command }) => command)).toEqual(Object.keys(TRIALS)));

  it.each(commands)(
    '$command',
    async ({ command, output }) => {
      const trial = TRIALS[command]!;
      if ('elsewhere' in trial)
        return expect(readFileSync(path.join(ROOT, trial.elsewhere), 'utf8')).toMatch(trial.held);
      if ('goesOn' in trial) {
        const [program = '', ...args] = trial.goesOn.split(' ');
        const started = checkout.start(program, program === 'npm' ? [...args, '--', '-port', String(lab)] : args);
        going.push(started);
        return void (await started.said(trial.ready));
      }
      if (command.startsWith('dig ') && noDig) return;
      const printed = checkout.type(
        command.replace('-p 15301', `-p ${lab + 1}`).replace('-p 1053', `-p ${server}`),
        trial.input,
      );
      if (output !== '') expect(printed).toBe(output);
      expect(printed).toMatch(trial.ends);
    },
    30_000,
  );
});
