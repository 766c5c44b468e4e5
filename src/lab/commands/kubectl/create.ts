import path from 'node:path';
import { parseManifest } from '../../../kube/manifests/parse.js';
import { textAt } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import type { Options } from '../../session/options.js';
import { NOTHING_FETCHED, fetched, ownManifest } from '../target/fetched.js';
import { kindNamed, namespaceOf, shownAs } from '../target/kinds.js';
import { yamlOf } from './get.js';
import { nameIn, namespaceIn } from './metadata.js';

/** Options of verbs that make something. */
export const COMMON = [
  { name: '--namespace', short: '-n', value: true },
  { name: '--dry-run', value: true },
  { name: '--output', short: '-o', value: true },
];

/** A manifest from a file, or from the pipe as `-`. */
export const manifestText = async (file: string, io: CommandIo): Promise<string> => {
  if (/^https?:/.test(file)) {
    const own = fetched(file);
    if (!own) throw new CommandError(`error: ${file}: ${NOTHING_FETCHED}`);
    return own.text;
  }
  if (file !== '-') return localText(file, io);
  if (io.input === undefined)
    throw new CommandError('error: -f - reads a pipe or a here-document, and there is neither');
  return io.input.text();
};

/** A file of the user; where there is none, the manifest of that name that comes with the lab. */
function localText(file: string, io: CommandIo): string {
  try {
    return io.session.read(file);
  } catch (error) {
    const own = ownManifest(file);
    if (own === undefined) throw error;
    return own;
  }
}

/**
 * `kubectl create`: a file, a ConfigMap from files and literals, a namespace, a service, or a Deployment from an
 * image.
 */
export async function create(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl create', args, [
    ...COMMON,
    { name: '--filename', short: '-f', value: true },
    { name: '--from-file', value: true },
    { name: '--from-literal', value: true },
    { name: '--image', value: true },
    { name: '--replicas', value: true },
    { name: '--port', value: true },
  ]);
  if (options.has('--filename')) {
    for (const file of options.all('--filename'))
      for (const manifest of parseManifest(file, await manifestText(file, io)))
        await make(manifest.raw as RawObject, manifest.place, options, io);
    return 0;
  }
  const [kind, name, extra] = options.words;
  if (kind === undefined || name === undefined || extra !== undefined)
    throw new CommandError(
      'error: kubectl create: allowed: -f FILE, configmap NAME --from-file=[KEY=]FILE ' +
        '--from-literal=KEY=VALUE, namespace NAME, deployment NAME --image=IMAGE',
    );
  await make(built(kind, name, options, io), 'kubectl create', options, io);
  return 0;
}

function built(kind: string, name: string, options: Options, io: CommandIo): RawObject {
  const metadata = { name, namespace: namespaceOf(options) };
  if (kind === 'configmap' || kind === 'cm')
    return { apiVersion: 'v1', data: dataOf(options, io), kind: 'ConfigMap', metadata };
  if (kind === 'namespace' || kind === 'ns') return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  if (kind !== 'deployment' && kind !== 'deploy')
    throw new CommandError(`error: kubectl create: got "${kind}", allowed: configmap, namespace, deployment, -f FILE`);
  const image = options.get('--image');
  if (image === undefined) throw new CommandError('error: required flag(s) "image" not set');
  const port = options.get('--port');
  const container = {
    image,
    name: path.basename(image).split(/[:@]/)[0]!,
    ...(port !== undefined && { ports: [{ containerPort: Number(port) }] }),
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...metadata, labels: { app: name } },
    spec: {
      replicas: Number(options.get('--replicas') ?? 1),
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [container] } },
    },
  };
}

function dataOf(options: Options, io: CommandIo): Record<string, string> {
  const data: Record<string, string> = {};
  for (const text of options.all('--from-file')) {
    const equals = text.indexOf('=');
    const file = text.slice(equals + 1);
    data[equals < 0 ? path.basename(file) : text.slice(0, equals)] = io.session.read(file);
  }
  for (const text of options.all('--from-literal')) {
    const equals = text.indexOf('=');
    if (equals < 1) throw new CommandError(`error: invalid literal source ${text}, expected key=value`);
    data[text.slice(0, equals)] = text.slice(equals + 1);
  }
  return data;
}

/** `kubectl expose deployment NAME --port N`: a service before the pods of a workload. */
export async function expose(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl expose', args, [
    ...COMMON,
    { name: '--port', value: true },
    { name: '--target-port', value: true },
    { name: '--name', value: true },
    { name: '--cluster-ip', value: true },
  ]);
  const [word = '', given] = options.words;
  const [kind = '', inline] = word.split('/');
  const name = inline ?? given;
  const port = Number(options.get('--port'));
  if (name === undefined || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new CommandError(
      'error: kubectl expose: allowed: kubectl expose deployment NAME --port=1-65535 ' +
        '[--target-port=N] [--name=SERVICE] [--cluster-ip=None]',
    );
  const resource = kindNamed(kind);
  const object = io.lab.api.get(resource.kind, namespaceOf(options), name);
  if (!object) throw new CommandError(`Error from server (NotFound): ${resource.plural} "${name}" not found`);
  const spec = object.raw['spec'] as RawObject | undefined;
  const selector =
    resource.kind === 'Pod'
      ? (object.raw['metadata'] as RawObject)['labels']
      : ((spec?.['selector'] as RawObject | undefined)?.['matchLabels'] ?? spec?.['selector']);
  if (selector === undefined)
    throw new CommandError(
      `error: cannot expose a ${resource.kind} without labels, allowed: deployments, daemonsets, pods, services`,
    );
  const ip = options.get('--cluster-ip');
  await make(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: options.get('--name') ?? name, namespace: namespaceOf(options) },
      spec: {
        ...(ip !== undefined && { clusterIP: ip }),
        ports: [{ port, protocol: 'TCP', targetPort: Number(options.get('--target-port') ?? port) }],
        selector,
      },
    },
    'kubectl expose',
    options,
    io,
    'exposed',
  );
  return 0;
}

/** Creates an object, or prints what would be created. Throws where there is one of the name. */
export async function make(
  raw: RawObject,
  place: string,
  options: Options,
  io: CommandIo,
  done = 'created',
): Promise<void> {
  const [dry, output] = [options.get('--dry-run'), options.get('--output')];
  if (dry !== undefined && !['client', 'server', 'none'].includes(dry))
    throw new CommandError(`error: --dry-run: got "${dry}", allowed: client, server, none`);
  if (output !== undefined && output !== 'yaml')
    throw new CommandError(`error: --output: got "${output}", allowed: yaml`);
  const resource = kindNamed(textAt(raw, 'kind'));
  const shown = shownAs(resource, nameIn(raw));
  const planned = dry === 'client' || dry === 'server';
  if (!planned) {
    if (io.lab.api.get(resource.kind, resource.namespaced ? namespaceIn(raw) || 'default' : '', nameIn(raw)))
      throw new CommandError(
        'Error from server (AlreadyExists): ' +
          `${resource.plural}${resource.group === '' ? '' : `.${resource.group}`} "${nameIn(raw)}" ` +
          'already exists',
      );
    await io.lab.apply([{ kind: resource.kind, raw, place }]);
  }
  io.write(output === 'yaml' ? yamlOf(raw) : `${shown} ${done}${planned ? ' (dry run)' : ''}\n`);
}
