import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { NodensError } from '../lib/errors.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import { nodeImport } from '../plugin-api/node-import.js';

/** The package that brings QUIC, and what of it is loaded: its library, which opens no sockets and sets no timers. */
const PACKAGE = '@matrixai/quic';
const MODULE = 'dist/native/quiche.js';

/** One end of a path. */
interface PathEnd {
  readonly host: string;
  readonly port: number;
}

/** How connections are made: the certificate, and what the other side may do. */
export interface QuicConfig {
  grease(on: boolean): void;
  setApplicationProtos(protocols: string[]): void;
  setMaxIdleTimeout(time: Milliseconds): void;
  setInitialMaxData(size: Octets): void;
  setInitialMaxStreamDataBidiLocal(size: Octets): void;
  setInitialMaxStreamDataBidiRemote(size: Octets): void;
  setInitialMaxStreamsBidi(count: number): void;
  setMaxConnectionWindow(size: Octets): void;
  setMaxStreamWindow(size: Octets): void;
  setDisableActiveMigration(on: boolean): void;
}

/** One connection, as the library sees it. Methods throw an Error that is named by its message: `StreamReset(1)`. */
export interface QuicState {
  recv(packet: Uint8Array, way: { readonly from: PathEnd; readonly to: PathEnd }): number;
  /** Writes the next packet; null where there is none. */
  send(packet: Uint8Array): readonly [length: number, unknown] | null;
  streamRecv(stream: number, chunk: Uint8Array): readonly [length: number, end: boolean] | null;
  streamSend(stream: number, chunk: Uint8Array, end: boolean): number | null;
  streamCapacity(stream: number): number;
  streamShutdown(stream: number, direction: 0 | 1, code: number): void;
  readable(): Iterable<number>;
  writable(): Iterable<number>;
  timeout(): Milliseconds | null;
  onTimeout(): void;
  close(application: boolean, code: number, reason: Uint8Array): void;
  isEstablished(): boolean;
  isClosed(): boolean;
  isDraining(): boolean;
  serverName(): string | null;
  peerCertChain(): readonly Uint8Array[] | null;
  peerError(): { readonly isApp: boolean; readonly errorCode: number } | null;
}

/** The head of a packet, as far as it can be read without keys. */
interface PacketHead {
  readonly ty: number;
  readonly version: number;
  readonly dcid: Uint8Array;
  readonly scid: Uint8Array;
  readonly token?: Uint8Array;
}

/**
 * What is used of the library quiche. All that knows QUIC stands behind this: another library has to offer the same.
 */
export interface QuicLibrary {
  readonly Type: { readonly Initial: number };
  readonly Config: {
    withBoringSslCtx(
      askForCertificate: boolean,
      takeAnyCertificate: boolean,
      ca: Uint8Array | null,
      keys: Uint8Array[] | null,
      certificates: Uint8Array[] | null,
      algorithms: string | null,
    ): QuicConfig;
  };
  readonly Connection: {
    accept(id: Uint8Array, firstId: Uint8Array | null, local: PathEnd, remote: PathEnd, config: QuicConfig): QuicState;
    connect(name: string | null, id: Uint8Array, local: PathEnd, remote: PathEnd, config: QuicConfig): QuicState;
  };
  readonly Header: { fromSlice(packet: Uint8Array, idLength: Octets): PacketHead };
  versionIsSupported(version: number): boolean;
  negotiateVersion(to: Uint8Array, from: Uint8Array, packet: Uint8Array): number;
  retry(
    to: Uint8Array,
    from: Uint8Array,
    id: Uint8Array,
    token: Uint8Array,
    version: number,
    packet: Uint8Array,
  ): number;
}

/** By its place: the package says how it is imported, and not how it is required, as the bundle does. */
const address = (): string => {
  const { resolve } = createRequire(import.meta.url);
  return new URL(MODULE, pathToFileURL(resolve(`${PACKAGE}/package.json`))).href;
};

/**
 * Loads the library. Rejects with a NodensError that says what to install where there is none.
 *
 * @param locate where its module lies, as a `file:` address
 */
export async function loadQuic(locate: () => string = address): Promise<QuicLibrary> {
  try {
    return ((await nodeImport(locate())) as { readonly default: QuicLibrary }).default;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'MODULE_NOT_FOUND'
        ? 'which is not installed: npm install'
        : `which cannot be loaded (${message}); it has binaries for x64 Linux with glibc, macOS and Windows: npm install`;
    throw new NodensError('NODENS_LISTEN', `QUIC needs the optional package ${PACKAGE}, ${why} ${PACKAGE}`, {
      cause: error,
    });
  }
}
