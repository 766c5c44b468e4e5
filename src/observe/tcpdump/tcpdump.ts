import type { DatapathEvent } from '../../datapath/events.js';
import type { NetNs } from '../../datapath/netns/netns.js';
import type { World } from '../../datapath/world.js';
import { OptionError } from '../option-error.js';
import { LINKTYPE, pcapHeader, pcapRecord } from './pcap.js';
import type { LinkType } from './pcap.js';
import { NamedLines } from './named-lines.js';
import type { NameLookup } from './named-lines.js';
import { LinePrinter } from './line.js';
import type { CapturedFrame } from './line.js';
import { parseTcpdumpArgs } from './options.js';
import type { TcpdumpOptions } from './options.js';

export interface TcpdumpSettings {
  /** The namespace that it runs in: a node's, a pod's or a host's. */
  readonly netns: NetNs;
  /** Minutes that the machine's clock is ahead of UTC. Default 0. */
  readonly offset?: number;
  /** Finds names of addresses, where -n does not forbid it; without it there are none. */
  readonly lookUp?: NameLookup;
  /** Each line as it comes. With -w there are none. */
  readonly onLine?: (line: string) => void;
  /** With -w: the bytes of the file as they come, the file header first. */
  readonly onBytes?: (bytes: Buffer, file: string) => void;
}

/**
 * A capture as tcpdump makes it, from events in their order. Give it all events: it takes what its namespace, device
 * and filter let through.
 */
export class Tcpdump {
  readonly options: TcpdumpOptions;
  private readonly printer: LinePrinter;
  /** Where names are looked up. */
  private readonly named: NamedLines | undefined;
  private readonly link: LinkType;
  private captured = 0;

  /** Throws an OptionError for arguments or a device that cannot be used. */
  constructor(
    args: readonly string[],
    private readonly settings: TcpdumpSettings,
  ) {
    this.options = parseTcpdumpArgs(args);
    const { device, file } = this.options;
    const { netns } = settings;
    if (device !== 'any' && !netns.interface(device)) {
      const known = netns.interfaces.map((one) => one.name).join(', ');
      throw new OptionError('tcpdump', `${device}: No such device exists in ${netns.id}: there are any, ${known}`);
    }
    this.link = device === 'any' ? LINKTYPE.linuxSll2 : LINKTYPE.ethernet;
    const { lookUp, offset = 0 } = settings;
    this.named = lookUp && !this.options.numeric ? new NamedLines(lookUp, (frame) => this.print(frame)) : undefined;
    this.printer = new LinePrinter({
      ...this.options,
      device: device === 'any',
      offset,
      ...(this.named && { nameOf: this.named.nameOf }),
    });
    if (file !== undefined) settings.onBytes?.(pcapHeader(this.link), file);
  }

  /** What tcpdump says on its error output before the first packet. */
  banner(): string[] {
    const link = this.link === LINKTYPE.ethernet ? 'EN10MB (Ethernet)' : 'LINUX_SLL2 (Linux cooked v2)';
    const { file, device } = this.options;
    const head =
      file !== undefined ? [] : ['tcpdump: verbose output suppressed, use -v[v]... for full protocol decode'];
    return [
      ...head,
      `${file !== undefined ? 'tcpdump: ' : ''}listening on ${device}, link-type ${link}, snapshot length 262144 bytes`,
    ];
  }

  /** Whether -c is reached, and all is printed: it takes nothing more. */
  get done(): boolean {
    return this.full && (this.named?.left ?? 0) === 0;
  }

  private get full(): boolean {
    return this.options.count !== undefined && this.captured >= this.options.count;
  }

  /** Prints what still waits for names. */
  flush(): void {
    this.named?.flush();
  }

  /** Frames taken so far. */
  get count(): number {
    return this.captured;
  }

  /** Looks at one event. */
  take(event: DatapathEvent): void {
    if ((event.kind !== 'capture' && event.kind !== 'arp') || this.full || !this.wants(event)) return;
    this.captured++;
    const { file } = this.options;
    if (file !== undefined) this.settings.onBytes?.(pcapRecord(event, this.link), file);
    else if (this.named) this.named.take(event);
    else this.print(event);
  }

  private print(frame: CapturedFrame): void {
    for (const line of this.printer.lines(frame)) this.settings.onLine?.(line);
  }

  private wants(frame: CapturedFrame): boolean {
    const { device, filter } = this.options;
    if (frame.netns !== this.settings.netns.id || (device !== 'any' && frame.device !== device)) return false;
    // What leaves by lo comes in by it as well, and is shown then.
    return !(frame.device === 'lo' && frame.direction === 'Out') && filter(frame);
  }
}

/** The lines that tcpdump would have printed of events that are over. Throws an OptionError. */
export function tcpdumpLines(
  args: readonly string[],
  netns: NetNs,
  events: readonly DatapathEvent[],
  offset = 0,
): string[] {
  const lines: string[] = [];
  const capture = new Tcpdump(args, { netns, offset, onLine: (line) => lines.push(line) });
  for (const event of events) capture.take(event);
  return lines;
}

/** Runs a capture on a world; returns it and the function that ends it. */
export function startTcpdump(
  world: World,
  args: readonly string[],
  settings: TcpdumpSettings,
): { readonly capture: Tcpdump; readonly stop: () => void } {
  const capture = new Tcpdump(args, settings);
  const leave = world.events.subscribe((event) => capture.take(event));
  return {
    capture,
    stop: () => {
      leave();
      capture.flush();
    },
  };
}
