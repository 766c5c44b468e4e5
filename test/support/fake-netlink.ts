import { EEXIST, EFAULT, EINTR, EINVAL, ENODEV, ENOENT, Errno } from './errno.js';

/** A filter of a device, as linux/rtnetlink.h and linux/pkt_cls.h have it. */
export interface FakeFilter {
  readonly device: number;
  readonly handle: number;
  /** Priority in the high half, protocol as the network has it in the low half. */
  readonly info: number;
  readonly kind: string;
  readonly name: string;
  /** Number of its program. */
  readonly program: number;
  readonly flags: number;
}

/** What the rest of the kernel has. */
interface Rest {
  readonly devices: readonly { readonly name: string; readonly mac: string }[];
  opened(fd: number, kind: 'program'): { readonly id: number };
}

const [INGRESS, CLSACT] = [0xfffffff2, 0xfffffff1];
const [ERROR, DONE, MULTI] = [2, 3, 2];

const attribute = (type: number, value: Buffer): Buffer => {
  const head = Buffer.from(Uint16Array.of(4 + value.length, type).buffer);
  return Buffer.concat([head, value, Buffer.alloc(-value.length & 3)]);
};
const word = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const text = (value: string): Buffer => Buffer.from(`${value}\0`, 'latin1');

/** Attributes by type; EINVAL for such as are cut short. */
function attributesOf(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length;) {
    const length = at + 4 <= bytes.length ? bytes.readUInt16LE(at) : 0;
    if (length < 4 || at + length > bytes.length) throw new Errno(EINVAL);
    found.set(bytes.readUInt16LE(at + 2), bytes.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return found;
}

/** The part of the kernel that is asked about devices and their filters, by messages of rtnetlink(7). */
export class FakeNetlink {
  /** Those that are run first, first. */
  filters: FakeFilter[] = [];
  readonly clsact = new Set<number>();
  /** What a request is refused with, by the number of its kind. */
  readonly refuses: Record<number, number> = {};
  /** How many calls that wait are broken off by a signal before one is not. */
  signals = 0;
  private readonly waiting = new Map<number, Buffer[]>();

  constructor(private readonly kernel: Rest) {}

  send(fd: number, message: Buffer): number {
    const [length, type, flags] = [message.readUInt32LE(0), message.readUInt16LE(4), message.readUInt16LE(6)];
    if (length !== message.length) throw new Errno(EINVAL);
    this.waiting.set(fd, this.answers(type, flags, message));
    return length;
  }

  receive(fd: number, to: Buffer): number {
    if (this.signals-- > 0) throw new Errno(EINTR);
    const next = this.waiting.get(fd)?.shift();
    if (next === undefined) throw new Error('rtnetlink: nothing more comes');
    if (to.length < 32 << 10) throw new Errno(EFAULT);
    return next.copy(to);
  }

  private answers(type: number, flags: number, message: Buffer): Buffer[] {
    const body = message.subarray(16);
    const failed = (errno: number): Buffer[] => [
      this.message(ERROR, 0, Buffer.concat([Buffer.from(Int32Array.of(-errno).buffer), message.subarray(0, 16)])),
    ];
    try {
      if (this.refuses[type] !== undefined) throw new Errno(this.refuses[type]);
      // NLM_F_REQUEST and NLM_F_DUMP: all that there are; NLM_F_ACK: whether it was done.
      if (flags === 0x301) return this.dump(type, body);
      const made = type === 45 ? 0 : 0x600;
      if (flags !== (0x5 | made)) throw new Errno(EINVAL);
      this.change(type, body);
      return failed(0);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      return failed(error.number);
    }
  }

  /** All in two parts, and what says that it is done. */
  private dump(type: number, body: Buffer): Buffer[] {
    const [kind, bodies] = type === 18 ? [16, this.links()] : type === 46 ? [44, this.listed(body)] : [0, []];
    if (kind === 0) throw new Errno(EINVAL);
    const messages = bodies.map((each) => this.message(kind, MULTI, each));
    const half = Math.ceil(messages.length / 2);
    return [
      Buffer.concat(messages.slice(0, half)),
      Buffer.concat([...messages.slice(half), this.message(DONE, MULTI, Buffer.alloc(4))]),
    ].filter(({ length }) => length > 0);
  }

  /** `struct ifinfomsg`, the name (IFLA_IFNAME) and the address (IFLA_ADDRESS). */
  private links(): Buffer[] {
    return this.kernel.devices.map(({ name, mac }, i) => {
      const head = Buffer.alloc(16);
      head.writeInt32LE(i + 1, 4);
      return Buffer.concat([head, attribute(3, text(name)), attribute(1, Buffer.from(mac, 'hex'))]);
    });
  }

  private listed(body: Buffer): Buffer[] {
    const device = this.deviceOf(body);
    if (body.readUInt32LE(12) !== INGRESS) throw new Errno(EINVAL);
    return this.filters
      .filter((filter) => filter.device === device)
      .flatMap(({ handle, info, kind, name, program }) => {
        // Of each priority the kernel says first that it is there.
        const options = Buffer.concat([attribute(7, text(name)), attribute(11, word(program))]);
        return [
          Buffer.concat([tcMessage(device, 0, info), attribute(1, text(kind))]),
          Buffer.concat([tcMessage(device, handle, info), attribute(1, text(kind)), attribute(2 | 0x8000, options)]),
        ];
      });
  }

  private change(type: number, body: Buffer): void {
    const device = this.deviceOf(body);
    const [handle, parent, info] = [8, 12, 16].map((at) => body.readUInt32LE(at)) as [number, number, number];
    const given = attributesOf(body.subarray(20));
    const kind = given.get(1)?.toString('latin1').replace('\0', '') ?? '';
    if (type === 36) {
      if (kind !== 'clsact' || handle !== 0xffff0000 || parent !== CLSACT || info !== 0) throw new Errno(EINVAL);
      if (this.clsact.has(device)) throw new Errno(EEXIST);
      this.clsact.add(device);
      return;
    }
    if (kind !== 'bpf' || parent !== INGRESS || !this.clsact.has(device)) throw new Errno(EINVAL);
    const found = this.filters.find((each) => each.device === device && each.handle === handle && each.info === info);
    if (type === 45) {
      if (found === undefined) throw new Errno(ENOENT);
      this.filters = this.filters.filter((each) => each !== found);
      return;
    }
    if (type !== 44) throw new Errno(EINVAL);
    if (found !== undefined) throw new Errno(EEXIST);
    const options = attributesOf(given.get(2)!);
    const program = this.kernel.opened(options.get(6)!.readUInt32LE(0), 'program').id;
    const name = options.get(7)!.toString('latin1').replace('\0', '');
    const flags = options.get(8)!.readUInt32LE(0);
    this.filters = [{ device, handle, info, kind, name, program, flags }, ...this.filters];
  }

  private deviceOf(body: Buffer): number {
    const device = body.readInt32LE(4);
    if (this.kernel.devices[device - 1] === undefined) throw new Errno(ENODEV);
    return device;
  }

  /** `struct nlmsghdr` and what it is about. */
  private message(type: number, flags: number, body: Buffer): Buffer {
    const head = Buffer.alloc(16);
    head.writeUInt32LE(16 + body.length, 0);
    head.writeUInt16LE(type, 4);
    head.writeUInt16LE(flags, 6);
    return Buffer.concat([head, body, Buffer.alloc(-body.length & 3)]);
  }
}

/** `struct tcmsg`. */
function tcMessage(device: number, handle: number, info: number): Buffer {
  return Buffer.concat([Buffer.alloc(4), ...[device, handle, INGRESS, info].map(word)]);
}
