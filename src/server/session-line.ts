import type { Duplex } from 'node:stream';
import type { Client, SessionLine } from '../chain/index.js';

/** A connection for what goes on beside queries on it. `write` puts the length in front of a message. */
export function sessionLine(
  client: Client,
  stream: Duplex,
  write: (message: Buffer) => void,
  close: () => void,
): SessionLine {
  return {
    client,
    close,
    send: (message) => {
      if (!stream.destroyed) write(message);
    },
    get full() {
      return stream.writableNeedDrain;
    },
  };
}
