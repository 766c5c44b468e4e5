import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../corefile/environment.js';
import { AF_INET, SOCK_DGRAM, SOCK_STREAM } from '../fastpath/libc.js';
import { REUSE_PORT, udpOptions, type SocketOption } from '../fastpath/listening-socket.js';
import { BACKLOG, tcpOptions } from '../fastpath/shared-tcp.js';
import { encodeSockaddr } from '../fastpath/sockaddr.js';
import { fnv1a } from '../lib/fnv1a.js';
import { readOrEmpty } from '../lib/read-or-empty.js';
import { InheritedSockets, parseSockets, type ListeningSocket } from '../net/inherited-sockets.js';

/** Environment variable in which `bin/listen-first.pl` tells of the sockets that it opened. */
export const EARLY = 'NODENS_EARLY_SOCKETS';
/** Command lines that are remembered; with one more, all are forgotten but that. */
const MOST = 64;
/** The first descriptor after standard input, output and error. */
const FIRST_FD = 3;

/** A socket that was opened, with the address that it was asked for and its family. */
export interface OpenedSocket {
  readonly listed: ListeningSocket;
  /** Empty for all addresses of both families. */
  readonly asked: string;
  readonly family: number;
}

/**
 * Writes down which sockets a command line opened, in the words of the calls that open them again, for
 * `bin/listen-first.pl`: it does so before Node begins. What it needs to know whether they still fit is there too: the
 * command line, and the state of the Corefile.
 *
 * @param folder where it is written, if that may be
 */
export function rememberSockets(
  folder: string,
  args: readonly string[],
  corefile: string,
  opened: readonly OpenedSocket[],
): void {
  try {
    remember(folder, args, corefile, opened);
  } catch {
    // An installation that nobody may write to starts as it always does, and so does one whose Corefile is gone.
  }
}

function remember(folder: string, args: readonly string[], corefile: string, opened: readonly OpenedSocket[]): void {
  const key = Buffer.from([process.cwd(), ...args].join('\0'));
  const { dev, ino, size, mtimeMs, ctimeMs } = statSync(corefile);
  const state = [dev, ino, size, Math.floor(mtimeMs / 1000), Math.floor(ctimeMs / 1000)].join(' ');
  const lines = [key.toString('hex'), state, Buffer.from(corefile).toString('hex'), ...opened.map(callsOf)];
  const text = `${lines.join('\n')}\n`;
  // A name for the file, which says itself whose it is.
  const file = path.join(folder, fnv1a(key.toString('latin1')).toString(16).padStart(8, '0'));
  if (readOrEmpty(file) === text) return;
  mkdirSync(folder, { recursive: true });
  const others = readdirSync(folder);
  for (const other of others.length < MOST ? [] : others) rmSync(path.join(folder, other));
  writeFileSync(file, text);
}

/** The sockets that were opened before this process began, if there are. */
export function rememberedSockets(env: Environment): InheritedSockets | undefined {
  const text = env[EARLY];
  delete process.env[EARLY];
  return text === undefined ? undefined : new InheritedSockets(parseSockets(EARLY, text, FIRST_FD));
}

/** Family, type, address, options before bind(2), options after it and listen(2), its backlog, what to tell of it. */
function callsOf({ listed: { transport, address, port }, asked, family }: OpenedSocket): string {
  const at = Buffer.from(encodeSockaddr({ address: family === AF_INET ? address : asked, port })).toString('hex');
  const told = JSON.stringify({ transport, address, port }).slice(1, -1);
  const calls =
    transport === 'udp'
      ? [SOCK_DGRAM, at, words(udpOptions(family, asked)), '-', 0]
      : [SOCK_STREAM, at, words(tcpOptions(family)), words([REUSE_PORT]), BACKLOG];
  return [family, ...calls, told].join(' ');
}

const words = (options: readonly SocketOption[]): string => options.map((option) => option.join(':')).join(',');
