import type { Duplex } from 'node:stream';
import type { Octets } from '../../lib/units.js';

/** Control frames of a frame stream, by their numbers (the fstrm library's fstrm/control.h). */
const Control = { ACCEPT: 1, START: 2, STOP: 3, READY: 4, FINISH: 5 } as const;
const CONTENT_TYPE = Buffer.from('protobuf:dnstap.Dnstap');
/** The only field of control frames. */
const FIELD_CONTENT_TYPE = 1;
/** A control frame of a reader is shorter; one that goes on is not waited for. */
const LONGEST: Octets = 512;

function control(type: number, typed: boolean): Buffer {
  const length = typed ? 12 + CONTENT_TYPE.length : 4;
  const frame = Buffer.alloc(8 + length);
  frame.writeUInt32BE(length, 4);
  frame.writeUInt32BE(type, 8);
  if (!typed) return frame;
  frame.writeUInt32BE(FIELD_CONTENT_TYPE, 12);
  frame.writeUInt32BE(CONTENT_TYPE.length, 16);
  CONTENT_TYPE.copy(frame, 20);
  return frame;
}

/** A payload behind its length. */
export function dataFrame(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(4 + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  payload.copy(frame, 4);
  return frame;
}

/**
 * The writer's part of a frame stream in both directions: says what it has, waits until the reader accepts that, and
 * begins.
 */
export class TapStream {
  private received: Buffer = Buffer.alloc(0);
  private state: 'offered' | 'open' | 'ended' = 'offered';

  /** @param opened called when data may be written @param ended called once, when nothing can be written any more */
  constructor(
    private readonly stream: Duplex,
    private readonly opened: () => void,
    private readonly ended: (error: Error) => void,
  ) {
    stream.on('data', (chunk: Buffer) => this.take(chunk));
    stream.on('error', (error: Error) => this.fail(error));
    stream.on('end', () => this.fail(new Error('the reader has closed the connection')));
    stream.on('close', () => this.fail(new Error('the connection has ended')));
    stream.write(control(Control.READY, true));
  }

  get open(): boolean {
    return this.state === 'open';
  }

  /** Bytes that the reader has not taken. */
  get waiting(): Octets {
    return this.stream.writableLength;
  }

  /** False when the reader has to take something first; `drained` is called then when it has. */
  write(frames: Buffer, drained?: () => void): boolean {
    if (this.stream.write(frames)) return true;
    if (drained !== undefined) this.stream.once('drain', drained);
    return false;
  }

  /** Says that this was all; `closed` is called when the reader has taken it, and closed the connection. */
  close(closed: () => void = () => undefined): void {
    this.stream.once('close', closed);
    if (this.state === 'open') this.stream.end(control(Control.STOP, false));
    else this.stream.destroy();
    this.state = 'ended';
  }

  destroy(): void {
    this.state = 'ended';
    this.stream.destroy();
  }

  private take(chunk: Buffer): void {
    if (this.state !== 'offered') return;
    this.received = Buffer.concat([this.received, chunk]);
    const { received } = this;
    if (received.length < 8) return;
    const length = received.readUInt32BE(4);
    if (received.readUInt32BE(0) !== 0 || length < 4 || length > LONGEST)
      return this.fail(new Error('the reader speaks no frame streams'));
    if (received.length < 8 + length) return;
    if (received.readUInt32BE(8) !== Control.ACCEPT || !received.includes(CONTENT_TYPE))
      return this.fail(new Error(`the reader does not take ${CONTENT_TYPE.toString()}`));
    this.state = 'open';
    this.stream.write(control(Control.START, true));
    this.opened();
  }

  private fail(error: Error): void {
    if (this.state === 'ended') return;
    this.destroy();
    this.ended(error);
  }
}
