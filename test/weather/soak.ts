import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { seededRandom } from '../../src/lib/random.js';
import { Rcode, rcodeName } from '../../src/wire/index.js';
import { load, type LoadResult } from '../bench/load.js';
import { DebianServer } from '../support/debian-server.js';
import { askAll, type Answers } from './client.js';
import { churn, resident, slowReaders } from './clients.js';
import { ControlGroup } from './control-group.js';
import { FarUpstream } from './far-upstream.js';
import { Grammar, isHello, overTcp, overUdp } from './fuzz.js';
import type { Figure } from './row.js';
import { WeatherServer } from './server.js';
import { Forger } from './spoof.js';

const PLAIN = 5309;
const FAR = 5310;
const FAILING = 5311;
const SEED = 20_263;
/** Of one CPU: what a container may be given, and what leaves room for those who ask. */
const CPU = 0.25;
/** Of what the server can take. */
const SHARE = 0.7;
/** Times in seconds. */
const CAPACITY = 10;
const ROUND = 20;
const AWAY = 4;
/** Names that the plain upstream knows; more than the cache holds. One question in five is for one of them. */
const NAMES = 30_000;
const EACH = 5;
const SLOW_READERS = 20;
const TEXT = 'x'.repeat(200);

const COREFILE = `.:1053 {
 bind 127.0.0.1
 errors
 cache 30
 hosts {
 192.0.2.1 hello.nodens.test
 fallthrough
 }
 template IN TXT long.nodens.test {
 answer "{{ .Name }} 60 IN TXT ${TEXT} ${TEXT} ${TEXT} ${TEXT}"
 }
 forward far.test 127.0.0.1:${FAR}
 forward failing.test 127.0.0.1:${FAILING}
 forward . 127.0.0.1:${PLAIN}
}
`;
const ZONE = '$TTL 60\n@ IN SOA ns. host. 1 7200 1800 86400 60\n@ IN NS ns.\nns IN A 192.0.2.2\n* IN A 192.0.2.3\n';

const mean = (list: readonly number[]): number => list.reduce((sum, one) => sum + one, 0) / list.length;

/** Datagrams that sockets of this network had no room for, since it is there. */
function dropped(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  return Number(values![names!.indexOf('RcvbufErrors')]);
}

function queriesIn(dir: string): string {
  const file = path.join(dir, 'queries');
  const lines = Array.from({ length: NAMES * EACH }, (_, i) =>
    i % EACH === 0 ? `n${i}.plain.test A` : 'hello.nodens.test A',
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** What was asked, counted over all rounds. */
class Tally {
  asked = 0;
  lost = 0;
  wrong = 0;
  /** Answered with SERVFAIL. */
  failed = 0;
  readonly memory: number[] = [];
  /** What was wrong or failed, by what was asked and what came. */
  readonly kinds = new Map<string, number>();

  add({ asked, lost, wrong }: Pick<Answers, 'asked' | 'lost' | 'wrong'>): void {
    this.asked += asked;
    this.lost += lost;
    this.wrong += wrong;
  }

  addLoad({ completed, lost, rcodes }: LoadResult): void {
    const failed = rcodes.SERVFAIL ?? 0;
    this.failed += failed;
    for (const [rcode, count] of Object.entries(rcodes)) if (rcode !== 'NOERROR') this.note(`load: ${rcode}`, count);
    this.add({ asked: completed + lost, lost, wrong: completed - (rcodes.NOERROR ?? 0) - failed });
  }

  /** For names that come from an upstream which is attacked. */
  isRight(answer: Buffer): boolean {
    const rcode = answer[3]! & 0x0f;
    if (rcode !== Rcode.NOERROR) this.note(`far.test: ${rcodeName(rcode)}`);
    if (rcode === Rcode.SERVFAIL) this.failed++;
    return rcode === Rcode.NOERROR || rcode === Rcode.SERVFAIL;
  }

  /** For a name that the server has the address of. */
  isHello(answer: Buffer, name: string): boolean {
    const right = isHello(answer, name);
    if (!right) this.note(`hello: ${rcodeName(answer[3]! & 0x0f)}, ${answer.readUInt16BE(6)} records`);
    return right;
  }

  /** For names of an upstream that goes away: who asks is told to try again. */
  isAnswer(answer: Buffer): true {
    const rcode = answer[3]! & 0x0f;
    if (rcode !== Rcode.NOERROR) this.note(`failing.test: ${rcodeName(rcode)}`);
    return true;
  }

  /** What was noted, and why the server says that it failed, the most frequent first. */
  told(log: string): string[] {
    for (const [, reason] of log.matchAll(/plugin\/errors: \d+ .*?: (.*)$/gm))
      this.note(`log: ${reason!.replaceAll(/(\d+\.){3}\d+:/g, '').replaceAll(/\d+/g, 'N')}`);
    return [...this.kinds].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${kind}: ${count}`);
  }

  private note(kind: string, count = 1): void {
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + count);
  }

  /** Of the last quarter, above that of the second, as a share. */
  get growth(): number {
    const quarter = Math.max(1, Math.floor(this.memory.length / 4));
    return mean(this.memory.slice(-quarter)) / mean(this.memory.slice(quarter, 2 * quarter)) - 1;
  }
}

/** Those who do harm. */
class Hostile {
  private readonly grammar = new Grammar(seededRandom(SEED));

  constructor(
    far: FarUpstream,
    private readonly failing: FarUpstream,
  ) {
    far.meddle = new Forger(5).meddle;
  }

  /** One round of it, with a reload and an upstream that goes away. */
  async play(server: WeatherServer): Promise<void> {
    const readers = await slowReaders(SLOW_READERS);
    server.program.child.kill('SIGUSR1');
    this.failing.away = 3_600_000;
    setTimeout(() => (this.failing.away = 5), AWAY * 1000);
    await Promise.all([overUdp(this.grammar, 20_000), overTcp(this.grammar, 2000), churn(500)]);
    for (const reader of readers) reader.destroy();
  }
}

/** Those who ask as one should, besides the load. */
const polite = (round: number, tally: Tally): Promise<Answers[]> =>
  Promise.all([
    askAll({
      port: 1053,
      names: new Array<string>(ROUND * 100).fill('hello.nodens.test.'),
      rate: 100,
      isRight: (answer, name) => tally.isHello(answer, name),
    }),
    askAll({
      port: 1053,
      names: Array.from({ length: ROUND * 50 }, (_, i) => `n${round}-${i}.far.test.`),
      rate: 50,
      isRight: (answer) => tally.isRight(answer),
    }),
    askAll({
      port: 1053,
      names: Array.from({ length: ROUND * 20 }, (_, i) => `n${round}-${i}.failing.test.`),
      rate: 20,
      isRight: (answer) => tally.isAnswer(answer),
    }),
  ]);

/**
 * So many minutes at 70 % of what the server takes, with all of it at once: hostile packets, forged replies, an
 * upstream that goes away, clients that do not read, connections that come and go, reloads, names old and new.
 */
export async function soak(minutes: number, say: (line: string) => void): Promise<readonly Figure[]> {
  const group = ControlGroup.ofCpu(CPU);
  if (group === undefined) throw new Error('--soak: got no control group, allowed: a machine where they can be made');
  const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-soak-'));
  const queries = queriesIn(dir);
  const plain = await DebianServer.nsd('.', ZONE, { port: PLAIN });
  const [far, failing] = await Promise.all([FarUpstream.start(FAR, 5), FarUpstream.start(FAILING, 5)]);
  const server = await WeatherServer.start(COREFILE, [], group.into);
  const tally = new Tally();
  const ask = (seconds: number, rate?: number): Promise<LoadResult> =>
    load({ port: 1053, queries, seconds, clients: 20, cores: `0-${os.availableParallelism() - 1}`, rate });
  try {
    const { perSecond } = await ask(CAPACITY);
    const rate = Math.floor(perSecond * SHARE);
    say(
      `the server takes ${perSecond.toFixed(0)} queries a second with ${CPU} of a CPU; ${minutes} minutes at ${rate}`,
    );
    const before = dropped();
    const hostile = new Hostile(far, failing);
    for (const end = performance.now() + minutes * 60_000; performance.now() < end;) {
      const [told, others] = await Promise.all([
        ask(ROUND, rate),
        polite(tally.memory.length, tally),
        hostile.play(server),
      ]);
      tally.addLoad(told);
      for (const other of others) tally.add(other);
      tally.memory.push(resident(server));
      if (tally.memory.length % 15 === 0)
        say(
          `${tally.memory.length} rounds: ${tally.lost} lost of ${tally.asked}, ${tally.memory.at(-1)!.toFixed(1)} MB`,
        );
    }
    for (const line of tally.told(server.program.text)) say(`  ${line}`);
    return figures(tally, dropped() - before, minutes, server);
  } finally {
    await server.stop();
    await Promise.all([far.stop(), failing.stop(), plain.stop()]);
    group.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

function figures(tally: Tally, drops: number, minutes: number, { program }: WeatherServer): readonly Figure[] {
  const { child, text } = program;
  const { asked, lost, wrong, failed } = tally;
  return [
    { what: `${minutes} minutes of all of it: lost of ${asked}`, got: lost, unit: '' },
    { what: 'datagrams that sockets had no room for', got: drops, unit: '' },
    { what: 'SERVFAIL', got: failed, unit: '' },
    { what: 'lost or SERVFAIL beyond those', got: Math.max(0, lost + failed - drops), unit: '', atMost: 0 },
    { what: 'wrong', got: wrong, unit: '', atMost: 0 },
    { what: 'memory of the last quarter, above the second', got: tally.growth * 100, unit: '%', atMost: 3 },
    { what: 'crashes', got: child.exitCode === null && child.signalCode === null ? 0 : 1, unit: '', atMost: 0 },
    {
      what: 'panics and stacks in the log',
      got: [...text.matchAll(/panic|uncaught|unhandled|^\s+at /gm)].length,
      unit: '',
      atMost: 0,
    },
  ];
}
