import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Octets } from './units.js';

/** Longest file that is read whole: far more than any Corefile, zone or list of hosts that a server is meant for. */
export const MAX_FILE: Octets = 128 << 20;

/** Where Linux has /dev/null, which stands for an empty file: device 1:3. */
const NULL_DEVICE = 0x103;

/**
 * The bytes of a file. Throws as `fs.readFileSync` does, and for what would be waited for without end or has none: a
 * pipe, a device, a file of more than `longest` bytes.
 */
export function readRegularFile(path: string, longest: Octets = MAX_FILE): Buffer {
  // Opening a pipe would wait for somebody who writes to it.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return isEmpty(path, fstatSync(fd), longest) ? Buffer.alloc(0) : readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The same while the thread does other things. */
export async function readRegularFileAside(path: string, longest: Octets = MAX_FILE): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return isEmpty(path, await file.stat(), longest) ? Buffer.alloc(0) : await file.readFile();
  } finally {
    await file.close();
  }
}

/** Whether it stands for an empty file. Throws for what is not to be read. */
function isEmpty(path: string, info: Stats, longest: Octets): boolean {
  if (info.isCharacterDevice() && info.rdev === NULL_DEVICE) return true;
  const reason = unfit(info, longest);
  if (reason !== undefined) throw new Error(`${path}: ${reason}`);
  return false;
}

/** Why something in the file system is not to be read as a file; undefined where it may be. */
export function unfit(
  info: { isFile(): boolean; isDirectory(): boolean; readonly size: number },
  longest: Octets = MAX_FILE,
): string | undefined {
  // Reading says it in the system's own words.
  if (info.isDirectory()) return undefined;
  if (!info.isFile()) return 'got a pipe, a device or a socket, allowed: a regular file';
  return info.size > longest ? `got ${info.size} bytes, allowed: at most ${longest}` : undefined;
}
