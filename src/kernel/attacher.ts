import type { Bpf } from './bpf.js';
import { BpfError } from './bpf-error.js';
import { MapType, TCX, XDP } from './bpf-numbers.js';
import type { AttachKind } from './bpf-shapes.js';
import { addFilter, listFilters, removeFilter } from './clsact.js';
import { GATE_NAME } from './kernel-status.js';
import { presenceName, type Presence } from './presence.js';
import { attributes, type Rtnetlink } from './rtnetlink.js';

const GET_LINK = 18;
const LINK_ADDRESS = 1;
/** Handles of filters are this and the number of their program, which nobody else has as long as one is there. */
const HANDLES = 0x40000000;

/** Sections of the object that hold programs. */
export type ProgramSection = 'tc' | 'xdp' | 'gate' | 'xdp_gate';

/** A program that stands for the one that answers, and lets all pass when this process has ended. */
interface Gate {
  readonly program: number;
  readonly id: number;
  readonly presence: Presence;
}

/** A program at a device. */
export interface ProgramAttachment {
  readonly kind: AttachKind;
  /** Tells the program what has changed of the device. */
  look?(): void;
  /** There is something to answer from now on. */
  take?(): void;
  close(): void;
}

/** What attaching takes; the programs are loaded when they are first needed. */
export interface AttacherOptions {
  readonly bpf: Pick<Bpf, 'attach' | 'close' | 'createMap' | 'update' | 'updateLink' | 'programInfo' | 'programOf'>;
  readonly netlink: Rtnetlink;
  /** Loads the program of a section; `maps` are those that it needs besides. */
  readonly load: (section: ProgramSection, maps?: Readonly<Record<string, number>>) => number;
  readonly presence: (gate: number) => Presence;
  /** A link of XDP that another process passed on, once. */
  readonly passedOn?: (device: number) => number | undefined;
}

/** Attaches the program to devices, in the way that is asked for or that the kernel has. */
export class Attacher {
  private readonly opened: number[] = [];
  private readonly loaded = new Map<'tc' | 'xdp', number>();
  private readonly gates = new Map<'tc' | 'xdp', Gate>();
  private addresses: number | undefined;
  private hasTcx = true;

  constructor(private readonly options: AttacherOptions) {}

  /** Loads what such an attachment needs, so that what is wrong is said at once. Throws a BpfError. */
  prepare(kind: AttachKind | undefined): void {
    this.program(kind === 'xdp' ? 'xdp' : 'tc');
  }

  /**
   * Attaches to a device: by tcx, and where the kernel has none by clsact; by XDP where that is asked for and the
   * driver has it. Throws a BpfError.
   */
  attach(device: number, kind?: AttachKind): ProgramAttachment {
    if (kind === 'clsact') return this.byClsact(device);
    if (kind === 'xdp') {
      try {
        return this.byXdp(device);
      } catch (error) {
        // A driver without it. XDP for any device (generic) sees a packet when tcx does, and knows less of it.
        if (!(error instanceof BpfError && ['EOPNOTSUPP', 'ENOTSUP'].includes(error.code))) throw error;
      }
    }
    if (!this.hasTcx) return this.byClsact(device);
    try {
      return this.byLink('tcx', this.options.bpf.attach(this.program('tc'), device, TCX));
    } catch (error) {
      if (kind === 'tcx' || !(error instanceof BpfError && error.code === 'EINVAL')) throw error;
      this.hasTcx = false;
      return this.byClsact(device);
    }
  }

  /** Programs that nothing runs any more go; attachments are closed before. */
  close(): void {
    for (const { presence } of this.gates.values()) presence.close();
    this.gates.clear();
    for (const fd of this.opened.splice(0)) this.options.bpf.close(fd);
  }

  private byLink(kind: AttachKind, link: number): ProgramAttachment {
    return { kind, close: () => this.options.bpf.close(link) };
  }

  /**
   * A device takes one program of XDP: a link that was passed on leads to this process once it has something to answer,
   * and back when the process that it leads to has ended.
   */
  private byXdp(device: number): ProgramAttachment {
    const { bpf, passedOn } = this.options;
    const gate = this.gate('xdp');
    const key = Buffer.from(Uint32Array.of(device).buffer);
    let known = '';
    const tellAddress = (): void => {
      const address = this.addressOf(device);
      const text = address.toString('hex');
      if (text !== known) bpf.update(this.addresses!, key, address);
      known = text;
    };
    tellAddress();
    const passed = passedOn?.(device);
    const link = passed ?? bpf.attach(gate.program, device, XDP);
    let isOurs = passed === undefined;
    const take = (): void => {
      if (!isOurs) bpf.updateLink(link, gate.program);
      isOurs = true;
    };
    return {
      ...this.byLink('xdp', link),
      take,
      look: () => {
        tellAddress();
        const there = bpf.programOf(link);
        if (!isOurs || there === gate.id || gate.presence.isAlive(presenceName(there))) return;
        bpf.updateLink(link, gate.program);
      },
    };
  }

  /** A filter runs a gate: the filter would stay when this process is killed. */
  private byClsact(device: number): ProgramAttachment {
    const { netlink } = this.options;
    const { program, id, presence } = this.gate('tc');
    const handle = HANDLES | id;
    for (const filter of listFilters(netlink, device))
      if (!presence.isAlive(filter.name)) removeFilter(netlink, device, filter.handle);
    addFilter(netlink, device, program, { handle, name: presence.name });
    return { kind: 'clsact', close: () => removeFilter(netlink, device, handle) };
  }

  private gate(section: 'tc' | 'xdp'): Gate {
    const had = this.gates.get(section);
    if (had !== undefined) return had;
    const { bpf, load, presence } = this.options;
    const shape = { type: MapType.PROGRAMS, keySize: 4, valueSize: 4, entries: 1, name: GATE_NAME };
    const answering = this.keep(bpf.createMap(shape));
    bpf.update(answering, Buffer.alloc(4), Buffer.from(Uint32Array.of(this.program(section)).buffer));
    const program = this.keep(load(section === 'tc' ? 'gate' : 'xdp_gate', { answering }));
    const { id } = bpf.programInfo(program);
    const made = { program, id, presence: presence(id) };
    this.gates.set(section, made);
    return made;
  }

  private program(section: 'tc' | 'xdp'): number {
    const had = this.loaded.get(section);
    if (had !== undefined) return had;
    const { bpf, load } = this.options;
    if (section === 'xdp')
      this.addresses = this.keep(
        bpf.createMap({ type: MapType.HASH, keySize: 4, valueSize: 8, entries: 4096, name: 'nodens_devices' }),
      );
    const program = this.keep(load(section, section === 'xdp' ? { devices: this.addresses! } : {}));
    this.loaded.set(section, program);
    return program;
  }

  private keep(fd: number): number {
    this.opened.push(fd);
    return fd;
  }

  /** The address of a device on the wire, as the program compares it: six bytes and two of nothing. */
  private addressOf(device: number): Buffer {
    const body = Buffer.alloc(16);
    body.writeInt32LE(device, 4);
    const bodies = this.options.netlink.list('asking for a device', GET_LINK, body);
    const found = bodies.find((each) => each.readInt32LE(4) === device);
    if (found === undefined) throw new BpfError('asking for a device', 'ENODEV');
    const address = Buffer.alloc(8);
    attributes(found.subarray(16)).get(LINK_ADDRESS)?.subarray(0, 6).copy(address);
    return address;
  }
}
