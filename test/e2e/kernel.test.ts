import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomBelow, seededRandom, type Random } from '../../src/lib/random.js';
import { compiledProgram } from '../support/compiled.js';
import { query, type QuestionOptions } from '../support/dns.js';
import { ODDITIES, datagramOf, frameOf, type FrameEnds, type Oddity } from '../support/frames.js';
import { PROGRAM } from '../support/program.js';
import { KernelServer, MACS, SERVER_IP, missingForKernel } from '../support/kernel-server.js';
import { webService } from '../support/web-service.js';
import { Namespaces, run } from './node-local/namespaces.js';

/** Frames of the comparison; the long form is `NODENS_FRAMES=1000000 npx vitest run test/e2e/kernel.test.ts`. */
const GIVEN = Number(process.env.NODENS_FRAMES ?? 0);
/** How the program is attached, and how many frames it is compared with where nothing else is said. */
const KINDS = [
  { kind: 'tcx', usual: 10_000 },
  { kind: 'clsact', usual: 2000 },
  { kind: 'xdp', usual: 2000 },
] as const;
/** XDP is not told which sums are left to the card, and takes this for one, as nearly all that look like it are. */
const TOLERATED_BY_XDP = 'udp checksum of addresses';
/** Frames that are played at a time. */
const CHUNK = 32_000;
const SEED = Number(process.env.NODENS_SEED ?? 1);
const MODULES = path.join(path.dirname(compiledProgram()), '..');
const PLAYER = path.resolve(import.meta.dirname, '../support/packet-player.mjs');

const why = missingForKernel();
if (why !== undefined) console.log(`test/e2e/kernel: ${why}; skipped`);

const COREFILE = `cluster.local {
  prometheus 127.0.0.1:9153
  kubernetes cluster.local {
    manifests objects.yaml
  }
}
. {
  prometheus 127.0.0.1:9153
  cache 3600 {
    keepttl
  }
  template IN A none.example.org {
    rcode NXDOMAIN
    authority "example.org. 300 IN SOA ns.example.org. root.example.org. 1 2 3 4 300"
  }
  template IN A many.example.org {
    answer "{{ .Name }} 300 IN A 192.0.2.1"
    answer "{{ .Name }} 300 IN A 192.0.2.2"
    answer "{{ .Name }} 300 IN A 192.0.2.3"
  }
  template IN A big.example.org {
    ${Array.from({ length: 30 }, (_, i) => `answer "{{ .Name }} 300 IN A 198.51.100.${i}"`).join('\n    ')}
  }
  template IN A example.org {
    answer "{{ .Name }} 300 IN A 192.0.2.1"
  }
  template IN ANY example.org {
    authority "example.org. 300 IN SOA ns.example.org. root.example.org. 1 2 3 4 300"
  }
}
`;

const NAMES = [
  'www.example.org.',
  'a.example.org.',
  'none.example.org.',
  'many.example.org.',
  'big.example.org.',
  'web.default.svc.cluster.local.',
  'missing.default.svc.cluster.local.',
  'elsewhere.test.',
  `${'l'.repeat(63)}.${'m'.repeat(40)}.example.org.`,
  `${'l'.repeat(63)}.${'m'.repeat(63)}.example.org.`,
  '.',
];

const pick = <T>(random: Random, from: readonly T[]): T => from[randomBelow(random, from.length)]!;
const spelt = (random: Random, name: string): string =>
  [...name].map((letter) => (randomBelow(random, 2) === 0 ? letter.toUpperCase() : letter)).join('');

/** Has an option, and so goes up to the server. */
const LAST = query('www.example.org.', 'A', {
  id: 1,
  edns: 1232,
  options: [{ code: 10, data: Buffer.alloc(8) }],
}).bytes;

/** A message: mostly a common query, sometimes cut, extended or with a bit turned. */
function message(random: Random, id: number): Buffer {
  const name = pick(random, NAMES);
  const edns = pick(random, [undefined, undefined, 512, 1232, 4096, 0]);
  const options: QuestionOptions = {
    id,
    rd: randomBelow(random, 4) !== 0,
    cd: randomBelow(random, 8) === 0,
    ad: randomBelow(random, 8) === 0,
    ...(edns !== undefined && { edns, do: randomBelow(random, 4) === 0 }),
    ...(edns !== undefined && randomBelow(random, 12) === 0 && { options: [{ code: 10, data: Buffer.alloc(8, 1) }] }),
  };
  const type = pick(random, ['A', 'A', 'A', 'A', 'AAAA', 'TXT', 'HTTPS', 'TYPE97']);
  const { bytes } = query(randomBelow(random, 4) === 0 ? spelt(random, name) : name, type, options);
  switch (randomBelow(random, 24)) {
    case 0:
      return bytes.subarray(0, randomBelow(random, bytes.length));
    case 1:
      return Buffer.concat([bytes, Buffer.alloc(1 + randomBelow(random, 12))]);
    case 2: {
      // Not the id, by which its answer is found.
      const at = 2 + randomBelow(random, bytes.length - 2);
      bytes[at]! ^= 1 << randomBelow(random, 8);
      return bytes;
    }
    case 3:
      bytes[2]! |= 0x80;
      return bytes;
    default:
      return bytes;
  }
}

const ENDS: FrameEnds = {
  from: { mac: MACS.client, ip4: '10.99.0.7', ip6: 'fd99::7' },
  to: { mac: MACS.server, ip4: SERVER_IP, ip6: 'fd99::1' },
};

/** The first of those that are not among others. */
function notIn(some: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return some.filter((text) => !known.has(text)).slice(0, 5);
}

/** So many frames, the first of which is the `first` of all. */
const drawnFrames = (random: Random, first: number, count: number, oddities: readonly Oddity[]): Buffer[] =>
  Array.from({ length: count }, (_, k) => {
    const i = first + k;
    const port = 1024 + (i % 60_000);
    const version = pick(random, [4, 4, 6] as const);
    // The player waits for the last of each 64, which no program in a kernel answers.
    if (i % 64 === 63) return frameOf(ENDS, LAST, port, version, 'none', random);
    const oddity = randomBelow(random, 3) === 0 ? pick(random, oddities) : 'none';
    return frameOf(ENDS, message(random, i % 65_536), port, version, oddity, random);
  });

describe.skipIf(why !== undefined).each(KINDS)('answers in the kernel, by $kind', ({ kind, usual }) => {
  const count = GIVEN || usual;
  const oddities = ODDITIES.filter((oddity) => kind !== 'xdp' || oddity !== TOLERATED_BY_XDP);
  const namespaces = new Namespaces();
  const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-kernel-'));
  const servers = new Map<string, KernelServer>();

  async function start(way: 'kernel' | 'threads'): Promise<void> {
    const server = new KernelServer(namespaces, way, path.join(dir, way), [], kind);
    for (const ip of [ENDS.from.ip4, ENDS.from.ip6])
      run('ip', '-n', server.server, 'neigh', 'add', ip, 'lladdr', MACS.client, 'dev', 'in', 'nud', 'permanent');
    servers.set(way, server);
    await server.start({ Corefile: COREFILE, 'objects.yaml': webService('10.96.0.1') });
  }

  beforeAll(async () => {
    await start('kernel');
    await start('threads');
  }, 60_000);
  afterAll(async () => {
    for (const { program } of servers.values()) await program.stop('SIGKILL');
    namespaces.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Plays frames to a server: what it sent back. */
  function play(way: string, frames: readonly Buffer[]): NonNullable<ReturnType<typeof datagramOf>>[] {
    const [sent, came] = [path.join(dir, `${way}.frames`), path.join(dir, `${way}.replies`)];
    writeFileSync(sent, `${frames.map((frame) => frame.toString('hex')).join('\n')}\n`);
    const [ip, ...rest] = servers.get(way)!.inside('client');
    const inside = [...rest, process.execPath, PLAYER, MODULES, 'out', sent, came];
    const { status, stderr } = spawnSync(ip!, inside, { encoding: 'utf8', timeout: 600_000 });
    expect([status, stderr]).toEqual([0, '']);
    const lines = readFileSync(came, 'latin1').trim().split('\n');
    return lines.map((line) => datagramOf(Buffer.from(line, 'hex'))).filter((datagram) => datagram !== undefined);
  }

  const metrics = (way: string): string => servers.get(way)!.metrics();
  const outcome = (name: string): number => servers.get('kernel')!.outcome(name);

  it(`are those of threads, to the byte, whatever the packets: ${count} frames of seed ${SEED}`, () => {
    const random = seededRandom(SEED);
    const before = outcome('answered');
    let [replies, sound] = [0, 0];
    for (let from = 0; from < count; from += CHUNK) {
      const frames = drawnFrames(random, from, Math.min(CHUNK, count - from), oddities);
      const [kernel, threads] = [play('kernel', frames), play('threads', frames)];
      const [one, other] = [kernel, threads].map((all) =>
        all.map(({ text, port }) => `${port} ${serial(text)}`).sort(),
      );
      expect([notIn(one!, other!), notIn(other!, one!)], 'of the kernel alone, of threads alone').toEqual([[], []]);
      expect(one!.length).toBe(other!.length);
      replies += one!.length;
      sound += kernel.filter((datagram) => datagram.sound).length;
    }
    const byKernel = outcome('answered') - before;
    console.log(`${replies} replies to ${count} frames, ${byKernel} of them by ${kind}`);
    expect(replies).toBeGreaterThan(count / 2);
    expect([outcome('dropped: response'), outcome('dropped: no header')].every((count) => count > 0)).toBe(true);
    expect(byKernel).toBeGreaterThan(count / 8);
    // Those of sockets have sums that the network card would make; those of the program are whole.
    expect(sound).toBeGreaterThanOrEqual(byKernel);
  }, 3_600_000);

  it('are shown by nodens kernel status', () => {
    const [node, ...args] = PROGRAM;
    // Filters are seen from where they are.
    const status = (...flags: string[]): string =>
      run('ip', 'netns', 'exec', servers.get('kernel')!.server, node!, ...args, 'kernel', 'status', ...flags);
    const shown = status('-watch', '50ms', '-o', 'json');
    const answered = outcome('answered');
    const programs = JSON.parse(shown) as { devices: { by: string }[]; queries: Record<string, number> }[];
    expect(
      programs.filter(({ queries }) => queries.answered === answered).map(({ devices }) => devices.map(({ by }) => by)),
    ).toEqual([[kind]]);
    const text = status('-watch', '0');
    expect(text).toMatch(
      new RegExp(`^program \\d+ at \\S+ \\(${kind}\\): 0 runs while it was looked at\n  answered +${answered}$`, 'm'),
    );
  });

  it('are counted as those of threads', () => {
    const counted = (way: string): string[] =>
      metrics(way)
        .split('\n')
        .filter((line) =>
          /^coredns_(dns_requests|dns_responses|dns_response_size|dns_request_size|dns_do|cache)_/.test(line),
        );
    expect(counted('threads').length).toBeGreaterThan(20);
    expect(counted('kernel')).toEqual(counted('threads'));
  });
});

/** The serial of a zone made of objects is the time at which they were read. */
const serial = (text: string): string => text.replace(/(0a686f73746d6173746572.*?).{8}(00001c20)/g, '$1$2');
