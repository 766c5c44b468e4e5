import type { Milliseconds } from '../../lib/units.js';

/** States of RFC 9293 section 3.3.2. */
export type TcpState =
  | 'SYN_SENT'
  | 'SYN_RECEIVED'
  | 'ESTABLISHED'
  | 'FIN_WAIT_1'
  | 'FIN_WAIT_2'
  | 'CLOSE_WAIT'
  | 'CLOSING'
  | 'LAST_ACK'
  | 'TIME_WAIT'
  | 'CLOSED';

/** What a connection becomes when its program has sent a FIN. */
export const AFTER_FIN: Partial<Record<TcpState, TcpState>> = {
  ESTABLISHED: 'FIN_WAIT_1',
  SYN_RECEIVED: 'FIN_WAIT_1',
  CLOSE_WAIT: 'LAST_ACK',
};

/** Windows that Linux announces: on SYN unscaled, later scaled by 2^7. */
export const WINDOW = { syn: 64_240, synAck: 65_160, client: 502, server: 509 } as const;
/** A client's window shrinks by a step with its first data: the receive buffer has grown less than what it holds. */
export const WINDOW_AFTER_DATA = 501;
export const WINDOW_SCALE = 7;
/** How long an ACK waits for data or a FIN to ride on. */
export const DELAYED_ACK: Milliseconds = 40;
/** TIME_WAIT of Linux (TCP_TIMEWAIT_LEN). */
export const TIME_WAIT: Milliseconds = 60_000;
/** Sequence numbers are a circle (RFC 9293 section 3.4). */
export const SEQUENCE_SPACE = 2 ** 32;
/** A sequence number in the circle of 32 bits. */
export const wrap = (value: number): number => ((value % SEQUENCE_SPACE) + SEQUENCE_SPACE) % SEQUENCE_SPACE;
