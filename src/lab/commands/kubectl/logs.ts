import { parseDuration } from '../../../lib/duration.js';
import type { Milliseconds } from '../../../lib/units.js';
import { runMeant } from '../../pods/running-pod.js';
import type { RunningPod } from '../../pods/running-pod.js';
import { CommandError, untilEnded } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { whole } from '../text/input.js';
import { podsMeant } from '../target/targets.js';

/** With a selector kubectl shows so many lines of each pod. */
const TAIL_OF_MANY = '10';

/** `kubectl logs`: what the program of a pod has written, or of all that a selector means. */
export async function logs(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions(
    'kubectl logs',
    args.map((arg) => (/^--tail=?-/.test(arg) ? '--tail=-1' : arg)),
    [
      { name: '--namespace', short: '-n', value: true },
      { name: '--selector', short: '-l', value: true },
      { name: '--follow', short: '-f' },
      { name: '--tail', value: true },
      { name: '--since', value: true },
      { name: '--timestamps' },
      { name: '--container', short: '-c', value: true },
      { name: '--all-containers' },
      { name: '--prefix' },
      { name: '--previous', short: '-p' },
    ],
  );
  const meant = podsMeant(options.words[0], options, io);
  const several = meant.length > 1 && !options.has('--selector');
  if (several) io.write(`Found ${meant.length} pods, using pod/${meant[0]!.name}\n`);
  const pods = several ? meant.slice(0, 1) : meant;
  const previous = options.has('--previous');
  const none = pods.find((pod) => runMeant(pod, previous) === undefined);
  if (none)
    throw new CommandError(
      `Error from server (BadRequest): previous terminated container in pod "${none.name}" not found`,
    );
  const tail = options.get('--tail') ?? (options.has('--selector') ? TAIL_OF_MANY : '-1');
  const count = tail === '-1' ? undefined : whole('kubectl logs: --tail', tail, 0, 100_000);
  const since = options.has('--since') ? io.lab.clock.now() - sinceOf(options.get('--since')!) : undefined;
  const shown = (pod: RunningPod, { at, text }: { readonly at: Milliseconds; readonly text: string }): string =>
    (options.has('--prefix') ? `[pod/${pod.name}] ` : '') + logLine(at, text, options.has('--timestamps'));
  for (const pod of pods)
    for (const line of pod.log.lines({ count, since, run: runMeant(pod, previous) })) io.write(shown(pod, line));
  if (!options.has('--follow')) return 0;
  const stops = pods.map((pod) => pod.log.follow((text) => io.write(shown(pod, { at: io.lab.clock.now(), text }))));
  try {
    await untilEnded(io, 'kubectl logs -f');
  } finally {
    stops.forEach((stop) => stop());
  }
  return 0;
}

/** A line of a log as kubectl prints it. */
export const logLine = (at: Milliseconds, text: string, timestamp: boolean): string =>
  `${timestamp ? `${new Date(at).toISOString().replace('Z', '000000Z')} ` : ''}${text}\n`;

function sinceOf(text: string): Milliseconds {
  const value = parseDuration(text);
  if (value === undefined || value <= 0)
    throw new CommandError(`kubectl logs: --since: got "${text}", allowed: a duration such as 30s, 5m or 2h`);
  return value;
}
