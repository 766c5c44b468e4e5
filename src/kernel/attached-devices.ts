import type { Logger } from '../lib/log.js';
import type { Attacher, ProgramAttachment } from './attacher.js';
import type { Bpf } from './bpf.js';
import { BpfError } from './bpf-error.js';
import { ATTACH_KINDS, type AttachKind } from './bpf-shapes.js';
import type { DeviceHost } from './device-host.js';

const isPattern = (name: string): boolean => name.includes('*');
const patternOf = (name: string): RegExp =>
  new RegExp(`^${name.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replaceAll('*', '.*')}$`);

/** A device that is wanted, or a pattern of several, and how it is to be attached to. */
interface WantedDevice {
  readonly name: string;
  readonly kind: AttachKind | undefined;
}

/** Reads `eth0`, `lxc*` or `xdp:eth0`. */
export function parseWanted(text: string): WantedDevice {
  const [first, ...rest] = text.split(':');
  const kind = ATTACH_KINDS.find((each) => each === first);
  return kind === undefined || rest.length === 0 ? { name: text, kind: undefined } : { name: rest.join(':'), kind };
}

/**
 * The devices that a program is attached to: those with these names, those that match a pattern such as `lxc*`, or, of
 * no names, all that have an address; as they come and go.
 */
export class AttachedDevices {
  /** By number of the device, which it keeps when it is renamed. */
  private readonly attached = new Map<number, ProgramAttachment>();
  /** Numbers of devices that did not take the program; said once. */
  private readonly refused = new Set<number>();
  private readonly names: readonly WantedDevice[];
  private readonly patterns: readonly (WantedDevice & { readonly pattern: RegExp })[];

  /** Throws an Error for a name that no device has, and a BpfError where one does not take the program. */
  constructor(
    private readonly bpf: Pick<Bpf, 'deviceNumber'>,
    private readonly attacher: Pick<Attacher, 'attach'>,
    private readonly wanted: readonly string[] | undefined,
    private readonly host: DeviceHost,
    private readonly log: Logger,
  ) {
    const all = (wanted ?? []).map(parseWanted);
    this.names = all.filter(({ name }) => !isPattern(name));
    this.patterns = all
      .filter(({ name }) => isPattern(name))
      .map((each) => ({ ...each, pattern: patternOf(each.name) }));
    const there = host.devices();
    const absent = this.names.find(({ name }) => !there.includes(name));
    if (absent !== undefined) throw new Error(`no device ${absent.name}, there are ${there.join(', ')}`);
    try {
      for (const [number, { kind }] of this.chosen()) this.attached.set(number, attacher.attach(number, kind));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Attaches to devices that are new, and lets go of those that are not there any more. */
  look(): void {
    const chosen = this.chosen();
    for (const [number, attachment] of this.attached) {
      if (chosen.has(number)) continue;
      attachment.close();
      this.attached.delete(number);
    }
    for (const number of this.refused) if (!chosen.has(number)) this.refused.delete(number);
    for (const [number, { name, kind }] of chosen) {
      if (this.refused.has(number)) continue;
      const attachment = this.attached.get(number);
      try {
        if (attachment !== undefined) attachment.look?.();
        else this.attached.set(number, this.attacher.attach(number, kind));
      } catch (error) {
        if (!(error instanceof BpfError)) throw error;
        // It has gone meanwhile.
        if (error.code === 'ENODEV') continue;
        if (attachment === undefined) this.refused.add(number);
        this.log.warning(`the kernel does not answer at ${name}: ${error.message}`);
      }
    }
  }

  /** There is something to answer from now on. */
  take(): void {
    for (const attachment of this.attached.values()) attachment.take?.();
  }

  close(): void {
    for (const attachment of this.attached.values()) attachment.close();
    this.attached.clear();
  }

  /** The devices that are wanted and there, by their numbers. */
  private chosen(): Map<number, WantedDevice> {
    const all = this.wanted === undefined ? this.addressed() : this.named();
    const numbered = all.map((each) => [this.bpf.deviceNumber(each.name), each] as const);
    // What is named first counts where a device is meant twice.
    return new Map(numbered.reverse().filter(([number]) => number !== 0));
  }

  private named(): readonly WantedDevice[] {
    if (this.patterns.length === 0) return this.names;
    const matching = this.host.devices().flatMap((name) => {
      const found = this.patterns.find(({ pattern }) => pattern.test(name));
      return found === undefined ? [] : [{ name, kind: found.kind }];
    });
    return [...this.names, ...matching];
  }

  /** All that have an address, without the loopback, at which nobody else's packets arrive. */
  private addressed(): readonly WantedDevice[] {
    const names = [...this.host.addresses()].filter(([name, all]) => name !== 'lo' && all.length > 0);
    return names.map(([name]) => ({ name, kind: undefined }));
  }
}
