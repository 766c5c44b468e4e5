import { readFileSync } from 'node:fs';
import { askAdmin, type AdminCaller } from '../insight/admin/ask-admin.js';
import { liveText, type LiveExplanation } from '../insight/explain/live.js';
import { reasonsOf } from '../insight/explain/reasons.js';
import { readRecording, recordingText, storyOfRecorded } from '../insight/explain/recorded.js';
import { parseDuration } from '../lib/duration.js';
import { isExpected } from '../lib/errors.js';
import { FlagError } from '../lib/go-flags.js';
import { adminAddress } from '../server/admin-flags.js';
import type { Command } from './command.js';
import { say } from './say.js';
import { USAGE, callOf, misused } from './tool.js';
import { EXPLAIN } from './tools.js';

/** `nodens explain NAME [TYPE]`: what a query becomes at a running server, and why. */
export const explainCommand: Command = async (args) => {
  const call = callOf(EXPLAIN, args);
  if (typeof call === 'number') return call;
  const { values, rest } = call;
  try {
    if (values.o !== 'text' && values.o !== 'json') throw new FlagError(`-o: got '${values.o}', allowed: text, json`);
    if (values.record !== '') return tellRecording(values.record!, values.o, rest);
    const [name, type, extra] = rest;
    if (name === undefined || extra !== undefined) throw new FlagError(`got '${rest.join(' ')}', allowed: NAME [TYPE]`);
    const explanation = (await askAdmin(callerFrom(values), '/explain', {
      name,
      ...(type !== undefined && { type }),
      client: values.client!,
      transport: values.tcp === 'true' ? 'tcp' : 'udp',
    })) as LiveExplanation;
    say(
      values.o === 'json'
        ? `${JSON.stringify(explanation, undefined, 2)}\n`
        : liveText(explanation, values.v === 'true'),
    );
    return explanation.result === 'NOERROR' ? 0 : 1;
  } catch (error) {
    if (error instanceof FlagError) return misused(EXPLAIN, error.message);
    if (!isExpected(error)) throw error;
    process.stderr.write(`nodens explain: ${error.message}\n`);
    return USAGE;
  }
};

/** What a recorder kept, in words; of one name where one is given. */
function tellRecording(file: string, form: string, [name, extra]: readonly string[]): number {
  if (extra !== undefined) throw new FlagError(`got '${extra}', allowed: one NAME with -record`);
  const recording = readRecording(readFileSync(file, 'utf8'), file);
  if (form === 'text') return say(recordingText(recording, name));
  const queries = recording.queries.map((query) => ({ ...query, reasons: reasonsOf(storyOfRecorded(query)) }));
  return say(`${JSON.stringify({ ...recording, queries }, undefined, 2)}\n`);
}

/** Where the flags of a tool say that a server is to be asked. Throws a FlagError for what cannot be asked. */
export function callerFrom(values: Readonly<Record<string, string>>): AdminCaller {
  const at = adminAddress(values.server!);
  if (typeof at === 'string') throw new FlagError(`-server: ${at}`);
  const timeout = parseDuration(values.timeout!);
  if (timeout === undefined || timeout <= 0)
    throw new FlagError(`-timeout: got '${values.timeout}', allowed: a duration such as 20s`);
  return { at, timeout, ...(values.token !== '' && { tokenFile: values.token }) };
}
