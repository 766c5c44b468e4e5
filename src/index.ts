/** The server as a library, `nodens`. */
export {
  createServer,
  type CorefileText,
  type CreateOptions,
  type DnsServer,
  type ServedAddress,
} from './server/library.js';
export type { InjectedClient, InjectedQuery, ResponsePacket } from './plugin-api/packet.js';
export { manualPage } from './plugin-api/manual.js';
export { ERROR_CODES, NodensError, type ErrorCode, type ErrorFacts, type FilePlace } from './lib/errors.js';
export type { Clock, Timer } from './lib/clock.js';
export type { LogBatch, LogFields, Logger } from './lib/log.js';
export type { Random } from './lib/random.js';
export type { Losses } from './net/losses.js';
export type {
  ConnectedUdpSocket,
  Destination,
  Endpoint,
  InterfaceAddress,
  Network,
  OnDatagram,
  TcpConnection,
  TcpListener,
  UdpSocket,
} from './net/network.js';
export * from './plugin.js';
