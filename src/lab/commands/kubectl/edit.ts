import { parseManifest, ManifestError } from '../../../kube/manifests/parse.js';
import type { ManifestObject } from '../../../kube/manifests/parse.js';
import { asObject } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import { loadYaml } from '../../../kube/yaml.js';
import { ClusterApiError } from '../../cluster/cluster-api.js';
import { jsonPatch, mergePatch, strategicPatch } from '../../cluster/patch.js';
import type { Resource } from '../../cluster/resources.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { kindNamed, namespaceOf, shownAs, withGroup } from '../target/kinds.js';
import { yamlOf } from './get.js';
import { nameIn, namespaceIn } from './metadata.js';
import { objectsOf } from './objects.js';

/** Attempts after which an edit that stays invalid is given up. */
const MAX_TRIES = 20;
const HEADER = [
  "Please edit the object below. Lines beginning with a '#' will be ignored,",
  'and an empty file will abort the edit. If an error occurs while saving this file will be',
  'reopened with the relevant failures.',
  '',
];

/** `kubectl edit KIND NAME`: hands the object to an editor and applies what was saved. */
export async function edit(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl edit', args, [
    { name: '--namespace', short: '-n', value: true },
    { name: '--output', short: '-o', value: true },
  ]);
  const output = options.get('--output') ?? 'yaml';
  if (output !== 'yaml') throw new CommandError(`error: --output: got "${output}", allowed: yaml`);
  const [word = '', given, extra] = options.words;
  const [kind = '', inline] = word.split('/');
  const name = inline ?? given;
  if (name === undefined || (inline === undefined ? extra : given) !== undefined)
    throw new CommandError('error: kubectl edit needs one object: kubectl edit KIND NAME');
  const resource = kindNamed(kind);
  const object = changeable(resource, namespaceOf(options), name, io);
  const editor = editorOf(io);
  const before = yamlOf(object);
  let text = before;
  let reasons: readonly string[] = [];
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const shown =
      [...HEADER, ...reasons].map((line) => `# ${line}`.trimEnd()).join('\n') +
      (reasons.length > 0 ? '\n#\n' : '\n') +
      text;
    const saved = withoutRemarks(await editor(shown));
    if (saved.trim() === '') throw new CommandError('Edit cancelled, saved file was empty.', 0);
    if (saved === before) throw new CommandError('Edit cancelled, no changes made.', reasons.length > 0 ? 1 : 0);
    if (reasons.length > 0 && saved === text)
      throw new CommandError(`error: Edit cancelled, no valid changes were saved.\n${reasons.join('\n')}`);
    const refused = await put(saved, object, resource, io);
    if (refused === undefined) return 0;
    text = saved;
    reasons = refused;
  }
  throw new CommandError(`error: Edit cancelled, no valid changes were saved.\n${reasons.join('\n')}`);
}

/** An object that can be changed. Throws a CommandError for one that is not there, or that the cluster makes itself. */
export function changeable(resource: Resource, namespace: string, name: string, io: CommandIo): RawObject {
  const found = objectsOf(resource.kind, io.lab).find(
    (object) => nameIn(object) === name && (!resource.namespaced || namespaceIn(object) === namespace),
  );
  if (!found) throw new CommandError(`Error from server (NotFound): ${withGroup(resource)} "${name}" not found`);
  if (resource.made === true || !io.lab.api.get(resource.kind, resource.namespaced ? namespace : '', name)) {
    throw new CommandError(
      `error: ${shownAs(resource, name)} is made by the cluster and cannot be changed ` +
        `here${resource.kind === 'ConfigMap' ? ": helm upgrade --set changes Cilium's settings" : ''}`,
    );
  }
  return found;
}

const withoutRemarks = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');

/** The user's own editor, or a program of the lab that EDITOR names on the command line. */
function editorOf(io: CommandIo): (text: string) => Promise<string> {
  const command = io.env['KUBE_EDITOR'] ?? io.env['EDITOR'];
  if (command === undefined) {
    const { edit: own } = io;
    if (!own)
      throw new CommandError(
        'error: there is no editor here; name a program: EDITOR="sed -i \'s/OLD/NEW/\'" kubectl ' +
          'edit KIND NAME, or type it in: nodens lab shell',
      );
    return (text) => own(text, '.yaml');
  }
  return async (text) => {
    const file = 'kubectl-edit.yaml';
    io.session.written.set(file, text);
    try {
      const code = await io.session.line(`${command} ${file}`, io);
      if (code !== 0) throw new CommandError(`error: there was a problem with the editor "${command}"`);
      return io.session.read(file);
    } finally {
      io.session.written.delete(file);
    }
  };
}

/** Applies what was saved. Gives the reasons where it is refused. */
async function put(
  text: string,
  object: RawObject,
  resource: Resource,
  io: CommandIo,
): Promise<readonly string[] | undefined> {
  let manifests: readonly ManifestObject[];
  try {
    manifests = [...parseManifest('the edited file', text)];
  } catch (error) {
    if (error instanceof ManifestError) return [`The edited file had a syntax error: ${error.message}`];
    throw error;
  }
  const [manifest, extra] = manifests;
  const same =
    manifest &&
    extra === undefined &&
    manifest.kind === object['kind'] &&
    nameIn(asObject(manifest.raw)) === nameIn(object) &&
    (namespaceIn(asObject(manifest.raw)) || namespaceIn(object)) === namespaceIn(object);
  if (!same)
    return [
      `${withGroup(resource)} "${nameIn(object)}" was not valid:`,
      '* kind, metadata.name and metadata.namespace may not be changed, and the file holds one object',
    ];
  try {
    await io.lab.apply([manifest]);
  } catch (error) {
    if (error instanceof ClusterApiError)
      return [
        `${withGroup(resource)} "${nameIn(object)}" was not valid:`,
        `* ${error.message.replace(/^the edited file:\d+:\d+: /, '')}`,
      ];
    throw error;
  }
  io.write(`${shownAs(resource, nameIn(object))} edited\n`);
  return undefined;
}

/** What a patch does to an object, by `--type`. */
const PATCHES: Readonly<Record<string, (object: unknown, change: unknown) => unknown>> = {
  strategic: strategicPatch,
  merge: mergePatch,
  json: jsonPatch,
};

/** Throws a CommandError for a patch that does not fit. */
function patched(patch: (object: unknown, change: unknown) => unknown, object: RawObject, change: unknown): unknown {
  try {
    return patch(object, change);
  } catch (error) {
    if (error instanceof ClusterApiError) throw new CommandError(`error: ${error.message}`);
    throw error;
  }
}

/** `kubectl patch KIND NAME -p PATCH`: changes an object by YAML or JSON. */
export async function patch(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl patch', args, [
    { name: '--namespace', short: '-n', value: true },
    { name: '--patch', short: '-p', value: true },
    { name: '--type', value: true },
  ]);
  const type = options.get('--type') ?? 'strategic';
  if (!Object.hasOwn(PATCHES, type))
    throw new CommandError(`error: --type: got "${type}", allowed: ${Object.keys(PATCHES).join(', ')}`);
  const text = options.get('--patch');
  if (text === undefined) throw new CommandError('error: must specify -p PATCH');
  let change: unknown;
  try {
    change = loadYaml().parse(text);
  } catch (error) {
    throw new CommandError(`error: unable to parse "${text}": ${(error as Error).message.split('\n')[0]!}`);
  }
  const [word = '', given] = options.words;
  const [kind = '', inline] = word.split('/');
  const name = inline ?? given;
  if (name === undefined)
    throw new CommandError('error: kubectl patch needs an object: kubectl patch KIND NAME -p PATCH');
  const resource = kindNamed(kind);
  const object = changeable(resource, namespaceOf(options), name, io);
  const raw = patched(PATCHES[type]!, object, change);
  const [{ applied } = { applied: 'unchanged' }] = await io.lab.apply([
    { kind: resource.kind, raw: raw, place: shownAs(resource, name) },
  ]);
  io.write(`${shownAs(resource, name)} patched${applied === 'unchanged' ? ' (no change)' : ''}\n`);
  return 0;
}

/** `kubectl label` and `kubectl annotate`: `KEY=VALUE` sets, `KEY-` takes away. */
export const marker =
  (verb: 'label' | 'annotate') =>
  async (args: readonly string[], io: CommandIo): Promise<number> => {
    const options = parseOptions(`kubectl ${verb}`, args, [
      { name: '--namespace', short: '-n', value: true },
      { name: '--overwrite' },
    ]);
    const [word = '', ...rest] = options.words;
    const [kind = '', inline] = word.split('/');
    const [name, ...marks] = inline === undefined ? rest : [inline, ...rest];
    if (name === undefined || marks.length === 0 || !marks.every((mark) => /^[\w./-]+(=.*|-)$/.test(mark)))
      throw new CommandError(`error: kubectl ${verb}: allowed: kubectl ${verb} KIND NAME KEY=VALUE... or KEY-`);
    const resource = kindNamed(kind);
    const object = changeable(resource, namespaceOf(options), name, io);
    const member = verb === 'label' ? 'labels' : 'annotations';
    const values = Object.fromEntries(
      marks.map((mark): [string, string | null] =>
        mark.includes('=')
          ? [mark.slice(0, mark.indexOf('=')), mark.slice(mark.indexOf('=') + 1)]
          : [mark.slice(0, -1), null],
      ),
    );
    const before = asObject(asObject(object['metadata'])[member]);
    const clash = Object.entries(values).find(
      ([key, value]) => value !== null && before[key] !== undefined && before[key] !== value,
    );
    if (clash && !options.has('--overwrite'))
      throw new CommandError(
        `error: '${clash[0]}' already has a value (${String(before[clash[0]])}), and --overwrite is false`,
      );
    await io.lab.apply([
      {
        kind: resource.kind,
        raw: mergePatch(object, { metadata: { [member]: values } }),
        place: shownAs(resource, name),
      },
    ]);
    io.write(
      `${shownAs(resource, name)} ` +
        `${verb === 'annotate' ? 'annotated' : Object.values(values).every((value) => value === null) ? 'unlabeled' : 'labeled'}\n`,
    );
    return 0;
  };
