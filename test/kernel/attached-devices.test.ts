import { describe, expect, it } from 'vitest';
import { AttachedDevices, parseWanted } from '../../src/kernel/attached-devices.js';
import type { ProgramAttachment } from '../../src/kernel/attacher.js';
import type { AttachKind } from '../../src/kernel/bpf-shapes.js';
import { BpfError } from '../../src/kernel/bpf-error.js';
import { thisHost } from '../../src/kernel/device-host.js';
import { TestLog } from '../support/block.js';

/** A host whose devices have the numbers of their places, from 1, and what is attached where. */
class FakeHost {
  names: string[];
  addressed: string[] = [];
  refuses: Record<number, string> = {};
  private readonly open = new Map<number, number>();
  private next = 100;

  constructor(...names: string[]) {
    this.names = names;
  }
  devices = (): string[] => this.names.filter((name) => name !== '');
  addresses = (): Map<string, string[]> =>
    new Map([
      ...this.names.map((name) => [name, []] as [string, string[]]),
      ['lo', ['127.0.0.1']],
      ...this.addressed.map((name) => [name, ['192.0.2.1']] as [string, string[]]),
    ]);
  deviceNumber = (name: string): number => this.names.indexOf(name) + 1;
  readonly kinds: string[] = [];
  looked: (device: number) => void = () => undefined;
  attach = (device: number, kind: AttachKind = 'tcx'): ProgramAttachment => {
    const code = this.refuses[device];
    if (code !== undefined) throw new BpfError('attaching the program', code);
    const id = ++this.next;
    this.open.set(id, device);
    this.kinds.push(`${device} ${kind}`);
    return { kind, look: () => this.looked(device), close: () => void this.open.delete(id) };
  };
  get attached(): number[] {
    return [...this.open.values()].sort();
  }
}

const watching = (host: FakeHost, wanted: string[] | undefined, log = new TestLog()): AttachedDevices =>
  new AttachedDevices(host, host, wanted, host, log);

describe('a program is attached', () => {
  it.each<{ name: string; wanted: string[] | undefined; at: number[]; later: number[] }>([
    { name: 'to devices by name', wanted: ['eth0'], at: [2], later: [2] },
    { name: 'to those that match a pattern, now and later', wanted: ['lxc*'], at: [3], later: [3, 5] },
    { name: 'to names and patterns', wanted: ['eth0', 'cali*', 'lxc*'], at: [2, 3], later: [2, 3, 5, 6] },
    { name: 'to whatever has an address, but the loopback', wanted: undefined, at: [2], later: [2, 4] },
    { name: 'to none yet', wanted: ['tap*'], at: [], later: [] },
  ])('$name', ({ wanted, at, later }) => {
    const host = new FakeHost('lo', 'eth0', 'lxc1', 'cni0');
    host.addressed = ['eth0'];
    const devices = watching(host, wanted);
    expect(host.attached).toEqual(at);
    host.names.push('lxc2', 'cali7');
    host.addressed.push('cni0');
    devices.look();
    devices.look();
    expect(host.attached).toEqual(later);
    devices.close();
    expect(host.attached).toEqual([]);
  });

  it('no more to a device that has gone', () => {
    const host = new FakeHost('lxc1', 'lxc2');
    const devices = watching(host, ['lxc*']);
    host.names[0] = '';
    devices.look();
    expect(host.attached).toEqual([2]);
  });

  it.each([
    { name: 'as is asked for', wanted: ['xdp:eth0', 'clsact:lxc*', 'lo'], kinds: ['1 tcx', '2 xdp', '3 clsact'] },
    { name: 'as the first of two that mean it says', wanted: ['xdp:lxc*', 'clsact:lxc1'], kinds: ['3 clsact'] },
  ])('$name', ({ wanted, kinds }) => {
    const host = new FakeHost('lo', 'eth0', 'lxc1');
    watching(host, wanted);
    expect(host.kinds.sort()).toEqual(kinds);
  });

  it('never where a name is none of a device', () => {
    const host = new FakeHost('lo', 'eth0');
    expect(() => watching(host, ['eth0', 'eth7'])).toThrow('no device eth7, there are lo, eth0');
    expect(host.attached).toEqual([]);
  });

  it.each([1, 2])('to all or to none at first, whichever refuses: %i', (device) => {
    const host = new FakeHost('eth0', 'eth1');
    host.refuses = { [device]: 'EPERM' };
    expect(() => watching(host, ['eth0', 'eth1'])).toThrow('attaching the program: EPERM');
    expect(host.attached).toEqual([]);
  });

  it('later to the others where one does not take it, which is said once', () => {
    const host = new FakeHost('lo');
    const log = new TestLog();
    const devices = watching(host, ['lxc*'], log);
    host.refuses = { 2: 'EBUSY', 3: 'ENODEV' };
    host.names.push('lxc1', 'lxc2', 'lxc3');
    devices.look();
    devices.look();
    expect(host.attached).toEqual([4]);
    expect(log.lines).toEqual(['[WARNING] the kernel does not answer at lxc1: attaching the program: EBUSY']);
    // A device that comes with its number is another one.
    host.names[1] = '';
    devices.look();
    host.names[1] = 'lxc9';
    host.refuses = {};
    devices.look();
    expect(host.attached).toEqual([2, 3, 4]);
  });

  it.each([
    { name: 'a kind alone is a name', wanted: 'xdp', want: { name: 'xdp', kind: undefined } },
    { name: 'another word is none', wanted: 'veth:1', want: { name: 'veth:1', kind: undefined } },
    { name: 'a name may have colons', wanted: 'tcx:eth0:1', want: { name: 'eth0:1', kind: 'tcx' } },
  ])('$name', ({ wanted, want }) => expect(parseWanted(wanted)).toEqual(want));

  it('passes an error on that is none of the kernel', () => {
    const host = new FakeHost('lo');
    const devices = watching(host, ['lxc*']);
    host.names.push('lxc1');
    host.attach = () => {
      throw new RangeError('of the test');
    };
    expect(() => devices.look()).toThrow(RangeError);
  });

  it('and is told when there is something to answer', () => {
    const host = new FakeHost('eth0', 'eth1');
    const taken: number[] = [];
    host.attach = (device) => ({ kind: 'xdp', take: () => void taken.push(device), close: () => undefined });
    watching(host, ['eth0', 'eth1']).take();
    expect(taken).toEqual([2, 1]);
  });
});

it('what cannot be told of a device is told the next time', () => {
  const host = new FakeHost('lo', 'eth0');
  const log = new TestLog();
  const devices = watching(host, ['eth0'], log);
  const looked: number[] = [];
  host.looked = (device) => {
    looked.push(device);
    if (looked.length === 1) throw new BpfError('asking for a device', 'ENOBUFS');
  };
  devices.look();
  devices.look();
  expect(looked).toEqual([2, 2]);
  expect(log.lines).toEqual(['[WARNING] the kernel does not answer at eth0: asking for a device: ENOBUFS']);
});

it.skipIf(process.platform !== 'linux')('all devices of this namespace are seen', () => {
  expect(thisHost.devices()).toContain('lo');
});
