import { sleep } from '../../../lib/clock.js';
import { parseDuration } from '../../../lib/duration.js';
import type { Milliseconds } from '../../../lib/units.js';
import { arrayAt, asObject, objectAt, textAt } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import { LabelSelector } from '../../../kube/objects/label-selector.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { kindNamed, namespaceOf, shownAs } from '../target/kinds.js';
import type { Resource } from '../../cluster/resources.js';
import { JsonPath } from './json-path.js';
import { nameIn, namespaceIn } from './metadata.js';
import { objectsMeant, requireAll } from './selection.js';

const POLL: Milliseconds = 200;

/** `kubectl wait --for=condition=Ready pod -l app=webpod --timeout=60s`, `--for=delete`, `--for=jsonpath={...}=VALUE`. */
export async function wait(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl wait', args, [
    { name: '--namespace', short: '-n', value: true },
    { name: '--selector', short: '-l', value: true },
    { name: '--for', value: true },
    { name: '--timeout', value: true },
    { name: '--all' },
    { name: '--all-namespaces', short: '-A' },
  ]);
  const [first = '', ...more] = options.words;
  const [kind = '', inline] = first.split('/');
  const resource = kindNamed(kind);
  const names = inline === undefined ? more : [inline];
  const selector = LabelSelector.parse(options.get('--selector') ?? '');
  const namespace = options.has('--all-namespaces') || !resource.namespaced ? undefined : namespaceOf(options);
  const meant = (): readonly RawObject[] => objectsMeant(resource, { namespace, names, selector }, io.lab);
  if (names.length === 0 && !options.has('--selector') && !options.has('--all'))
    throw new CommandError('error: resource(s) were provided, but no name was specified');
  const goal = goalOf(options.get('--for') ?? '');
  const waited = meant();
  if (goal !== 'delete') requireAll(resource, names, waited);
  if (waited.length === 0 && goal !== 'delete') throw new CommandError('error: no matching resources found');
  return until(waited, meant, goal, resource, timeoutOf(options.get('--timeout') ?? '30s'), io);
}

async function until(
  waited: readonly RawObject[],
  meant: () => readonly RawObject[],
  goal: 'delete' | ((object: RawObject) => boolean),
  resource: Resource,
  limit: Milliseconds,
  io: CommandIo,
): Promise<number> {
  const { clock } = io.lab;
  const end = clock.monotonic() + limit;
  let left = waited;
  for (;;) {
    const now = meant();
    const open: RawObject[] = [];
    for (const object of left) {
      const current = now.find((one) => nameIn(one) === nameIn(object) && namespaceIn(one) === namespaceIn(object));
      const met = goal === 'delete' ? !current : current !== undefined && goal(current);
      if (met) io.write(`${shownAs(resource, nameIn(object))} ${goal === 'delete' ? 'deleted' : 'condition met'}\n`);
      else open.push(object);
    }
    left = open;
    if (left.length === 0) return 0;
    if (clock.monotonic() >= end || io.signal.aborted) break;
    await sleep(clock, POLL, io.signal).catch(() => undefined);
  }
  for (const object of left)
    io.error(`error: timed out waiting for the condition on ${resource.plural}/${nameIn(object)}\n`);
  return 1;
}

function goalOf(text: string): 'delete' | ((object: RawObject) => boolean) {
  if (text === 'delete') return 'delete';
  const [, condition, wanted = 'True'] = /^condition=(\w+)(?:=(\w+))?$/.exec(text) ?? [];
  if (condition !== undefined)
    return (object) =>
      arrayAt(objectAt(object, 'status'), 'conditions')
        .map(asObject)
        .some(
          (one) =>
            textAt(one, 'type').toLowerCase() === condition.toLowerCase() &&
            textAt(one, 'status').toLowerCase() === wanted.toLowerCase(),
        );
  const [, path, value] = /^jsonpath=(\{[^}]*\})(?:=(.*))?$/.exec(text) ?? [];
  if (path === undefined)
    throw new CommandError(
      `error: --for: got "${text}", allowed: delete, condition=NAME[=VALUE], jsonpath={PATH}[=VALUE]`,
    );
  const read = new JsonPath(path);
  return (object) => (value === undefined ? read.print(object) !== '' : read.print(object) === value);
}

/** The time that `--timeout` says. Throws a CommandError for what is none. */
export function timeoutOf(text: string): Milliseconds {
  const value = parseDuration(text);
  if (value === undefined || value < 0)
    throw new CommandError(`error: --timeout: got "${text}", allowed: a duration such as 60s or 1m30s`);
  return value;
}
