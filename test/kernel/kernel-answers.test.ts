import { describe, expect, it } from 'vitest';
import { Bpf } from '../../src/kernel/bpf.js';
import { MapType } from '../../src/kernel/bpf-numbers.js';
import { KernelAnswers, type KernelOptions } from '../../src/kernel/kernel-answers.js';
import { KERNEL_REASONS } from '../../src/kernel/kernel-counters.js';
import { KernelMemory } from '../../src/kernel/kernel-memory.js';
import { kernelPrograms, kernelStatusText, possibleCpus, type KernelProgram } from '../../src/kernel/kernel-status.js';
import { openRtnetlink } from '../../src/kernel/rtnetlink.js';
import { ManualClock } from '../../src/lib/clock.js';
import type { InheritedSockets } from '../../src/net/inherited-sockets.js';
import { TestLog } from '../support/block.js';
import { ENOMEM, EPERM } from '../support/errno.js';
import { FakeKernel } from '../support/fake-kernel.js';

const MIB = 1 << 20;
const word = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const hex = (value: number): string => word(value).toString('hex');

/** A host with one device beside the loopback, and a kernel that can be asked all there is. */
class World {
  readonly kernel = new FakeKernel();
  readonly clock = new ManualClock();
  readonly log = new TestLog();
  addresses: Record<string, string[]> = { lo: ['127.0.0.1', '::1'], eth0: ['192.0.2.1', '2001:db8::1', 'fe80::1'] };

  constructor() {
    this.kernel.devices.push({ name: 'eth0', mac: '020000000001', hasXdp: true });
  }

  open(options: Partial<KernelOptions> = {}): KernelAnswers {
    const { clock, log, kernel } = this;
    const host = { devices: () => ['lo', 'eth0'], addresses: () => new Map(Object.entries(this.addresses)) };
    const given = { devices: undefined, limit: MIB, seed: [7, 9] as const, clock, log, host, load: kernel.load };
    return KernelAnswers.open({ ...given, ...options });
  }

  /** What is open, by kind and name. */
  get there(): string[] {
    return [...this.kernel.fds.values()].map((thing) => ('name' in thing ? `${thing.kind} ${thing.name}` : thing.kind));
  }

  /** Listening addresses that the program knows, and the number of the server. */
  get listening(): Record<string, string> {
    return Object.fromEntries(
      [...this.kernel.map('nodens_listen').values].map(([key, value]) => [key, (value as Buffer).toString('hex')]),
    );
  }
}

/** `struct address`: an address of 16 bytes, a port as the network has it, two bytes of nothing. */
const v4 = (address: string, port = '0035'): string => `${'00'.repeat(10)}ffff${address}${port}0000`;
const v6 = (address: string, port = '0035'): string => `${address}${port}0000`;

const LINUX = process.platform === 'linux';
const MAPS = ['control', 'indexes', 'segments', 'listen', 'count', 'clients', 'work'].map(
  (name) => `map nodens_${name}`,
);

describe.skipIf(!LINUX)('answers in the kernel', () => {
  it.each([
    { name: 'without a limit for clients', clientLimit: undefined, clients: 1 },
    { name: 'with one', clientLimit: 50, clients: 65_536 },
  ])('have maps of the lengths that the program knows, $name', ({ clientLimit, clients }) => {
    const world = new World();
    world.open({ clientLimit });
    const shapes = world.kernel.maps.map(({ name, type, keySize, valueSize, entries, flags }) =>
      [name.replace('nodens_', ''), type, keySize, valueSize, entries, flags].join(' '),
    );
    expect(shapes).toEqual([
      'slabs 2 4 65536 16 1024',
      'index 2 4 128 512 5120',
      'control 2 4 65536 1 1024',
      'indexes 12 4 4 1 0',
      'segments 12 4 4 1 0',
      'listen 1 20 4 4096 0',
      `count 6 4 8 ${KERNEL_REASONS.length} 0`,
      `clients 9 16 16 ${clients} 0`,
      'work 6 4 4096 1 0',
    ]);
  });

  it.each<{ name: string; devices: string[] | undefined; link: [type: number, program: string]; more: string[] }>([
    { name: 'by tcx at what has an address', devices: undefined, link: [11, 'nodens_answers'], more: [] },
    {
      name: 'by XDP behind a gate',
      devices: ['xdp:eth0'],
      link: [6, 'nodens_gate'],
      more: ['map nodens_devices', 'program nodens_answers', 'map nodens_gate', 'program nodens_gate', 'unix nodens_'],
    },
  ])('are attached $name, and end with what they opened', ({ devices, link, more }) => {
    const world = new World();
    const answers = world.open({ devices });
    const { links, fds } = world.kernel;
    expect(links.map(({ type, program }) => [type, program.name])).toEqual([link]);
    expect(links.map(({ device, program }) => [device, program.license])).toEqual([[2, 'Apache-2.0']]);
    const programs = more.length > 0 ? more : ['program nodens_answers'];
    expect(world.there.map((text) => text.replace(/_\d+$/, '_'))).toEqual([...MAPS, ...programs, 'link']);
    expect(world.clock.pending).toBe(1);
    answers.close();
    // Another process's then: nothing is closed twice.
    answers.close();
    expect([fds.size, world.clock.pending, answers.outcomes()]).toEqual([0, 0, {}]);
  });

  it('give their programs the maps by name', () => {
    const world = new World();
    world.open({ devices: ['xdp:eth0'] });
    const maps = Object.fromEntries(world.kernel.programs.map(({ name, maps }) => [name, maps.map((map) => map.name)]));
    const own = [...MAPS.map((name) => name.slice(4)), 'nodens_devices'];
    expect([...maps.nodens_answers!].sort()).toEqual(own.sort());
    expect(maps.nodens_gate).toEqual(['nodens_gate']);
    const gate = world.kernel.map('nodens_gate').values.get(hex(0));
    expect(gate).toBe(world.kernel.programs.find(({ name }) => name === 'nodens_answers'));
    expect(world.kernel.programs.map(({ type }) => type)).toEqual([6, 6]);
  });

  it('take over a link of XDP that was passed on', () => {
    const world = new World();
    const passed = world.open({ devices: ['xdp:eth0'] });
    const [fd] = [...world.kernel.fds].find(([, { kind }]) => kind === 'link')!;
    const [link] = world.kernel.links;
    const before = link!.program;
    const taken: string[] = [];
    const inherited = {
      take: (kind: string, at: { address: string }) => (taken.push(`${kind} ${at.address}`), fd),
    } as unknown as InheritedSockets;
    const answers = world.open({ devices: ['xdp:eth0'], inherited });
    expect([taken, world.kernel.links.length, link!.program]).toEqual([['xdp device 2'], 1, before]);
    answers.serve({ address: '192.0.2.1', port: 53 }, 3);
    expect(link!.program.id).toBeGreaterThan(before.id);
    expect(passed).toBeDefined();
  });

  it.each([
    ...['slabs', 'control', 'indexes', 'listen', 'count', 'clients', 'work', 'devices', 'gate'].map((name) => ({
      call: `MAP_CREATE nodens_${name}`,
    })),
    { call: 'mmap' },
    { call: 'PROG_LOAD' },
    { call: 'LINK_CREATE' },
  ])('leave nothing open where $call is refused', ({ call }) => {
    const world = new World();
    world.kernel.refuses[call] = ENOMEM;
    expect(() => world.open({ devices: ['xdp:eth0'] })).toThrow(/ENOMEM/);
    expect([world.there, world.clock.pending]).toEqual([[], 0]);
  });

  it('say in words what is missing', () => {
    const world = new World();
    world.kernel.hasTcx = false;
    world.kernel.netlink.refuses[36] = EPERM;
    expect(() => world.open()).toThrow(/CAP_BPF|in spite of the capabilities/);
    expect(() => world.open({ devices: ['eth9'] })).toThrow('no device eth9, there are lo, eth0');
    expect(world.there).toEqual([]);
  });

  it.each([
    { name: 'an address', at: '192.0.2.1', keys: [v4('c0000201')] },
    { name: 'one of IPv6', at: '2001:db8::1', keys: [v6('20010db8000000000000000000000001')] },
    {
      name: 'all',
      at: '',
      keys: [v4('7f000001'), v6(`${'00'.repeat(15)}01`), v4('c0000201'), v6('20010db8000000000000000000000001')],
    },
    { name: 'all of IPv4', at: '0.0.0.0', keys: [v4('7f000001'), v4('c0000201')] },
    { name: 'all of IPv6', at: '::', keys: [v6(`${'00'.repeat(15)}01`), v6('20010db8000000000000000000000001')] },
    { name: 'another port', at: '192.0.2.1', port: 5300, keys: [v4('c0000201', '14b4')] },
    { name: 'one that begins as a link-local one, of IPv4', at: '254.128.0.1', keys: [v4('fe800001')] },
    { name: 'one behind the link-local ones', at: 'fec0::1', keys: [v6('fec00000000000000000000000000001')] },
    {
      name: 'one with the second byte of a link-local one',
      at: 'fd80::1',
      keys: [v6('fd800000000000000000000000000001')],
    },
    { name: 'no link-local one', at: 'fe80::1', keys: [] },
    { name: 'nor the last of them', at: 'febf::1', keys: [] },
    { name: 'no name', at: 'localhost', keys: [] },
  ])('know $name as listening, and no more when that ends', ({ at, port = 53, keys }) => {
    const world = new World();
    const answers = world.open();
    const end = answers.serve({ address: at, port }, 5);
    expect(world.listening).toEqual(Object.fromEntries(keys.map((key) => [key, hex(5)])));
    end();
    expect(world.listening).toEqual({});
  });

  it('know an address as the server that listens there last', () => {
    const world = new World();
    const answers = world.open();
    const ends = [3, 4].map((server) => answers.serve({ address: '192.0.2.1', port: 53 }, server));
    expect(world.listening).toEqual({ [v4('c0000201')]: hex(4) });
    ends[0]!();
    expect(world.listening).toEqual({ [v4('c0000201')]: hex(4) });
    ends[1]!();
    expect(world.listening).toEqual({});
  });

  it('look each second at what has changed, and tell only that', () => {
    const world = new World();
    world.open().serve({ address: '0.0.0.0', port: 53 }, 5);
    const { calls } = world.kernel;
    calls.length = 0;
    world.clock.advance(1000);
    expect(calls).toEqual([]);
    world.addresses = { lo: ['127.0.0.1'], eth0: ['192.0.2.7'] };
    world.clock.advance(999);
    expect(Object.keys(world.listening)).toContain(v4('c0000201'));
    world.clock.advance(1);
    expect(Object.keys(world.listening)).toEqual([v4('7f000001'), v4('c0000207')]);
    expect(calls.filter((call) => call.startsWith('MAP'))).toEqual(['MAP_DELETE_ELEM', 'MAP_UPDATE_ELEM']);
    world.addresses = { lo: ['127.0.0.1'] };
    world.clock.advance(1000);
    expect([Object.keys(world.listening), world.kernel.openLinks]).toEqual([[v4('7f000001')], []]);
  });

  it('try again what failed, and say so', () => {
    const world = new World();
    world.open().serve({ address: '0.0.0.0', port: 53 }, 5);
    world.addresses.eth0!.push('192.0.2.2');
    world.kernel.refuses.MAP_UPDATE_ELEM = ENOMEM;
    world.clock.advance(1000);
    expect(world.log.lines).toEqual(['[WARNING] answers in the kernel: writing a map: ENOMEM']);
    delete world.kernel.refuses.MAP_UPDATE_ELEM;
    world.clock.advance(1000);
    expect(Object.keys(world.listening)).toContain(v4('c0000202'));
  });

  it('count what became of queries, on all CPUs', () => {
    const world = new World();
    const answers = world.open();
    const cpus = possibleCpus();
    const each = Buffer.alloc(8 * cpus);
    for (let cpu = 0; cpu < cpus; cpu++) each.writeBigUInt64LE(BigInt(cpu + 1), 8 * cpu);
    world.kernel.map('nodens_count').values.set(hex(2), each);
    const all = Object.fromEntries(KERNEL_REASONS.map((reason) => [reason, 0]));
    expect(answers.outcomes()).toEqual({ ...all, 'fragment or options': (cpus * (cpus + 1)) / 2 });
  });
});

describe.skipIf(!LINUX)('the table in memory of the kernel', () => {
  const memory = (limit: number, clientLimit?: number): { kernel: FakeKernel; memory: KernelMemory } => {
    const kernel = new FakeKernel();
    return { kernel, memory: new KernelMemory(new Bpf(kernel.load), limit, [7, 9], clientLimit) };
  };
  const segmentsOf = (kernel: FakeKernel): (number | undefined)[] =>
    [...kernel.map('nodens_segments').values.values()].map((map) => (map as { id: number }).id);

  it.each([
    { limit: 1, segments: 1, sets: 2048, pool: 65_536 + 8 * 65_536 },
    { limit: MIB, segments: 1, sets: 2048, pool: 65_536 + 8 * 65_536 },
    { limit: MIB + 1, segments: 2, sets: 4096, pool: 65_536 + 16 * 65_536 },
  ])('has whole maps for $limit bytes', ({ limit, segments, sets, pool }) => {
    const { kernel, memory: made } = memory(limit, 50);
    expect([made.poolLimit, made.largestIndex, made.pool]).toEqual([segments * MIB, sets, pool]);
    expect(made.shared.size).toBe(pool + segments * MIB);
    expect(kernel.map('nodens_segments').entries).toBe(segments);
    // Control page: the key of the hash, where the pool begins in units of 64 bytes, and the limit.
    expect([...new Int32Array(made.buffer, 0, 5)]).toEqual([7, 9, 0, pool / 64, 50]);
    const control = kernel.map('nodens_control');
    expect(kernel.mapped).toEqual([{ map: control, offset: 0, size: 65_536 }]);
    expect([...kernel.fds.values()]).toHaveLength(3);
  });

  it('has no limit for clients where none is said', () =>
    expect(new Int32Array(memory(1).memory.buffer, 0, 5)[4]).toBe(0));

  it('grows by maps that lie side by side, to its limit', () => {
    const { kernel, memory: made } = memory(2 * MIB);
    const open = kernel.fds.size;
    const steps = [1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 1].map((size) => [
      made.growPool(size),
      segmentsOf(kernel).length,
    ]);
    expect(steps).toEqual([
      [true, 1],
      [true, 1],
      [true, 2],
      [true, 2],
      [false, 2],
    ]);
    const places = kernel.mapped.slice(1).map(({ map, offset, size }) => [map.name, offset - made.pool, size]);
    expect(places).toEqual([
      ['nodens_slabs', 0, MIB],
      ['nodens_slabs', MIB, MIB],
    ]);
    expect([...kernel.map('nodens_segments').values.keys()]).toEqual([hex(0), hex(1)]);
    expect(new Set(segmentsOf(kernel)).size).toBe(2);
    expect(kernel.fds.size).toBe(open);
  });

  it('has indexes of the sets that are asked for; the first is in use at once, others when that is said', () => {
    const { kernel, memory: made } = memory(MIB);
    const open = kernel.fds.size;
    const used = (): unknown => kernel.map('nodens_indexes').values.get(hex(0));
    expect(made.makeIndex(512)).toBe(true);
    const first = kernel.maps.at(-1)!;
    expect([used(), kernel.fds.size]).toEqual([first, open]);
    expect(made.makeIndex(2048)).toBe(true);
    const second = kernel.maps.at(-1)!;
    expect([used(), kernel.fds.size]).toEqual([first, open + 1]);
    made.useIndex(2048);
    expect([used(), kernel.fds.size]).toEqual([second, open]);
    expect(kernel.mapped.slice(1)).toEqual([
      { map: first, offset: 65_536 + 512 * 128, size: 512 * 128 },
      { map: second, offset: 65_536 + 2048 * 128, size: 2048 * 128 },
    ]);
    expect([made.makeIndex(4096), kernel.maps.at(-1)]).toEqual([false, second]);
  });

  it.each(['MAP_CREATE', 'mmap'])('is full where %s is refused', (call) => {
    const { kernel, memory: made } = memory(MIB);
    const open = kernel.fds.size;
    kernel.refuses[call] = ENOMEM;
    expect([made.growPool(1), made.makeIndex(512), kernel.fds.size]).toEqual([false, false, open]);
    expect(segmentsOf(kernel)).toEqual([]);
    delete kernel.refuses[call];
    expect([made.growPool(1), made.makeIndex(512), kernel.fds.size]).toEqual([true, true, open]);
  });
});

describe('the status of programs in the kernel', () => {
  it.each([
    { text: '0\n', cpus: 1 },
    { text: '0-3\n', cpus: 4 },
    { text: '0-3,8-11\n', cpus: 12 },
    { text: '0,2\n', cpus: 3 },
  ])('counts $cpus possible CPUs in $text', ({ text, cpus }) => expect(possibleCpus(text)).toBe(cpus));

  it.skipIf(!LINUX)('tells of each server where it answers, and what it did meanwhile', async () => {
    const world = new World();
    world.kernel.devices.push({ name: 'eth1', mac: '020000000002' });
    const bpf = new Bpf(world.kernel.load);
    bpf.loadProgram(Buffer.alloc(8), 'GPL', 'other_program');
    world.open({ devices: ['xdp:eth0', 'clsact:lo', 'tcx:lo'] });
    const [tc] = world.kernel.programs.filter(({ name, type }) => name === 'nodens_answers' && type === 3);
    const open = world.kernel.fds.size;
    const counts = Buffer.alloc(8 * possibleCpus());
    counts.writeBigUInt64LE(12n, 0);
    world.kernel.map('nodens_count').values.set(hex(0), counts);
    const netlink = openRtnetlink(world.kernel.load);
    const host = { devices: () => ['lo', 'eth0', 'eth1'], addresses: () => new Map<string, string[]>() };
    const waited: number[] = [];
    const wait = (time: number): Promise<void> => {
      waited.push(time);
      expect(world.there.filter((text) => text === 'stats')).toHaveLength(time > 0 ? 1 : 0);
      Object.assign(tc!, { runs: tc!.runs + 4n, time: tc!.time + 1000n });
      return Promise.resolve();
    };
    for (const watch of [2000, 0]) {
      const programs = await kernelPrograms(watch, wait, { bpf, netlink, host });
      const [byXdp, byTc] = programs.sort((a, b) => a.runs - b.runs);
      expect(programs).toHaveLength(2);
      const queries = { answered: 12 };
      expect(byXdp).toMatchObject({ devices: [{ device: 2, by: 'xdp' }], queries, runs: 0, nanoseconds: undefined });
      expect(byTc).toEqual({ id: tc!.id, devices: [{ device: 1, by: 'clsact' }], queries, runs: 4, nanoseconds: 250 });
    }
    expect([waited, world.kernel.fds.size]).toEqual([[2000, 0], open]);
  });

  it.skipIf(!LINUX)('does without what goes meanwhile, and says what it may not do', async () => {
    const world = new World();
    world.open({ devices: ['xdp:eth0'] });
    const bpf = new Bpf(world.kernel.load);
    const looked = (): ReturnType<typeof kernelPrograms> =>
      kernelPrograms(0, () => Promise.resolve(), {
        bpf,
        netlink: openRtnetlink(world.kernel.load),
        host: { devices: () => [], addresses: () => new Map() },
      });
    const open = world.kernel.fds.size;
    world.kernel.map('nodens_gate').values.clear();
    expect((await looked()).map(({ devices }) => devices)).toEqual([[]]);
    expect(world.kernel.fds.size).toBe(open);
    world.kernel.refuses.MAP_GET_FD_BY_ID = EPERM;
    await expect(looked()).rejects.toThrow('opening a map: EPERM');
  });

  it.skipIf(!LINUX)('knows a program without counters', async () => {
    const { kernel } = new World();
    const bpf = new Bpf(kernel.load);
    bpf.loadProgram(Buffer.alloc(8), 'GPL', 'nodens_answers');
    bpf.createMap({ type: MapType.HASH, keySize: 4, valueSize: 4, entries: 1, name: 'nodens_count' });
    const [program] = await kernelPrograms(0, () => Promise.resolve(), { bpf, netlink: openRtnetlink(kernel.load) });
    expect(program).toMatchObject({ queries: {}, devices: [], runs: 0 });
  });

  it.each<{ name: string; programs: KernelProgram[]; text: string }>([
    { name: 'none', programs: [], text: 'no server of this host answers in the kernel\n' },
    {
      name: 'what they did',
      programs: [
        {
          id: 7,
          devices: [
            { device: 2, by: 'tcx' },
            { device: 3, by: 'xdp' },
          ],
          queries: { answered: 12, 'not in the table': 3 },
          runs: 4,
          nanoseconds: 249.6,
        },
        { id: 8, devices: [], queries: {}, runs: 0, nanoseconds: undefined },
      ],
      text:
        'program 7 at d2 (tcx), d3 (xdp): 4 runs while it was looked at, 250 ns each\n' +
        `  answered${' '.repeat(17)}12\n  not in the table${' '.repeat(9)}3\n` +
        'program 8 at no device: 0 runs while it was looked at\n',
    },
  ])('is a text: $name', ({ programs, text }) =>
    expect(kernelStatusText(programs, (number) => `d${number}`)).toBe(text),
  );
});
