import { describe, expect, it } from 'vitest';
import { Bpf } from '../../src/kernel/bpf.js';
import { MapType, TCX, XDP } from '../../src/kernel/bpf-numbers.js';
import type { MapShape } from '../../src/kernel/bpf-shapes.js';
import { addFilter, listFilters, removeFilter } from '../../src/kernel/clsact.js';
import { announcePresence } from '../../src/kernel/presence.js';
import { attribute, attributes, openRtnetlink } from '../../src/kernel/rtnetlink.js';
import { E2BIG, EACCES, EAGAIN, EINVAL, EMFILE, ENODEV, ENOENT, ENOMEM, EPERM } from '../support/errno.js';
import { FakeKernel } from '../support/fake-kernel.js';

const LINUX = process.platform === 'linux';
const word = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const HASH_MAP = { type: MapType.HASH, keySize: 4, valueSize: 8, entries: 2, name: 'nodens_test' };
/** Two instructions: r0 = 0, exit. */
const CODE = Buffer.from('b7000000000000009500000000000000', 'hex');

function world(): { kernel: FakeKernel; bpf: Bpf } {
  const kernel = new FakeKernel();
  kernel.devices.push({ name: 'eth0', mac: '020000000001' }, { name: 'abcdefghijklmno', mac: '020000000002' });
  return { kernel, bpf: new Bpf(kernel.load) };
}

describe.skipIf(!LINUX)('the bpf system call', () => {
  it.each([
    { arch: 'x64', number: 321 },
    { arch: 'arm64', number: 280 },
    { arch: 'riscv64', number: 280 },
    { arch: 'loong64', number: 280 },
    { arch: 'ppc64', number: 361 },
    { arch: 's390x', number: 351 },
  ])('has the number $number on $arch', ({ arch, number }) => {
    const kernel = new FakeKernel();
    new Bpf(kernel.load, arch).countRuns();
    expect(kernel.calls).toEqual([`syscall ${number}`, 'ENABLE_STATS']);
  });

  it('is not made on a processor whose number nobody knows', () =>
    expect(() => new Bpf(new FakeKernel().load, 'mips')).toThrow('bpf: not known for the processor mips'));

  it.each<{ name: string; shape: MapShape; type: number; flags?: number }>([
    { name: 'a hash', shape: HASH_MAP, type: 1 },
    {
      name: 'an array that lies in memory',
      shape: { ...HASH_MAP, type: MapType.ARRAY, flags: 0x400 },
      type: 2,
      flags: 0x400,
    },
    { name: 'an array of programs', shape: { ...HASH_MAP, type: MapType.PROGRAMS, valueSize: 4 }, type: 3 },
    { name: 'an array for each CPU', shape: { ...HASH_MAP, type: MapType.PERCPU_ARRAY }, type: 6 },
    { name: 'a hash of what was last used', shape: { ...HASH_MAP, type: MapType.LRU_HASH }, type: 9 },
  ])('makes $name', ({ shape, type, flags = 0 }) => {
    const { kernel, bpf } = world();
    const map = bpf.createMap(shape);
    const want = { type, keySize: 4, valueSize: shape.valueSize, entries: 2, flags, name: 'nodens_test' };
    expect(kernel.opened(map, 'map')).toMatchObject(want);
    expect(bpf.mapName(map)).toBe('nodens_test');
  });

  it('makes a map of maps that are like one', () => {
    const { kernel, bpf } = world();
    const inner = bpf.createMap({ ...HASH_MAP, type: MapType.ARRAY, name: 'inner' });
    const outer = bpf.createMap({ ...HASH_MAP, type: MapType.ARRAY_OF_MAPS, valueSize: 4, inner });
    expect(kernel.opened(outer, 'map')).toMatchObject({ type: 12, inner: kernel.opened(inner, 'map') });
  });

  it('writes, reads and deletes values', () => {
    const { kernel, bpf } = world();
    const map = bpf.createMap(HASH_MAP);
    bpf.update(map, word(1), Buffer.from('0102030405060708', 'hex'));
    bpf.update(map, word(2), Buffer.from('1112131415161718', 'hex'));
    expect([...kernel.opened(map, 'map').values.keys()]).toEqual(['01000000', '02000000']);
    expect(bpf.lookUp(map, word(2), 8).toString('hex')).toBe('1112131415161718');
    bpf.delete(map, word(2));
    expect(() => bpf.lookUp(map, word(2), 8)).toThrow('reading a map: ENOENT');
    expect(() => bpf.delete(map, word(2))).toThrow('deleting of a map: ENOENT');
    expect(() => bpf.update(99, word(2), Buffer.alloc(8))).toThrow('writing a map: EBADF');
    expect(bpf.lookUp(map, word(1), 8).toString('hex')).toBe('0102030405060708');
  });

  it('says what was refused, and why', () => {
    const { kernel, bpf } = world();
    kernel.refuses.MAP_CREATE = EPERM;
    expect(() => bpf.createMap(HASH_MAP)).toThrow('making the map nodens_test: EPERM');
  });

  it.each([
    { name: 'for tcx where nothing is said', hook: undefined, type: 3 },
    { name: 'for XDP', hook: XDP, type: 6 },
  ])('loads a program $name', ({ hook, type }) => {
    const { kernel, bpf } = world();
    const program = bpf.loadProgram(CODE, 'Apache-2.0', 'nodens_answers', hook);
    const want = { type, code: CODE, license: 'Apache-2.0', name: 'nodens_answers' };
    expect(kernel.opened(program, 'program')).toMatchObject(want);
  });

  it.each([
    {
      name: 'the last lines of what the verifier says',
      errno: EACCES,
      log: `${'x'.repeat(600_000)}\n1: exit\nR0 !read_ok\nprocessed 1 insns\n\n`,
      want: 'loading the program: EACCES: 1: exit; R0 !read_ok; processed 1 insns',
      tries: 2,
    },
    { name: 'that it says nothing', errno: E2BIG, log: '', want: 'loading the program: E2BIG', tries: 2 },
    { name: 'that there is no right to', errno: EPERM, log: 'no', want: 'loading the program: EPERM', tries: 1 },
  ])('tells of a program that is refused $name', ({ errno, log, want, tries }) => {
    const { kernel, bpf } = world();
    kernel.verifier = () => ({ errno, log });
    const load = (): number => bpf.loadProgram(CODE, 'Apache-2.0', 'nodens_answers');
    expect(load).toThrow(expect.objectContaining({ message: want }));
    expect(kernel.calls.filter((call) => call === 'PROG_LOAD')).toHaveLength(tries);
  });

  it('takes a program that is taken when it is asked again', () => {
    const { kernel, bpf } = world();
    let asked = 0;
    kernel.verifier = () => (asked++ === 0 ? { errno: EAGAIN, log: '' } : undefined);
    expect(kernel.opened(bpf.loadProgram(CODE, 'Apache-2.0', 'p'), 'program').name).toBe('p');
  });

  it('passes an error on that is none of the call', () => {
    const { kernel, bpf } = world();
    kernel.verifier = () => {
      throw new RangeError('of the test');
    };
    expect(() => bpf.loadProgram(CODE, 'Apache-2.0', 'p')).toThrow(RangeError);
  });

  it('attaches programs to devices, and shows where they are', () => {
    const { kernel, bpf } = world();
    kernel.devices[1] = { ...kernel.devices[1]!, hasXdp: true };
    const [tc, xdp, other] = [TCX, XDP, XDP].map((hook) => bpf.loadProgram(CODE, 'Apache-2.0', 'p', hook)) as [
      number,
      number,
      number,
    ];
    expect(() => bpf.attach(tc, 9)).toThrow('attaching the program by tcx: ENODEV');
    bpf.attach(tc, 3);
    const link = bpf.attach(xdp, 2, XDP);
    const { id } = kernel.opened(other, 'program');
    bpf.updateLink(link, other);
    expect(bpf.programOf(link)).toBe(id);
    kernel.open({ kind: 'link', id: 900, type: 5, device: 1, program: kernel.opened(tc, 'program') });
    const before = kernel.fds.size;
    expect(bpf.links()).toEqual([
      { program: kernel.opened(tc, 'program').id, device: 3, by: 'tcx' },
      { program: id, device: 2, by: 'xdp' },
    ]);
    expect(kernel.fds.size).toBe(before);
    bpf.close(link);
    expect(bpf.links()).toHaveLength(1);
    expect(() => bpf.updateLink(link, other)).toThrow('changing the program of a device: EBADF');
  });

  it('tells what the kernel knows of a program', () => {
    const { kernel, bpf } = world();
    const maps = Array.from({ length: 65 }, () => bpf.createMap(HASH_MAP));
    // Each loads the address of a map: lddw r0, map_fd.
    const code = maps.flatMap((map) => [Buffer.from('18100000', 'hex'), word(map), Buffer.alloc(8)]);
    const program = bpf.loadProgram(Buffer.concat(code), 'Apache-2.0', 'nodens_answers');
    const ids = maps.map((map) => kernel.opened(map, 'map').id);
    Object.assign(kernel.opened(program, 'program'), { runs: 7n, time: 0x1234567890n });
    const { id } = kernel.opened(program, 'program');
    const want = { id, name: 'nodens_answers', runs: 7n, time: 0x1234567890n };
    // So many are asked for at most.
    expect(bpf.programInfo(program)).toEqual({ ...want, maps: ids.slice(0, 64) });
    expect(kernel.opened(bpf.openProgram(id), 'program').id).toBe(id);
    expect(kernel.opened(bpf.openMap(ids[3]!), 'map').id).toBe(ids[3]);
    expect(() => bpf.programInfo(maps[0]! + 1000)).toThrow('asking the kernel: EBADF');
    expect(() => bpf.openProgram(ids[0]!)).toThrow('opening a program: ENOENT');
    expect(() => bpf.openMap(id)).toThrow('opening a map: ENOENT');
  });

  it('lists programs, without those that come and go meanwhile', () => {
    const { kernel, bpf } = world();
    const names = ['one', 'gone', 'made', 'two'];
    names.forEach((name) => bpf.loadProgram(CODE, 'Apache-2.0', name));
    [undefined, ENOENT, EAGAIN].forEach((gone, i) => Object.assign(kernel.programs[i]!, { gone }));
    expect(bpf.programs().map((fd) => bpf.programInfo(fd).name)).toEqual(['one', 'two']);
    Object.assign(kernel.programs[1]!, { gone: EPERM });
    expect(() => bpf.programs()).toThrow('opening: EPERM');
    kernel.refuses.PROG_GET_NEXT_ID = EPERM;
    expect(() => bpf.programs()).toThrow('listing: EPERM');
  });

  it('counts runs for as long as that is open', () => {
    const { kernel, bpf } = world();
    const counting = bpf.countRuns();
    expect(kernel.fds.get(counting)).toEqual({ kind: 'stats' });
    bpf.close(counting);
    expect(kernel.fds.has(counting)).toBe(false);
  });

  it('knows devices by name and by number', () => {
    const { bpf } = world();
    expect(['eth0', 'abcdefghijklmno', 'eth9'].map((name) => bpf.deviceNumber(name))).toEqual([2, 3, 0]);
    expect([2, 3, 9].map((number) => bpf.deviceName(number))).toEqual(['eth0', 'abcdefghijklmno', '9']);
  });

  it('lets values of a map lie in space that was reserved', () => {
    const { kernel, bpf } = world();
    const map = bpf.createMap({ ...HASH_MAP, type: MapType.ARRAY, valueSize: 4096, flags: 0x400 });
    const at = bpf.reserve(65_536);
    bpf.mapAt(map, at + 4096n, 8192);
    expect(kernel.mapped).toEqual([{ map: kernel.opened(map, 'map'), offset: 4096, size: 8192 }]);
    const plain = bpf.createMap(HASH_MAP);
    expect(() => bpf.mapAt(plain, at, 8192)).toThrow('mapping memory: EINVAL');
    kernel.refuses.mmap = ENOMEM;
    expect(() => bpf.reserve(65_536)).toThrow('mapping memory: ENOMEM');
  });
});

describe.skipIf(!LINUX)('filters of clsact', () => {
  const there = (): { kernel: FakeKernel; bpf: Bpf; program: number; netlink: ReturnType<typeof openRtnetlink> } => {
    const { kernel, bpf } = world();
    const program = bpf.loadProgram(CODE, 'Apache-2.0', 'nodens_gate');
    return { kernel, bpf, program, netlink: openRtnetlink(kernel.load) };
  };

  it('are put in front of others, at packets of all protocols that arrive, with the verdict of their program', () => {
    const { kernel, program, netlink } = there();
    const { id } = kernel.opened(program, 'program');
    addFilter(netlink, 2, program, { handle: 0x40000007, name: 'nodens_7' });
    // The first priority, and ETH_P_ALL in the network's order.
    const made = { device: 2, handle: 0x40000007, info: 0x10300, kind: 'bpf', name: 'nodens_7', program: id, flags: 1 };
    expect(kernel.netlink.filters).toEqual([made]);
    addFilter(netlink, 2, program, { handle: 0x40000008, name: 'nodens_8' });
    expect(kernel.netlink.filters.map(({ name }) => name)).toEqual(['nodens_8', 'nodens_7']);
    expect(() => addFilter(netlink, 2, program, { handle: 0x40000008, name: 'nodens_8' })).toThrow(
      'attaching the program by clsact: EEXIST',
    );
    // Requests have sockets of their own, which are closed.
    expect([...kernel.fds.values()].filter(({ kind }) => kind === 'netlink')).toEqual([]);
  });

  it('are seen of servers alone, at the device that is asked about', () => {
    const { kernel, program, netlink } = there();
    const names = ['nodens_7', 'cilium', `nodens_${'9'.repeat(200)}`, 'nodens_6', 'cilium-from-nodens_1'];
    names.forEach((name, i) => addFilter(netlink, i === 3 ? 3 : 2, program, { handle: 50 + i, name }));
    const { id } = kernel.opened(program, 'program');
    const want = [
      { handle: 52, name: `nodens_${'9'.repeat(200)}`, program: id },
      { handle: 50, name: 'nodens_7', program: id },
    ];
    kernel.netlink.signals = 2;
    expect(listFilters(netlink, 2)).toEqual(want);
    expect(listFilters(netlink, 1)).toEqual([]);
    expect(listFilters(netlink, 9)).toEqual([]);
  });

  it('are taken away; those that have gone have gone', () => {
    const { kernel, program, netlink } = there();
    for (const handle of [7, 8]) addFilter(netlink, 2, program, { handle, name: 'nodens_7' });
    removeFilter(netlink, 2, 7);
    expect(kernel.netlink.filters.map(({ handle }) => handle)).toEqual([8]);
    for (const device of [2, 9]) removeFilter(netlink, device, 7);
    expect(kernel.netlink.filters.map(({ handle }) => handle)).toEqual([8]);
  });

  it.each([
    { name: 'made', type: 36, call: 'attaching the program by clsact: EPERM' },
    { name: 'put there', type: 44, call: 'attaching the program by clsact: EPERM' },
    { name: 'taken away', type: 45, call: 'detaching the program: EPERM' },
    { name: 'listed', type: 46, call: 'listing filters: EPERM' },
  ])('say when they cannot be $name', ({ type, call }) => {
    const { kernel, program, netlink } = there();
    kernel.netlink.refuses[type] = EPERM;
    const all = (): void => {
      addFilter(netlink, 2, program, { handle: 7, name: 'nodens_7' });
      listFilters(netlink, 2);
      removeFilter(netlink, 2, 7);
    };
    expect(all).toThrow(expect.objectContaining({ message: call, code: 'EPERM' }));
  });

  it('go with a device', () => {
    const { kernel, netlink } = there();
    kernel.netlink.refuses[46] = EINVAL;
    expect(listFilters(netlink, 2)).toEqual([]);
    kernel.netlink.refuses[45] = ENODEV;
    expect(() => removeFilter(netlink, 2, 7)).not.toThrow();
  });

  it.each(['socket', 'send', 'recv'])('are not asked for without %s', (call) => {
    const { kernel, netlink } = there();
    kernel.refuses[call] = EMFILE;
    expect(() => listFilters(netlink, 2)).toThrow('listing filters: EMFILE');
    expect([...kernel.fds.values()].filter(({ kind }) => kind === 'netlink')).toEqual([]);
  });

  it('lists nothing of a message that is too short to be one', () => {
    const { kernel, netlink } = there();
    const receive = kernel.netlink.receive.bind(kernel.netlink);
    let short = 2;
    kernel.netlink.receive = (fd, to) => (short-- > 0 ? to.write('\0'.repeat(15 + short)) : receive(fd, to));
    expect(listFilters(netlink, 2)).toEqual([]);
    expect(short).toBe(-1);
  });
});

describe('attributes of rtnetlink', () => {
  it.each([
    { name: 'of four bytes', type: 6, value: '01020304', bytes: '0800060001020304' },
    { name: 'with bytes of nothing behind it', type: 7, value: '6100', bytes: '0600070061000000' },
    { name: 'of nothing', type: 2, value: '', bytes: '04000200' },
  ])('$name', ({ type, value, bytes }) => {
    expect(attribute(type, Buffer.from(value, 'hex')).toString('hex')).toBe(bytes);
    const read = attributes(Buffer.from(`${bytes}${bytes.replace(/^(....)../, '$109')}`, 'hex'));
    expect([...read].map(([key, got]) => [key, got.toString('hex')])).toEqual([
      [type, value],
      [9, value],
    ]);
  });

  it.each([
    { name: 'without flags of nesting and byte order', bytes: '0800020001020304080006c005060708', want: [2, 6] },
    { name: 'the last without what fills it up', bytes: '06000700ffff', want: [7] },
    { name: 'without what is cut short', bytes: '04000200080006000102', want: [2] },
    { name: 'without what is no head', bytes: '04000200040006', want: [2] },
    { name: 'without what has no length', bytes: '04000200030006000400070004000800', want: [2] },
  ])('$name', ({ bytes, want }) => expect([...attributes(Buffer.from(bytes, 'hex')).keys()]).toEqual(want));
});

describe.skipIf(!LINUX)('presence', () => {
  it('is seen by name for as long as it lasts', () => {
    const { kernel } = world();
    const [one, other] = [announcePresence(7, kernel.load), announcePresence(8, kernel.load)];
    expect([one.name, other.name]).toEqual(['nodens_7', 'nodens_8']);
    const alive = (): boolean[] => ['nodens_7', 'nodens_8', 'nodens_9'].map((name) => one.isAlive(name));
    expect(alive()).toEqual([true, true, false]);
    other.close();
    expect(alive()).toEqual([true, false, false]);
    expect(kernel.fds.size).toBe(1);
  });

  it('is not to be had twice, nor without a socket', () => {
    const { kernel } = world();
    const one = announcePresence(7, kernel.load);
    const again = (): unknown => announcePresence(7, kernel.load);
    expect(again).toThrow('opening a unix socket: EADDRINUSE');
    expect(kernel.fds.size).toBe(1);
    kernel.refuses.socket = EMFILE;
    expect(again).toThrow('opening a unix socket: EADDRINUSE');
    // Nothing is known then: the worse is taken.
    expect(one.isAlive('nodens_9')).toBe(true);
  });
});
