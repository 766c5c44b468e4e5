import { BpfError } from './bpf-error.js';
import { NAME_PREFIX } from './presence.js';
import { CREATE, attribute, attributes, type Rtnetlink } from './rtnetlink.js';

/** Numbers of linux/rtnetlink.h, linux/pkt_sched.h and linux/pkt_cls.h. */
const NEW_QDISC = 36;
const NEW_FILTER = 44;
const DELETE_FILTER = 45;
const GET_FILTER = 46;
const KIND = 1;
const OPTIONS = 2;
const BPF_FD = 6;
const BPF_NAME = 7;
const BPF_FLAGS = 8;
const BPF_ID = 11;
/** What the program returns is the verdict. */
const DIRECT_ACTION = 1;
const CLSACT = 0xfffffff1;
const CLSACT_HANDLE = 0xffff0000;
const INGRESS = 0xfffffff2;
/** Before others, and of those that are as early the newest is the first; of all protocols, as the network has it. */
const FIRST_OF_ALL = (1 << 16) | 0x0300;

/** A filter of this program's, or of another server's. */
export interface ClsactFilter {
  readonly handle: number;
  readonly name: string;
  /** Number of the program that it runs. */
  readonly program: number;
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`, 'latin1');
const word = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const isGone = (error: unknown): boolean =>
  error instanceof BpfError && ['ENOENT', 'ENODEV', 'EINVAL'].includes(error.code);

/** `struct tcmsg`. */
function tcMessage(device: number, handle: number, parent: number, info: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeInt32LE(device, 4);
  bytes.writeUInt32LE(handle, 8);
  bytes.writeUInt32LE(parent, 12);
  bytes.writeUInt32LE(info, 16);
  return bytes;
}

/** Attaches a program, in front of others, as a filter that has this name and handle. Throws a BpfError. */
export function addFilter(
  netlink: Rtnetlink,
  device: number,
  program: number,
  filter: Omit<ClsactFilter, 'program'>,
): void {
  const what = 'attaching the program by clsact';
  try {
    const qdisc = [tcMessage(device, CLSACT_HANDLE, CLSACT, 0), attribute(KIND, text('clsact'))];
    netlink.change(what, NEW_QDISC, CREATE, Buffer.concat(qdisc));
  } catch (error) {
    if (!(error instanceof BpfError && error.code === 'EEXIST')) throw error;
  }
  const options = [
    attribute(BPF_FD, word(program)),
    attribute(BPF_NAME, text(filter.name)),
    attribute(BPF_FLAGS, word(DIRECT_ACTION)),
  ];
  const message = [
    tcMessage(device, filter.handle, INGRESS, FIRST_OF_ALL),
    attribute(KIND, text('bpf')),
    attribute(OPTIONS, Buffer.concat(options)),
  ];
  netlink.change(what, NEW_FILTER, CREATE, Buffer.concat(message));
}

/** Detaches a program; one that has gone with its device has been detached. Throws a BpfError. */
export function removeFilter(netlink: Rtnetlink, device: number, handle: number): void {
  try {
    const message = [tcMessage(device, handle, INGRESS, FIRST_OF_ALL), attribute(KIND, text('bpf'))];
    netlink.change('detaching the program', DELETE_FILTER, 0, Buffer.concat(message));
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** The filters of servers at a device; none where it has no clsact. Throws a BpfError. */
export function listFilters(netlink: Rtnetlink, device: number): ClsactFilter[] {
  let bodies: Buffer[];
  try {
    bodies = netlink.list('listing filters', GET_FILTER, tcMessage(device, 0, INGRESS, 0));
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
  return bodies.flatMap((body) => {
    if (body.length < 20 || body.readInt32LE(4) !== device) return [];
    const options = attributes(attributes(body.subarray(20)).get(OPTIONS) ?? Buffer.alloc(0));
    const name = options.get(BPF_NAME)?.toString('latin1').replace(/\0.*$/s, '') ?? '';
    const program = options.get(BPF_ID)?.readUInt32LE(0);
    if (program === undefined || !name.startsWith(NAME_PREFIX)) return [];
    return [{ handle: body.readUInt32LE(8), name, program }];
  });
}
