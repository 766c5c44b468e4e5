import { chmodSync, readlinkSync, renameSync, rmSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import path from 'node:path';
import { NodensError } from '../lib/errors.js';
import type { HandedOver } from '../chain/index.js';
import type { Logger } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';
import { InheritedSockets, listeningSockets, type ListeningSocket } from '../net/inherited-sockets.js';
import { MOST_DESCRIPTORS, descriptorPassing, type DescriptorPassing } from '../fastpath/descriptor-passing.js';

/** Of what is said between the processes: another one is not understood. */
const VERSION = 1;
/** One that serves answers at once; one that hangs must not keep its successor from serving. */
const PATIENCE: Milliseconds = 2000;
/** Nothing that is said is longer. */
const LONGEST_LINE = 1024;

/** What the one says that wants the sockets. */
interface Asking {
  readonly nodens: number;
  /** The network namespace that it is in: elsewhere sockets of another one are of no use. */
  readonly net: string;
}

/** What the other one says, with the descriptors in order. */
interface Giving {
  readonly nodens: number;
  readonly sockets: readonly Omit<ListeningSocket, 'fd'>[];
  /** Bytes that follow: what is kept, as JSON. */
  readonly kept?: number;
}

/** Another process that holds the same sockets, for as long as the connection to it lasts. */
interface Partner {
  readonly line: net.Socket;
  serves: boolean;
}

/**
 * Has processes of different pods, or one after the other on a host, serve at the same sockets: who starts gets those of
 * who serves, over a unix socket, and both take what comes until one of them ends. What is in the queues then is the
 * other's, whichever ends and in whatever way.
 */
export class Takeover {
  private readonly partners = new Set<Partner>();
  private server: net.Server | undefined;
  private serving = false;
  private closing = false;
  private readonly keptText: Promise<string>;
  private handOver: () => HandedOver = () => new Map();

  private constructor(
    private readonly file: string,
    private readonly passing: DescriptorPassing,
    private readonly log: Logger,
    /** What the process that serves has given. */
    readonly sockets: InheritedSockets | undefined,
    line: net.Socket | undefined,
    kept: number,
  ) {
    this.keptText = line === undefined ? Promise.resolve('') : this.follow(line, true, kept);
    // Who does not ask for it need not hear of it.
    this.keptText.catch(() => undefined);
  }

  /**
   * Asks who serves behind `file`, if anybody does. Throws a NodensError for a folder where anybody could put himself in
   * that place.
   *
   * @param asks whether the sockets of who serves are wanted
   */
  static begin(file: string, log: Logger, asks: boolean): Takeover | undefined {
    checkFolder(file);
    let passing: DescriptorPassing;
    try {
      passing = descriptorPassing();
    } catch (error) {
      log.warning(`-takeover: sockets cannot be passed on here: ${(error as Error).message}`);
      return undefined;
    }
    const { sockets, line, kept = 0 } = (asks ? ask(file, passing, log) : undefined) ?? {};
    return new Takeover(file, passing, log, sockets, line, kept);
  }

  /** Whether another process serves at the same sockets. */
  get isShared(): boolean {
    return [...this.partners].some(({ serves }) => serves);
  }

  /** What the other process has kept; nothing where it does not come soon. */
  async kept(): Promise<HandedOver> {
    try {
      const text = await this.keptText;
      return new Map(text === '' ? [] : (JSON.parse(text) as [string, string][]));
    } catch (error) {
      this.log.warning(`-takeover: what was kept is of no use: ${(error as Error).message}`);
      return new Map();
    }
  }

  /**
   * This process serves: it is asked from now on.
   *
   * @param handOver what it keeps, for who asks
   */
  async serve(handOver: () => HandedOver): Promise<void> {
    this.handOver = handOver;
    this.serving = true;
    this.tell('serving');
    // Whoever connects finds the one or the other, never none.
    const fresh = `${this.file}.${randomBytes(4).toString('hex')}`;
    const server = net.createServer((line) => this.give(line));
    this.server = server;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(fresh, resolve));
    server.unref();
    chmodSync(fresh, 0o600);
    renameSync(fresh, this.file);
  }

  /** This process is about to end: it gives nothing any more. */
  close(): void {
    if (this.closing) return;
    this.closing = true;
    this.server?.close();
    this.tell('closing');
  }

  /** The last word, when the sockets are closed. */
  end(): void {
    this.close();
    for (const { line } of this.partners) line.destroy();
    if (this.serving && !this.isShared && !answers(this.file, this.passing)) rmSync(this.file, { force: true });
  }

  /** Gives the sockets of this process to who asks for them. */
  private give(line: net.Socket): void {
    let text = '';
    const fail = (why: string): void => {
      this.log.warning(`-takeover: ${why}`);
      line.destroy();
    };
    line.on('error', () => line.destroy());
    line.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!text.includes('\n')) return void (text.length > LONGEST_LINE && fail('got a line without end'));
      line.removeAllListeners('data');
      const asking = parse(text);
      if (asking?.nodens !== VERSION) return fail('got a question of another version');
      const sockets = asking.net === namespace() ? listeningSockets().slice(0, MOST_DESCRIPTORS) : [];
      const kept = Buffer.from(sockets.length === 0 ? '' : JSON.stringify([...this.handOver()]));
      const told: Giving = {
        nodens: VERSION,
        sockets: sockets.map(({ transport, address, port }) => ({ transport, address, port })),
        kept: kept.length,
      };
      try {
        const { fd } = (line as unknown as { readonly _handle: { readonly fd: number } })._handle;
        this.passing.send(fd, { bytes: Buffer.from(JSON.stringify(told)), fds: sockets.map((socket) => socket.fd) });
      } catch (error) {
        return fail(`sockets were not passed on: ${(error as Error).message}`);
      }
      this.log.info(`Another process has been given ${sockets.length} sockets`);
      line.write(kept);
      if (sockets.length > 0) this.follow(line, false).catch(() => undefined);
      else line.end();
    });
  }

  /**
   * Knows of another process as long as the connection lasts.
   *
   * @param length of what it says it keeps, which comes before its words
   * @returns what it keeps
   */
  private follow(line: net.Socket, serves: boolean, length = 0): Promise<string> {
    const partner: Partner = { line, serves };
    this.partners.add(partner);
    line.unref();
    line.on('error', () => line.destroy());
    line.on('close', () => {
      if (this.partners.delete(partner) && partner.serves && !this.closing)
        this.log.info('The other process has ended: its sockets are served here');
    });
    return new Promise((resolve, reject) => {
      // It keeps the process alive, as nothing else does yet.
      const late = setTimeout(() => reject(new Error('it takes too long')), PATIENCE);
      const done = (text: string): void => {
        clearTimeout(late);
        resolve(text);
      };
      const kept = length > 0 ? new KeptText(length, done) : undefined;
      if (kept === undefined) done('');
      line.once('close', () => {
        clearTimeout(late);
        reject(new Error('it has ended'));
      });
      line.on('data', (chunk: Buffer) => {
        for (const word of (kept?.take(chunk) ?? chunk).toString('latin1').split('\n')) {
          if (word === 'serving') partner.serves = true;
          if (word === 'closing') partner.serves = false;
        }
      });
    });
  }

  private tell(word: 'serving' | 'closing'): void {
    for (const { line } of this.partners) line.write(`${word}\n`);
  }
}

/** What another process keeps, as it comes. */
class KeptText {
  private readonly pieces: Buffer[] = [];

  constructor(
    private missing: number,
    private readonly done: (text: string) => void,
  ) {}

  /** Gives back what is not part of it. */
  take(chunk: Buffer): Buffer {
    if (this.missing === 0) return chunk;
    const own = chunk.subarray(0, this.missing);
    this.pieces.push(own);
    this.missing -= own.length;
    if (this.missing === 0) this.done(Buffer.concat(this.pieces).toString());
    return chunk.subarray(own.length);
  }
}

/** Asks who serves for the sockets; undefined where nobody does, or has nothing to give. */
function ask(
  file: string,
  passing: DescriptorPassing,
  log: Logger,
): { readonly sockets: InheritedSockets; readonly line: net.Socket; readonly kept: number } | undefined {
  let fd: number;
  try {
    fd = passing.connect(file, PATIENCE);
  } catch {
    return undefined;
  }
  try {
    const asking: Asking = { nodens: VERSION, net: namespace() };
    passing.send(fd, { bytes: Buffer.from(`${JSON.stringify(asking)}\n`), fds: [] });
    const { bytes, fds } = passing.receive(fd);
    const given = parse(bytes.toString());
    if (given?.nodens !== VERSION || given.sockets?.length !== fds.length) {
      for (const each of fds) passing.close(each);
      throw new Error('got an answer of another version');
    }
    if (fds.length === 0) throw new Error('it is in another network namespace');
    const sockets = given.sockets.map((socket, i) => ({ ...socket, fd: fds[i]! }));
    log.info(`Got ${sockets.length} sockets from the process that serves`);
    const line = new net.Socket({ fd, readable: true, writable: true });
    return { sockets: new InheritedSockets(sockets), line, kept: given.kept ?? 0 };
  } catch (error) {
    log.warning(`-takeover: no sockets from ${file}: ${(error as Error).message}`);
    passing.close(fd);
    return undefined;
  }
}

/** Whether somebody takes connections there. */
function answers(file: string, passing: DescriptorPassing): boolean {
  try {
    passing.close(passing.connect(file, PATIENCE));
    return true;
  } catch {
    return false;
  }
}

const namespace = (): string => readlinkSync('/proc/self/ns/net');

function parse(text: string): Partial<Asking & Giving> | undefined {
  try {
    const value: unknown = JSON.parse(text.split('\n')[0]!);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Who may write to the folder may take all sockets, or have his own used. */
function checkFolder(file: string): void {
  const folder = path.dirname(path.resolve(file));
  let mode: number;
  try {
    mode = statSync(folder).mode;
  } catch (error) {
    throw new NodensError('NODENS_OPTION', `-takeover: got ${file}, but ${(error as Error).message}`);
  }
  if ((mode & 0o002) !== 0)
    throw new NodensError(
      'NODENS_OPTION',
      `-takeover: got ${file}, allowed: a file in a folder that not everybody may write to`,
    );
}
