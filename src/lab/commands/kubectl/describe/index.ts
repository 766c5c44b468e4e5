import { LabelSelector } from '../../../../kube/objects/label-selector.js';
import type { RawObject } from '../../../../kube/objects/raw.js';
import { labelsOf } from '../../../cluster/cluster-api.js';
import type { Lab } from '../../../lab.js';
import { CommandError } from '../../../session/command.js';
import type { CommandIo } from '../../../session/command.js';
import { parseOptions } from '../../../session/options.js';
import { kindNamed, namespaceOf, withGroup } from '../../target/kinds.js';
import { nameIn, namespaceIn } from '../metadata.js';
import { objectsOf } from '../objects.js';
import { describeAny, describeConfigMap, describeNamespace } from './any.js';
import { describeNode } from './node.js';
import { describePod } from './pod.js';
import { describeEndpoints, describeService, describeSlice } from './service.js';
import { describeDaemonSet, describeDeployment } from './workload.js';

const DESCRIBERS: Readonly<Record<string, (object: RawObject, lab: Lab) => string>> = {
  Pod: describePod,
  ConfigMap: describeConfigMap,
  Namespace: describeNamespace,
  EndpointSlice: describeSlice,
  Endpoints: describeEndpoints,
  Deployment: describeDeployment,
  DaemonSet: describeDaemonSet,
  Service: (object, lab) => describeService(object, objectsOf('EndpointSlice', lab)),
  Node: (object, lab) => describeNode(object, objectsOf('Pod', lab), lab),
};

/**
 * `kubectl describe KIND [NAME...]`: names may be cut short, as kubectl takes them. Throws a CommandError for what is
 * not there.
 */
export function describe(args: readonly string[], io: CommandIo): number {
  const options = parseOptions('kubectl describe', args, [
    { name: '--namespace', short: '-n', value: true },
    { name: '--all-namespaces', short: '-A' },
    { name: '--selector', short: '-l', value: true },
    { name: '--show-events' },
  ]);
  const [word, ...more] = options.words;
  if (word === undefined)
    throw new CommandError('error: You must specify the type of resource to describe: kubectl describe KIND [NAME]');
  const [kind = '', inline] = word.split('/');
  const resource = kindNamed(kind);
  if (resource.kind === 'ReplicaSet')
    throw new CommandError(
      'error: the lab has no ReplicaSets of its own to describe; allowed: kubectl describe deployment NAME',
    );
  const names = inline === undefined ? more : [inline, ...more];
  const namespace = resource.namespaced && !options.has('--all-namespaces') ? namespaceOf(options) : undefined;
  const selector = LabelSelector.parse(options.get('--selector') ?? '');
  const all = objectsOf(resource.kind, io.lab).filter(
    (object) => (namespace === undefined || namespaceIn(object) === namespace) && selector.matches(labelsOf(object)),
  );
  const meant =
    names.length === 0
      ? all
      : names.flatMap((name) => {
          const exact = all.filter((object) => nameIn(object) === name);
          const found = exact.length > 0 ? exact : all.filter((object) => nameIn(object).startsWith(name));
          if (found.length === 0)
            throw new CommandError(`Error from server (NotFound): ${withGroup(resource)} "${name}" not found`);
          return found;
        });
  if (meant.length === 0)
    throw new CommandError(
      namespace === undefined ? 'No resources found' : `No resources found in ${namespace} namespace.`,
      0,
    );
  const print = DESCRIBERS[resource.kind] ?? describeAny;
  io.write(meant.map((object) => print(object, io.lab)).join('\n\n'));
  return 0;
}
