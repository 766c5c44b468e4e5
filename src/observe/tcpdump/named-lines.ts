import type { CapturedFrame } from './line.js';

/** Finds the name of an address; undefined for none. */
export type NameLookup = (address: string) => Promise<string | undefined>;

/** Addresses that the line of a frame shows. */
function addressesOf(frame: CapturedFrame): readonly string[] {
  if (frame.kind === 'arp') return [frame.targetIp, frame.senderIp];
  const { packet, encapsulation } = frame;
  const outer = encapsulation ? [encapsulation.src, encapsulation.dst] : [];
  return [...outer, packet.src, packet.dst, ...(packet.icmp?.about ? [packet.icmp.about.dst] : [])];
}

/**
 * Frames that wait until the names of their addresses are known, which are looked up once each. They are printed in
 * their order; names that are not there leave the address.
 */
export class NamedLines {
  private readonly names = new Map<string, string>();
  private readonly lookups = new Map<string, Promise<void>>();
  private readonly waiting: CapturedFrame[] = [];
  private before: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly lookUp: NameLookup,
    private readonly print: (frame: CapturedFrame) => void,
  ) {}

  readonly nameOf = (address: string): string => this.names.get(address) ?? address;

  /** Frames that are not printed yet. */
  get left(): number {
    return this.waiting.length;
  }

  take(frame: CapturedFrame): void {
    this.waiting.push(frame);
    const named = Promise.all(addressesOf(frame).map((address) => this.named(address)));
    this.before = Promise.all([this.before, named]).then(() => {
      if (this.waiting[0] === frame) this.printNext();
    });
  }

  /** Prints what waits, with the names that are known so far: nobody waits any more. */
  flush(): void {
    while (this.waiting.length > 0) this.printNext();
  }

  private printNext(): void {
    this.print(this.waiting.shift()!);
  }

  private named(address: string): Promise<void> {
    const known = this.lookups.get(address);
    if (known) return known;
    const lookup = this.lookUp(address).then(
      (name) => void (name !== undefined && this.names.set(address, name)),
      // Who cannot ask prints addresses.
      () => undefined,
    );
    this.lookups.set(address, lookup);
    return lookup;
  }
}
