import { arrayAt, asObject, objectAt, textAt } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import type { ApiObject } from '../../cluster/cluster-api.js';
import type { Resource } from '../../cluster/resources.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { rolloutStatus } from './rollout-status.js';
import type { Watching } from './rollout-status.js';
import { timeoutOf } from './wait.js';
import { kindNamed, namespaceOf, shownAs } from '../target/kinds.js';
import { found } from '../target/targets.js';
import { whole } from '../text/input.js';

const NAMESPACE = { name: '--namespace', short: '-n', value: true };

/** `deployment/coredns`, `deployment coredns`, or several names of one kind. Throws a CommandError for no name. */
export function targets(
  words: readonly string[],
  what: string,
): readonly { readonly resource: Resource; readonly name: string }[] {
  if (words.length === 0) throw new CommandError(`error: ${what} needs a kind and a name`);
  if (words.every((word) => word.includes('/')))
    return words.map((word) => ({
      resource: kindNamed(word.slice(0, word.indexOf('/'))),
      name: word.slice(word.indexOf('/') + 1),
    }));
  const [kind = '', ...names] = words;
  const resource = kindNamed(kind);
  return names.map((name) => ({ resource, name }));
}

const shown = (object: ApiObject): string => shownAs(kindNamed(object.kind), object.name);

type RolloutAction = (object: ApiObject, revision: number, io: CommandIo, watching: Watching) => void | Promise<void>;

const ACTIONS: Readonly<Record<string, RolloutAction>> = {
  async restart(object, _revision, io) {
    if (objectAt(object.raw, 'spec')['paused'] === true)
      throw new CommandError(`error: can't restart paused deployment (run rollout resume first): ${object.name}`);
    await io.lab.rollout(object);
    io.write(`${shown(object)} restarted\n`);
  },
  status: (object, _revision, io, watching) => rolloutStatus(object, watching, io),
  history(object, revision, io) {
    const all = io.lab.workloads.generationsOf(object);
    if (revision > 0) {
      io.write(`${shown(object)} with revision #${revision}\n${podTemplate(revisionOf(object, revision, io))}\n`);
      return;
    }
    io.write(`${shown(object)} \nREVISION  CHANGE-CAUSE\n`);
    for (const { revision: number } of all) io.write(`${String(number).padEnd(10)}<none>\n`);
    io.write('\n');
  },
  async undo(object, revision, io) {
    const all = io.lab.workloads.generationsOf(object);
    const before = revision > 0 ? revision : all.at(-2)?.revision;
    if (before === undefined) throw new CommandError(`error: no rollout history found for ${shown(object)}`);
    const template = revisionOf(object, before, io);
    const spec = objectAt(object.raw, 'spec');
    if (JSON.stringify(template) === JSON.stringify(objectAt(spec, 'template'))) await io.lab.rollout(object);
    else await io.lab.update({ ...object, raw: { ...object.raw, spec: { ...spec, template } } });
    io.write(`${shown(object)} rolled back\n`);
  },
  pause: (object, _revision, io) => setPaused(object, true, io),
  resume: (object, _revision, io) => setPaused(object, false, io),
};

/** `kubectl rollout restart|status|history|undo|pause|resume KIND/NAME`. */
export async function rollout(args: readonly string[], io: CommandIo): Promise<number> {
  const [word = '', ...rest] = args;
  const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
  if (!action)
    throw new CommandError(`error: kubectl rollout: got "${word}", allowed: ${Object.keys(ACTIONS).join(', ')}`);
  const options = parseOptions('kubectl rollout', rest, [
    NAMESPACE,
    { name: '--revision', value: true },
    { name: '--to-revision', value: true },
    { name: '--timeout', value: true },
    { name: '--watch', short: '-w' },
  ]);
  const revision = whole(
    'kubectl rollout: --revision',
    options.get('--revision') ?? options.get('--to-revision') ?? '0',
    0,
    1_000_000,
  );
  const watching = {
    watch: options.get('--watch') !== 'false',
    limit: timeoutOf(options.get('--timeout') ?? '0s'),
  };
  for (const { resource, name } of targets(options.words, 'kubectl rollout')) {
    if (resource.kind !== 'Deployment' && resource.kind !== 'DaemonSet')
      throw new CommandError(`error: cannot roll out a ${resource.kind}, allowed: deployments, daemonsets`);
    await action(found(io, resource, namespaceOf(options), name), revision, io, watching);
  }
  return 0;
}

/** The template of a revision. Throws a CommandError for one that is not kept. */
function revisionOf(object: ApiObject, revision: number, io: CommandIo): RawObject {
  const all = io.lab.workloads.generationsOf(object);
  const kept = all.find((one) => one.revision === revision);
  if (!kept)
    throw new CommandError(
      `error: unable to find specified revision ${revision} in history; there are ${all.map((one) => one.revision).join(', ')}`,
    );
  return asObject(kept.template);
}

async function setPaused(object: ApiObject, paused: boolean, io: CommandIo): Promise<void> {
  if (object.kind !== 'Deployment')
    throw new CommandError(`error: daemonsets.apps "${object.name}" pausing is not supported`);
  const spec = objectAt(object.raw, 'spec');
  if ((spec['paused'] === true) === paused)
    throw new CommandError(`error: deployments.apps "${object.name}" is ${paused ? 'already' : 'not'} paused`);
  const { paused: _paused, ...open } = spec;
  await io.lab.update({ ...object, raw: { ...object.raw, spec: paused ? { ...spec, paused } : open } });
  io.write(`${shown(object)} ${paused ? 'paused' : 'resumed'}\n`);
}

/** What a template says, as `rollout history --revision` prints it. */
function podTemplate(template: RawObject): string {
  const labels = Object.entries(objectAt(objectAt(template, 'metadata'), 'labels'));
  const containers = arrayAt(objectAt(template, 'spec'), 'containers').map(asObject);
  return [
    'Pod Template:',
    ...labels.map(([key, value], i) => `  ${i === 0 ? 'Labels:' : ''}\t${key}=${String(value)}`),
    '  Containers:',
    ...containers.flatMap((container) => [
      `   ${textAt(container, 'name')}:`,
      `    Image:\t${textAt(container, 'image')}`,
      ...arrayAt(container, 'env')
        .map(asObject)
        .map(
          (one, i) => `    ${i === 0 ? 'Environment:' : ''}\n      ${textAt(one, 'name')}:\t${textAt(one, 'value')}`,
        ),
    ]),
  ].join('\n');
}

/** `kubectl set image|env KIND/NAME CONTAINER=IMAGE|NAME=VALUE|NAME-`: changes a template, which rolls it out. */
export async function set(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl set', args, [NAMESPACE]);
  const [what = '', ...words] = options.words;
  const first = words.findIndex((word) => /=|-$/.test(word));
  const changes = first < 0 ? [] : words.slice(first);
  if ((what !== 'image' && what !== 'env') || changes.length === 0)
    throw new CommandError(
      'error: kubectl set: allowed: kubectl set image KIND/NAME CONTAINER=IMAGE..., ' +
        'kubectl set env KIND/NAME NAME=VALUE... or NAME-',
    );
  for (const { resource, name } of targets(words.slice(0, first), 'kubectl set')) {
    const object = found(io, resource, namespaceOf(options), name);
    const spec = objectAt(object.raw, 'spec');
    const template = objectAt(spec, 'template');
    const podSpec = objectAt(template, 'spec');
    const containers = arrayAt(podSpec, 'containers').map(asObject);
    if (containers.length === 0) throw new CommandError(`error: ${shown(object)} has no template of pods`);
    const changed = what === 'image' ? withImages(containers, changes, object) : withEnv(containers, changes);
    await io.lab.update({
      ...object,
      raw: { ...object.raw, spec: { ...spec, template: { ...template, spec: { ...podSpec, containers: changed } } } },
    });
    io.write(`${shown(object)} ${what} updated\n`);
  }
  return 0;
}

const split = (text: string): readonly [string, string] => {
  const equals = text.indexOf('=');
  return [text.slice(0, equals), text.slice(equals + 1)];
};

function withImages(containers: readonly RawObject[], changes: readonly string[], object: ApiObject): RawObject[] {
  const wanted = new Map(changes.map(split));
  for (const name of wanted.keys())
    if (name !== '*' && !containers.some((container) => textAt(container, 'name') === name))
      throw new CommandError(`error: unable to find container named "${name}" in ${shown(object)}`);
  return containers.map((container) => {
    const image = wanted.get(textAt(container, 'name')) ?? wanted.get('*');
    return image === undefined ? container : { ...container, image };
  });
}

function withEnv(containers: readonly RawObject[], changes: readonly string[]): RawObject[] {
  const gone = new Set(changes.map((text) => (text.includes('=') ? split(text)[0] : text.slice(0, -1))));
  const added = changes.filter((text) => text.includes('=')).map(split);
  return containers.map((container) => ({
    ...container,
    env: [
      ...arrayAt(container, 'env')
        .map(asObject)
        .filter((one) => !gone.has(textAt(one, 'name'))),
      ...added.map(([name, value]) => ({ name, value })),
    ],
  }));
}
