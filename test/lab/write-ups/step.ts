import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LAB_FOLDER } from '../../../src/lab/topology/load.js';

/** One line of a write-up, as it is typed. */
export interface Step {
  readonly line: string;
  /** What the output has; nothing is said where it does not matter. */
  readonly has?: string | RegExp;
  /** Exit code. Default 0. */
  readonly code?: number;
  /** Seconds after which Ctrl-C is pressed, for what does not end by itself. */
  readonly stop?: number;
}

/** Lines that a lab cannot carry out: what it says in place of it. */
export const instead = (line: string, has: string, code = 127): Step => ({ line, has, code });

const MANIFEST = readFileSync(path.join(LAB_FOLDER, 'manifests/webpod.yaml'), 'utf8');
/** Makes the sample application, as the write-ups type it. */
export const APPLY = `cat << EOF | kubectl apply -f -\n${MANIFEST}\nEOF`;
