import { askAdmin } from '../insight/admin/ask-admin.js';
import { isExpected } from '../lib/errors.js';
import { FlagError } from '../lib/go-flags.js';
import type { Command } from './command.js';
import { callerFrom } from './explain.js';
import { writeRecording } from './record-file.js';
import { say } from './say.js';
import { USAGE, callOf, misused } from './tool.js';
import { RECORD } from './tools.js';

/** `nodens record`: what a running server keeps of queries that were slow, failed or were answered stale. */
export const recordCommand: Command = async (args) => {
  const call = callOf(RECORD, args);
  if (typeof call === 'number') return call;
  const { values, rest } = call;
  try {
    if (rest.length > 0) throw new FlagError(`got '${rest.join(' ')}', allowed: flags only`);
    const text = JSON.stringify(await askAdmin(callerFrom(values), '/record'));
    if (values.to === '') return say(`${text}\n`);
    writeRecording(values.to!, text);
    return 0;
  } catch (error) {
    if (error instanceof FlagError) return misused(RECORD, error.message);
    if (!isExpected(error)) throw error;
    process.stderr.write(`nodens record: ${error.message}\n`);
    return USAGE;
  }
};
