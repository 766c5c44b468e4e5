import { VERSION } from '../lib/package-folder.js';

export const versionLines = (): string =>
  `nodens-${VERSION}\n${process.platform}/${process.arch}, node${process.versions.node}\n`;

/** Prints what was asked for; gives the exit code. */
export function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** Prints what is wrong with a command line; gives the exit code. */
export function refuse(text: string): number {
  process.stderr.write(text);
  return 1;
}
