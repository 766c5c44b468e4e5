import type { Duplex } from 'node:stream';
import type { Octets } from '../../lib/units.js';
import { TapStream } from './frame-stream.js';

/** A reader that leaves so much lying is closed. */
const MOST: Octets = 1 << 20;
/** Readers at a time; one more is turned away. */
const READERS = 64;

/** Readers that come by themselves: each gets what is seen while it is there. */
export class TapReaders {
  private readonly open = new Set<TapStream>();

  /** @param dropped told of each message that a reader does not get because it is too slow */
  constructor(private readonly dropped: (count: number) => void) {}

  get size(): number {
    return this.open.size;
  }

  accept(stream: Duplex): void {
    if (this.open.size >= READERS) return void stream.destroy();
    const reader: TapStream = new TapStream(
      stream,
      () => undefined,
      () => void this.open.delete(reader),
    );
    this.open.add(reader);
  }

  send(frame: Buffer): void {
    for (const reader of this.open) {
      if (!reader.open) continue;
      if (reader.waiting + frame.length <= MOST) reader.write(frame);
      else {
        this.dropped(1);
        this.open.delete(reader);
        reader.destroy();
      }
    }
  }

  stop(): void {
    for (const reader of this.open) reader.close();
    this.open.clear();
  }
}
