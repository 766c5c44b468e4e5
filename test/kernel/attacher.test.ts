import { describe, expect, it } from 'vitest';
import { Attacher } from '../../src/kernel/attacher.js';
import { BpfError } from '../../src/kernel/bpf-error.js';
import type { AttachKind, AttachHook } from '../../src/kernel/bpf-shapes.js';
import { attribute, type Rtnetlink } from '../../src/kernel/rtnetlink.js';

const NAME = 'nodens_5';
const word = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);

/** A kernel with one device, of number 2: what it refuses, and what was done to it. */
class FakeKernel {
  readonly done: string[] = [];
  readonly refuses: Partial<Record<AttachKind, string>> = {};
  readonly alive = new Set([NAME]);
  filters: { handle: number; name: string }[] = [];
  hasClsact = true;
  address = '020000000001';
  /** Number of the program that the device's link leads to, and a link that was passed on. */
  linked = 5;
  passed: number | undefined;
  private next = 100;

  readonly bpf = {
    attach: (_program: number, device: number, { kind }: AttachHook): number => {
      this.refuse(kind);
      this.done.push(`${kind} at ${device}`);
      return 7;
    },
    close: (fd: number): void => void this.done.push(`closed ${fd}`),
    createMap: (): number => ++this.next,
    update: (map: number, _key: Uint8Array, value: Uint8Array): void =>
      void this.done.push(`${map}: ${Buffer.from(value).toString('hex')}`),
    updateLink: (link: number, program: number): void => {
      this.done.push(`link ${link} to ${program}`);
      this.linked = 5;
    },
    programOf: (): number => this.linked,
    programInfo: (): never => ({ id: 5 }) as never,
  };

  readonly netlink: Rtnetlink = {
    change: (_what, type, _flags, body) => {
      const handle = Buffer.from(body).readUInt32LE(8);
      if (type === 36 && this.hasClsact) throw new BpfError('making', 'EEXIST');
      if (type === 44) {
        this.refuse('clsact');
        this.filters.push({ handle, name: NAME });
      }
      if (type === 45) this.filters = this.filters.filter((filter) => filter.handle !== handle);
    },
    list: (_what, type) => {
      if (type === 18) return [Buffer.concat([link(2), attribute(1, Buffer.from(this.address, 'hex'))])];
      return this.filters.map(({ handle, name }) => {
        const options = [attribute(7, Buffer.from(`${name}\0`)), attribute(11, word(9))];
        return Buffer.concat([filterAt(2, handle), attribute(2, Buffer.concat(options))]);
      });
    },
  };

  readonly attacher = new Attacher({
    bpf: this.bpf,
    netlink: this.netlink,
    load: (section) => (this.done.push(`loaded ${section}`), ++this.next),
    passedOn: () => this.passed,
    presence: () => ({ name: NAME, isAlive: (name) => this.alive.has(name), close: () => void this.done.push('gone') }),
  });

  private refuse(kind: AttachKind): void {
    const code = this.refuses[kind];
    if (code !== undefined) throw new BpfError(`attaching the program by ${kind}`, code);
  }
}

function link(device: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(device, 4);
  return bytes;
}
function filterAt(device: number, handle: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeInt32LE(device, 4);
  bytes.writeUInt32LE(handle, 8);
  return bytes;
}

describe('a program is attached', () => {
  it.each<{ name: string; kind?: AttachKind; refuses?: FakeKernel['refuses']; want: string }>([
    { name: 'by tcx', want: 'tcx' },
    { name: 'by clsact where the kernel has no tcx', refuses: { tcx: 'EINVAL' }, want: 'clsact' },
    { name: 'by clsact where that is asked for', kind: 'clsact', want: 'clsact' },
    { name: 'by XDP where that is asked for', kind: 'xdp', want: 'xdp' },
    { name: 'by tcx where the driver has no XDP', kind: 'xdp', refuses: { xdp: 'EOPNOTSUPP' }, want: 'tcx' },
    {
      name: 'by clsact where neither is there',
      kind: 'xdp',
      refuses: { xdp: 'EOPNOTSUPP', tcx: 'EINVAL' },
      want: 'clsact',
    },
    {
      name: 'by nothing but tcx',
      kind: 'tcx',
      refuses: { tcx: 'EINVAL' },
      want: 'attaching the program by tcx: EINVAL',
    },
    { name: 'by none where that is full', refuses: { tcx: 'ERANGE' }, want: 'attaching the program by tcx: ERANGE' },
    {
      name: 'beside no other of XDP',
      kind: 'xdp',
      refuses: { xdp: 'EBUSY' },
      want: 'attaching the program by xdp: EBUSY',
    },
    {
      name: 'without the right to',
      refuses: { tcx: 'EINVAL', clsact: 'EPERM' },
      want: 'attaching the program by clsact: EPERM',
    },
  ])('$name', ({ kind, refuses = {}, want }) => {
    const kernel = new FakeKernel();
    Object.assign(kernel.refuses, refuses);
    const attached = (): string => {
      try {
        return kernel.attacher.attach(2, kind).kind;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(attached()).toBe(want);
  });

  it('to a second device without another try where there is no tcx', () => {
    const kernel = new FakeKernel();
    kernel.refuses.tcx = 'EINVAL';
    kernel.attacher.attach(2);
    delete kernel.refuses.tcx;
    expect(kernel.attacher.attach(3).kind).toBe('clsact');
    expect(kernel.done.filter((text) => text.startsWith('loaded'))).toEqual(['loaded tc', 'loaded gate']);
  });

  it.each([true, false])(
    'behind a gate that holds it, in front of no filter of a dead server: clsact there %s',
    (there) => {
      const kernel = new FakeKernel();
      kernel.hasClsact = there;
      kernel.alive.add('nodens_other');
      kernel.filters = [
        { handle: 1, name: 'nodens_dead' },
        { handle: 2, name: 'nodens_other' },
        { handle: 3, name: 'cilium' },
      ];
      const attachment = kernel.attacher.attach(2, 'clsact');
      // The gate's map has the program in it.
      expect(kernel.done).toEqual(['loaded tc', `101: ${word(102).toString('hex')}`, 'loaded gate']);
      const others = [
        { handle: 2, name: 'nodens_other' },
        { handle: 3, name: 'cilium' },
      ];
      expect(kernel.filters).toEqual([...others, { handle: 0x40000005, name: NAME }]);
      attachment.close();
      attachment.close();
      expect(kernel.filters).toEqual(others);
    },
  );

  it('by XDP with the address of the device, as it changes', () => {
    const kernel = new FakeKernel();
    const attachment = kernel.attacher.attach(2, 'xdp');
    const before = kernel.done.length;
    attachment.look!();
    kernel.address = '020000000002';
    attachment.look!();
    attachment.take!();
    attachment.close();
    expect(kernel.done.slice(before)).toEqual(['102: 0200000000020000', 'closed 7']);
    expect(kernel.done.slice(0, before)).toContain('102: 0200000000010000');
  });

  it('by a link of XDP that was passed on once there is something to answer, and not before', () => {
    const kernel = new FakeKernel();
    Object.assign(kernel, { passed: 31, linked: 4 });
    kernel.alive.add('nodens_4');
    const attachment = kernel.attacher.attach(2, 'xdp');
    const changes = (): string[] => kernel.done.filter((text) => /^(link|xdp) /.test(text));
    attachment.look!();
    // Who passed it on may end before that.
    kernel.alive.delete('nodens_4');
    attachment.look!();
    expect(changes()).toEqual([]);
    attachment.take!();
    attachment.take!();
    expect(changes()).toEqual(['link 31 to 104']);
    attachment.close();
    expect(kernel.done.at(-1)).toBe('closed 31');
  });

  it('by a link of XDP again when the process that took it over has ended', () => {
    const kernel = new FakeKernel();
    const attachment = kernel.attacher.attach(2, 'xdp');
    kernel.linked = 6;
    kernel.alive.add('nodens_6');
    attachment.look!();
    expect(kernel.linked).toBe(6);
    kernel.alive.delete('nodens_6');
    attachment.look!();
    expect(kernel.linked).toBe(5);
  });

  it('with programs that are closed at the end', () => {
    const kernel = new FakeKernel();
    kernel.attacher.prepare(undefined);
    kernel.attacher.prepare('xdp');
    kernel.attacher.attach(2, 'clsact');
    kernel.done.length = 0;
    kernel.attacher.close();
    kernel.attacher.close();
    expect(kernel.done).toEqual(['gone', ...[101, 102, 103, 104, 105].map((fd) => `closed ${fd}`)]);
  });
});
