import { readFileSync } from 'node:fs';
import os from 'node:os';
import { listenAddresses } from '../chain/listen-addresses.js';
import { hostLoadOptions, draftCorefile, type Environment, type ServerBlock } from '../corefile/index.js';
import { takeBindRight } from '../fastpath/bind-right.js';
import { AF_INET6, loadLibc, type Libc } from '../fastpath/libc.js';
import { listenFirst } from '../fastpath/shared-tcp.js';
import { openListening } from '../fastpath/listening-socket.js';
import { parseFlags } from '../lib/go-flags.js';
import type { Milliseconds } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';
import { InheritedSockets } from '../net/inherited-sockets.js';
import { FLAGS } from './flags.js';
import { rememberSockets, rememberedSockets, type OpenedSocket } from './remembered-sockets.js';

/**
 * A start that takes longer gives them up: clients with another server to ask wait for an answer that is to come, and
 * go on at once where nobody listens.
 */
const PATIENCE: Milliseconds = 1000;
/** More than a Corefile that is written by hand names. */
const MAX_ADDRESSES = 64;
/** What a Corefile may depend on beside its text: other files, the environment. */
const ELSEWHERE = /\bimport\b|\{[$%]/;
/** Spellings of all of the host's addresses. */
const EVERYWHERE: readonly string[] = ['', '::', '0.0.0.0'];

let opened: InheritedSockets | undefined;

/** What `openEarly` opened, for whoever listens. */
export const earlySockets = (): InheritedSockets | undefined => opened;

/**
 * Opens the plain DNS sockets of a server before its program is loaded: what comes meanwhile waits in the kernel, and
 * is answered as soon as there is a chain. An offer: whatever stands in the way, here or later, is left to the start
 * itself, which opens what it does not find and says what is wrong.
 *
 * @param args of the command line; anything but a server's flags opens nothing
 * @param kept folder in which what was opened is written down for the next start
 */
export function openEarly(args: readonly string[], env: Environment, kept: string): void {
  if (args[0]?.startsWith('-') === false || env.NODENS_SOCKETS !== undefined || env.LISTEN_FDS !== undefined) return;
  const sockets: OpenedSocket[] = [];
  let libc: Libc | undefined;
  try {
    opened = rememberedSockets(env);
    if (opened === undefined) {
      const { places, corefile, steady } = placesOf(args, env);
      if (places.length === 0) return;
      libc = loadLibc();
      takeBindRight();
      // Another server at the same place is found by its TCP socket, before datagrams of its clients come here.
      for (const place of places) sockets.push(openedAs('tcp', place, listenFirst(libc, place), libc));
      for (const place of places) sockets.push(openedAs('udp', place, openListening(libc, place, undefined), libc));
      opened = new InheritedSockets(sockets.map(({ listed }) => listed));
      if (steady) setTimeout(() => rememberSockets(kept, args, corefile, sockets), PATIENCE).unref();
    }
    setTimeout(() => opened?.closeRest(), PATIENCE).unref();
  } catch {
    for (const { listed } of sockets) libc?.close(listed.fd);
  }
}

/** With the place as the system would list it. */
function openedAs(transport: 'udp' | 'tcp', { address, port }: Endpoint, fd: number, libc: Libc): OpenedSocket {
  const family = familyOf(libc, fd);
  const everywhere = family === AF_INET6 ? '::' : '0.0.0.0';
  const listed = { transport, address: address === '' ? everywhere : address, port, fd };
  return { listed, asked: address, family };
}

function familyOf(libc: Libc, fd: number): number {
  const sockaddr = Buffer.alloc(28);
  libc.getsockname(fd, sockaddr, Buffer.from(Int32Array.of(sockaddr.length).buffer));
  return sockaddr.readUInt16LE(0);
}

/** Where a command line listens. */
interface EarlyPlaces {
  readonly places: readonly Endpoint[];
  readonly corefile: string;
  /** Whether they change with the Corefile alone. */
  readonly steady: boolean;
}

/** Throws for whatever the start would complain of, or for what is too rare to be looked into here. */
function placesOf(args: readonly string[], env: Environment): EarlyPlaces {
  const { values, given, rest } = parseFlags(args, FLAGS);
  const { conf = '' } = values;
  const nowhere = { places: [], corefile: conf, steady: false };
  if (rest.length > 0 || conf === 'stdin' || given.has('version') || given.has('plugins') || given.has('takeover'))
    return nowhere;
  const source = { name: conf, text: readFileSync(conf, 'utf8') };
  const { corefile, faults } = draftCorefile(source, hostLoadOptions(env, process.cwd())).take(undefined);
  faults.throwAny();
  const places = new Map<string, Endpoint>();
  for (const block of corefile.blocks)
    for (const { scheme, port = Number(values['dns.port']) } of block.keys)
      for (const address of scheme === 'dns' ? addressesOf(block) : [])
        places.set(`${address} ${port}`, { address, port });
  const all = [...places.values()];
  if (all.length > MAX_ADDRESSES) return nowhere;
  return {
    places: all.filter((place) => place.port > 0 && !place.address.includes('%') && !isShared(place, all)),
    corefile: conf,
    steady: !ELSEWHERE.test(source.text),
  };
}

function addressesOf(block: ServerBlock): string[] {
  const interfaces = Object.entries(os.networkInterfaces()).flatMap(([device, addresses]) =>
    (addresses ?? []).map(({ address, internal }) => ({ device, address, loopback: internal })),
  );
  const binds = block.directives.filter(({ name }) => name === 'bind');
  return binds.length === 0 ? [''] : binds.flatMap((directive) => listenAddresses(directive, interfaces));
}

/** Whether a port is listened at everywhere and somewhere: which socket a query comes to depends on both. */
const isShared = ({ port }: Endpoint, all: readonly Endpoint[]): boolean => {
  const there = all.filter((other) => other.port === port);
  return there.length > 1 && there.some(({ address }) => EVERYWHERE.includes(address));
};
