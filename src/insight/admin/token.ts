import { createHash, timingSafeEqual } from 'node:crypto';
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { NodensError } from '../../lib/errors.js';
import { unfit } from '../../lib/regular-file.js';
import type { Octets } from '../../lib/units.js';

/** Fewer characters can be guessed. */
const SHORTEST = 16;
const LONGEST: Octets = 4096;
/** Read, write or run by users who are neither owner nor of the group, and write by the group. */
const FOREIGN = 0o027;

/**
 * The token in a file, without spaces around it. Throws a NodensError for a file that others may read or write, and
 * for a token that can be guessed, and a NodeJS.ErrnoException for a file that cannot be read.
 */
export function readToken(file: string): string {
  const info = statSync(file);
  const fail = (what: string): never => {
    throw new NodensError('NODENS_OPTION', `-admin.token: ${file}: ${what}`);
  };
  const wrong = unfit(info, LONGEST);
  if (wrong !== undefined) fail(wrong);
  if ((info.mode & FOREIGN) !== 0)
    fail(`got mode ${modeText(info.mode)}, allowed: one that lets nobody else in, such as 0600`);
  const token = readFileSync(file, 'utf8').trim();
  if (!/^[\x21-\x7e]+$/.test(token) || token.length < SHORTEST)
    fail(`got a token of ${token.length} characters, allowed: at least ${SHORTEST}, printable ASCII without spaces`);
  return token;
}

/** Whether a request shows the token, in a time that does not depend on how much of it is right. */
export function showsToken(authorization: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${token}`));
}

/**
 * What is wrong with a Unix socket that is to be trusted: undefined where it belongs to this user or to root, and
 * nobody else can connect or put another one in its place.
 */
export function socketFault(path: string, uid = process.getuid?.() ?? 0): string | undefined {
  const info = lstatSync(path);
  if (!info.isSocket()) return 'it is no socket';
  if (info.uid !== uid && info.uid !== 0) return `it belongs to user ${info.uid}, allowed: ${uid} or 0`;
  if ((info.mode & FOREIGN) !== 0) return `its mode is ${modeText(info.mode)}, allowed: one that lets nobody else in`;
  return undefined;
}

export const modeText = (mode: number): string => `0${(mode & 0o7777).toString(8)}`;
