import type { VerbHandler } from './verb.js';
import { apiResources, config } from './config.js';
import { wait } from './wait.js';
import { LabelSelector } from '../../../kube/objects/label-selector.js';
import { parseManifest } from '../../../kube/manifests/parse.js';
import type { ManifestObject } from '../../../kube/manifests/parse.js';
import { objectAt, textAt } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import type { ApiObject } from '../../cluster/cluster-api.js';
import { labelsOf } from '../../cluster/cluster-api.js';
import { CommandError } from '../../session/command.js';
import type { LabCommand, CommandIo } from '../../session/command.js';
import { OptionHelp, parseOptions } from '../../session/options.js';
import type { OptionSpec, Options } from '../../session/options.js';
import { meant } from '../missing.js';
import { whole } from '../text/input.js';
import { describe } from './describe/index.js';
import { get } from './get.js';
import { kindNamed, namespaceOf, shownAs } from '../target/kinds.js';
import { create, expose, manifestText } from './create.js';
import { debug, run as runPod } from './one-shot.js';
import { portForward } from './port-forward.js';
import { rollout, set, targets } from './rollout.js';
import { apiVersions, auth, copy, diff, refused } from './small-verbs.js';
import { cordon, drain, uncordon } from './upkeep.js';
import { changeable, edit, marker, patch } from './edit.js';
import { exec } from './exec.js';
import { logs } from './logs.js';
import { emptyNamespace, isLasting } from './namespaces.js';
import { NODE_INFO } from './objects.js';
import { found } from '../target/targets.js';

const NAMESPACE: OptionSpec = { name: '--namespace', short: '-n', value: true };
const SELECTOR: OptionSpec = { name: '--selector', short: '-l', value: true };

const shown = (object: Pick<ApiObject, 'kind' | 'name'>): string => shownAs(kindNamed(object.kind), object.name);

const apply: VerbHandler = async (args, io) => {
  const options = parseOptions('kubectl apply', args, [NAMESPACE, { name: '--filename', short: '-f', value: true }]);
  const files = options.all('--filename');
  if (files.length === 0 || options.words.length > 0) throw new CommandError('error: must specify -f FILE');
  for (const file of files) {
    const manifests = [...parseManifest(file === '-' ? 'stdin' : file, await manifestText(file, io))].map((manifest) =>
      inNamespace(manifest, options),
    );
    for (const { object, applied } of await io.lab.apply(manifests)) io.write(`${shown(object)} ${applied}\n`);
  }
  return 0;
};

/** An object without a namespace goes to the one of the command line. */
function inNamespace(manifest: ManifestObject, options: Options): ManifestObject {
  const metadata = objectAt(manifest.raw, 'metadata');
  if (!options.has('--namespace') || textAt(metadata, 'namespace') !== '') return manifest;
  return {
    ...manifest,
    raw: { ...(manifest.raw as RawObject), metadata: { ...metadata, namespace: options.get('--namespace') } },
  };
}

const replace: VerbHandler = async (args, io) => {
  const options = parseOptions('kubectl replace', args, [
    NAMESPACE,
    { name: '--filename', short: '-f', value: true },
    { name: '--force' },
  ]);
  const files = options.all('--filename');
  if (files.length === 0 || options.words.length > 0) throw new CommandError('error: must specify -f FILE');
  for (const file of files) {
    for (const manifest of [...parseManifest(file === '-' ? 'stdin' : file, await manifestText(file, io))].map((one) =>
      inNamespace(one, options),
    )) {
      const metadata = objectAt(manifest.raw, 'metadata');
      const object = changeable(
        kindNamed(manifest.kind),
        textAt(metadata, 'namespace') || 'default',
        textAt(metadata, 'name'),
        io,
      );
      if (options.has('--force'))
        await io.lab.remove(
          manifest.kind,
          textAt(objectAt(object, 'metadata'), 'namespace'),
          textAt(metadata, 'name'),
          true,
        );
      await io.lab.apply([manifest]);
      io.write(`${shownAs(kindNamed(manifest.kind), textAt(metadata, 'name'))} replaced\n`);
    }
  }
  return 0;
};

const remove: VerbHandler = async (args, io) => {
  const options = parseOptions('kubectl delete', args, [
    NAMESPACE,
    SELECTOR,
    { name: '--filename', short: '-f', value: true },
    { name: '--force' },
    { name: '--grace-period', value: true },
    { name: '--all' },
  ]);
  const namespace = namespaceOf(options);
  const force = options.has('--force') || options.get('--grace-period') === '0';
  const drop = async (object: ApiObject): Promise<void> => {
    if (object.kind === 'Namespace') await empty(object.name, io);
    await io.lab.remove(object.kind, object.namespace, object.name, force);
    io.write(
      `${shown(object).replace(/\//, ' "')}" deleted${object.namespace === '' ? '' : ` from ${object.namespace} namespace`}\n`,
    );
  };
  if (options.has('--filename')) {
    for (const file of options.all('--filename')) {
      for (const { kind, raw } of [...parseManifest(file === '-' ? 'stdin' : file, await manifestText(file, io))]) {
        const metadata = objectAt(raw, 'metadata');
        await drop(found(io, kindNamed(kind), textAt(metadata, 'namespace') || namespace, textAt(metadata, 'name')));
      }
    }
    return 0;
  }
  if (/^(ciliumnodes?|cn)(\.|$)/.test(options.words[0] ?? '')) return deleteCiliumNodes(options.words.slice(1), io);
  if (options.has('--selector') || options.has('--all')) {
    const selector = LabelSelector.parse(options.get('--selector') ?? '');
    const resource = kindNamed(options.words[0] ?? '');
    const meant = io.lab.api
      .list(resource.kind, resource.namespaced ? namespace : undefined)
      .filter((object) => selector.matches(labelsOf(object.raw)));
    if (meant.length === 0) io.error('No resources found\n');
    for (const { name } of meant) changeable(resource, namespace, name, io);
    await Promise.all(meant.map(drop));
    return 0;
  }
  for (const { resource, name } of targets(options.words, 'kubectl delete')) {
    changeable(resource, namespace, name, io);
    await drop(found(io, resource, namespace, name));
  }
  return 0;
};

/** A namespace goes with all that is in it. Throws a CommandError for those that a cluster cannot do without. */
async function empty(namespace: string, { lab }: CommandIo): Promise<void> {
  if (isLasting(namespace))
    throw new CommandError(
      `Error from server (Forbidden): namespaces "${namespace}" is forbidden: this namespace may not be deleted`,
    );
  await emptyNamespace(namespace, lab);
}

function deleteCiliumNodes(names: readonly string[], io: CommandIo): number {
  if (names.length === 0) throw new CommandError('error: resource(s) were provided, but no name was specified');
  for (const name of names) {
    if (!io.lab.world.cluster.nodes.get(name)?.ciliumNode)
      throw new CommandError(`Error from server (NotFound): ciliumnodes.cilium.io "${name}" not found`);
    io.lab.world.deleteCiliumNode(name);
    io.write(`ciliumnode.cilium.io "${name}" deleted\n`);
  }
  return 0;
}

const scale: VerbHandler = async (args, io) => {
  const options = parseOptions('kubectl scale', args, [NAMESPACE, { name: '--replicas', value: true }]);
  const replicas = whole('kubectl scale: --replicas', options.get('--replicas') ?? '', 0, 50);
  for (const { resource, name } of targets(options.words, 'kubectl scale')) {
    if (resource.kind !== 'Deployment')
      throw new CommandError(`error: cannot scale a ${resource.kind}, allowed: deployments`);
    const object = found(io, resource, namespaceOf(options), name);
    await io.lab.update({ ...object, raw: { ...object.raw, spec: { ...objectAt(object.raw, 'spec'), replicas } } });
    io.write(`${shown(object)} scaled\n`);
  }
  return 0;
};

const clusterInfo: VerbHandler = (args, io) => {
  const { nodes, cluster, ipam } = io.lab.topology;
  if (args[0] === 'dump') {
    // Of the many things that the real one dumps, the two that people look for.
    io.write(`                            "--service-cluster-ip-range=${cluster.serviceCidr}",\n`);
    const blocks = nodes.map(({ podCidr }) => podCidr).filter((block) => block !== undefined);
    const [first = ''] = blocks;
    const cidr = first.startsWith('10.244.') ? '10.244.0.0/16' : (ipam.clusterPoolCidrs?.[0] ?? first);
    io.write(`                            "--cluster-cidr=${ipam.clusterCidr ?? cidr}",\n`);
    return 0;
  }
  if (args.length > 0) throw new CommandError(`error: kubectl cluster-info: got "${args.join(' ')}", allowed: dump`);
  const master = nodes.find((node) => node.apiServer === true) ?? nodes[0]!;
  const url = `https://${io.lab.world.node(master.name).internalIp}:6443`;
  io.write(
    `Kubernetes control plane is running at ${url}\nCoreDNS is running at ` +
      `${url}/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy\n`,
  );
  return 0;
};

const version: VerbHandler = (_args, io) => {
  io.write(
    `Client Version: ${NODE_INFO.kubeletVersion}\nKustomize Version: v5.6.0\nServer Version: ${NODE_INFO.kubeletVersion}\n`,
  );
  return 0;
};

const VERBS: Readonly<Record<string, VerbHandler>> = {
  get,
  describe,
  apply,
  delete: remove,
  edit,
  patch,
  replace,
  label: marker('label'),
  annotate: marker('annotate'),
  create,
  run: runPod,
  debug,
  expose,
  scale,
  rollout,
  set,
  diff,
  cp: copy,
  'port-forward': portForward,
  cordon,
  uncordon,
  drain,
  auth,
  'api-versions': apiVersions,
  ...refused,
  logs,
  exec,
  wait,
  config,
  'api-resources': apiResources,
  'cluster-info': clusterInfo,
  version,
};

/** Verbs that mean no namespace. */
const NO_NAMESPACE: readonly string[] = [
  'config',
  'version',
  'cluster-info',
  'api-resources',
  'api-versions',
  ...Object.keys(refused),
];

/** Verbs that ask the API nothing. */
const WITHOUT_API: readonly string[] = ['config', ...Object.keys(refused)];

/** Whether a command says which namespace it means, or means none. */
const namesNamespace = (args: readonly string[], verb: string, { session }: CommandIo): boolean =>
  session.namespace === 'default' ||
  NO_NAMESPACE.includes(verb) ||
  args.some((arg) => /^(-n|--namespace|-A$|--all-namespaces$)/.test(arg));

export const KUBECTL_VERBS: readonly string[] = Object.keys(VERBS);

export const kubectl: LabCommand = {
  name: 'kubectl',
  usage: `${Object.keys(VERBS).join(' | ')} ...`,
  help: "The objects of the cluster, its pods' logs, and programs in its pods.",
  async run(args, io) {
    // Options may stand before the verb.
    const at = args.findIndex((arg, i) => !arg.startsWith('-') && !['-n', '--namespace'].includes(args[i - 1] ?? ''));
    const [verb = ''] = at < 0 ? [] : [args[at]!];
    const run = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    if (at < 0) {
      io.write(`kubectl controls the lab's cluster. There are:\n  ${Object.keys(VERBS).join(', ')}\n`);
      return 0;
    }
    if (!run)
      throw new CommandError(
        `error: unknown command "${verb}" for "kubectl"${meant(verb, Object.keys(VERBS))}, allowed: ${Object.keys(VERBS).join(', ')}`,
      );
    if (io.lab.api.away && !WITHOUT_API.includes(verb))
      throw new CommandError(
        `The connection to the server ${io.lab.apiAddress} was refused - did you specify the right host or port?`,
      );
    const [named, after] = [args.slice(0, at), args.slice(at + 1)];
    const dashes = after.indexOf('--');
    const before = namesNamespace([...named, ...(dashes < 0 ? after : after.slice(0, dashes))], verb, io)
      ? named
      : [...named, '-n', io.session.namespace];
    try {
      return await run(
        verb === 'rollout' ? [...after.slice(0, 1), ...before, ...after.slice(1)] : [...before, ...after],
        io,
      );
    } catch (error) {
      if (!(error instanceof OptionHelp)) throw error;
      io.write(`${error.message}\n`);
      return 0;
    }
  },
};
