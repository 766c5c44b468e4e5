import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { KUBE_KINDS, type KubeKind, type KubeObject } from '../../kube/objects/objects.js';
import type { KubeStore } from '../../kube/store/store.js';
import type { Pace } from '../../kube/pace.js';
import { NodensError } from '../../lib/errors.js';
import { readRegularFileAside } from '../../lib/regular-file.js';
import type { Milliseconds, Octets } from '../../lib/units.js';

/** Another form has another first word: what is not known is not read. */
const FORMAT = 'nodens objects 1';
/** Objects written before others have their turn: a millisecond or two. */
const PIECE = 200;
/** Digested at a time: a millisecond or two. */
const DIGESTED: Octets = 512 << 10;
const NEWLINE = 0x0a;

/** What the first line says. */
interface Head {
  readonly format: string;
  /** Which objects of which API these are. */
  readonly choice: string;
  /** Wall time. */
  readonly saved: Milliseconds;
}

/**
 * Writes all objects of a store into a file of its owner alone, put into place when it is complete: a line that says
 * what they are, one for each, and the digest of those before it.
 */
export async function writeSnapshot(file: string, choice: string, store: KubeStore, saved: Milliseconds) {
  const fresh = `${file}.${process.pid}`;
  // Whatever stands there, a link to another file perhaps, is not written to.
  await rm(fresh, { force: true });
  const handle = await open(fresh, 'wx', 0o600);
  try {
    const digest = createHash('sha256');
    const put = async (text: string): Promise<void> => {
      digest.update(text);
      await handle.write(text);
    };
    await put(`${JSON.stringify({ format: FORMAT, choice, saved } satisfies Head)}\n`);
    for (const piece of pieces(store)) {
      await put(piece);
      await setImmediate();
    }
    await handle.write(`${digest.digest('hex')}\n`);
  } finally {
    await handle.close();
  }
  await rename(fresh, file);
}

function* pieces(store: KubeStore): Generator<string> {
  let lines: string[] = [];
  for (const kind of KUBE_KINDS)
    for (const object of store.all(kind)) {
      lines.push(`${JSON.stringify(object)}\n`);
      if (lines.length < PIECE) continue;
      yield lines.join('');
      lines = [];
    }
  yield lines.join('');
}

/**
 * Puts the objects of a file into an empty store, while others have their turn. Returns when they were saved.
 *
 * @throws NodensError for a file that `writeSnapshot` did not write, that was cut short or altered since, or that holds
 *   other objects than are asked for; ENOENT where there is none. The store is as it was then
 */
export async function readSnapshot(file: string, choice: string, store: KubeStore, pace: Pace): Promise<Milliseconds> {
  const bytes = await readRegularFileAside(file);
  const end = bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1;
  const digest = await digestOf(bytes.subarray(0, end), pace);
  if (!bytes.subarray(end).equals(Buffer.from(`${digest}\n`)))
    throw unfit(file, 'got a file that is cut short or altered, allowed: one whole');
  let at = bytes.indexOf(NEWLINE) + 1;
  const head = JSON.parse(bytes.toString('utf8', 0, at)) as Head;
  if (head.format !== FORMAT) throw unfit(file, `got '${head.format}', allowed: ${FORMAT}`);
  if (head.choice !== choice)
    throw unfit(file, 'got objects of another API or choice, allowed: those of this Corefile');
  const kinds: ReadonlySet<KubeKind> = new Set(KUBE_KINDS);
  while (at < end) {
    const stop = bytes.indexOf(NEWLINE, at) + 1;
    const object = JSON.parse(bytes.toString('utf8', at, stop)) as KubeObject;
    if (kinds.has(object.kind)) store.apply(object);
    at = stop;
    while (pace.isDue) await pace.rest();
  }
  return head.saved;
}

async function digestOf(bytes: Uint8Array, pace: Pace): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += DIGESTED) {
    hash.update(bytes.subarray(at, at + DIGESTED));
    while (pace.isDue) await pace.rest();
  }
  return hash.digest('hex');
}

const unfit = (file: string, what: string): NodensError => new NodensError('NODENS_SNAPSHOT', `${file}: ${what}`);
