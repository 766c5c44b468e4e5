import { LabelSelector } from '../../kube/label-selector.js';
import { objectAt } from '../../kube/raw.js';
import { loadYaml } from '../../kube/yaml.js';
import { humanDuration } from '../../observe/human-duration.js';
import { kubectlGet } from '../../observe/kubectl.js';
import { KUBECTL_KINDS } from '../../observe/kubectl-kinds.js';
import type { KubectlFacts } from '../../observe/kubectl-kinds.js';
import { KUBECTL_TABLE, layOut } from '../../observe/table.js';
import type { ApiObject } from '../cluster/cluster-api.js';
import { labelsOf } from '../cluster/cluster-api.js';
import { replicasOf } from '../cluster/workloads.js';
import type { Lab } from '../lab.js';
import { CommandError } from '../session/command.js';
import type { CommandIo } from '../session/command.js';
import { parseOptions } from '../session/options.js';
import { dataOf } from '../pods/pod-files.js';
import { kindNamed } from './kinds.js';

interface Table {
  readonly columns: readonly string[];
  readonly row: (object: ApiObject, lab: Lab) => readonly string[];
}

const age = (lab: Lab, object: ApiObject): string => humanDuration(lab.clock.now() - object.created);
const readyPods = (workload: ApiObject, lab: Lab): number => lab.workloads.podsOf(workload).filter((pod) => lab.kubelet.get(pod.namespace, pod.name)?.state === 'Running').length;

/** Kinds that only the API knows; those that the model knows have tables of their own. */
const TABLES: Readonly<Record<string, Table>> = {
  Deployment: {
    columns: ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE'],
    row: (object, lab) => [object.name, `${readyPods(object, lab)}/${replicasOf(object)}`, String(replicasOf(object)), String(readyPods(object, lab)), age(lab, object)],
  },
  DaemonSet: {
    columns: ['NAME', 'DESIRED', 'CURRENT', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'NODE SELECTOR', 'AGE'],
    row: (object, lab) => {
      const pods = String(lab.workloads.podsOf(object).length);
      const ready = String(readyPods(object, lab));
      return [object.name, pods, pods, ready, pods, ready, '<none>', age(lab, object)];
    },
  },
  ConfigMap: { columns: ['NAME', 'DATA', 'AGE'], row: (object, lab) => [object.name, String(Object.keys(dataOf(object.raw)).length), age(lab, object)] },
  Namespace: { columns: ['NAME', 'STATUS', 'AGE'], row: (object, lab) => [object.name, 'Active', age(lab, object)] },
};
const PLAIN: Table = { columns: ['NAME', 'AGE'], row: (object, lab) => [object.name, age(lab, object)] };

const AGED = { node: 'Node', ciliumnode: 'Node', pod: 'Pod', service: 'Service', policy: 'CiliumLocalRedirectPolicy' } as const;

/** What the model's lists show beside the model. */
const factsOf = (lab: Lab): KubectlFacts => ({
  ages: { of: (kind, namespace, name) => lab.clock.now() - (lab.api.get(AGED[kind], namespace, name)?.created ?? lab.clock.now()) },
  policies: lab.api.list('CiliumLocalRedirectPolicy'),
  selector: (namespace, name) => Object.entries(objectAt(objectAt(lab.api.get('Service', namespace, name)?.raw, 'spec'), 'selector')).map(([key, value]) => `${key}=${String(value)}`).join(',') || undefined,
  containers: ({ spec: { namespace, name }, ready }) => {
    const pod = lab.kubelet.get(namespace, name);
    const status = pod?.state === 'Crashed' ? 'CrashLoopBackOff' : (pod?.state ?? 'Pending');
    return { ready: ready && status === 'Running' ? 1 : 0, of: 1, restarts: pod?.restarts ?? 0, status };
  },
});

/** `kubectl get`. Throws a CommandError or OptionError. */
export function get(args: readonly string[], io: CommandIo): number {
  const options = parseOptions('kubectl get', args, [
    { name: '--namespace', short: '-n', value: true }, { name: '--all-namespaces', short: '-A' }, { name: '--selector', short: '-l', value: true }, { name: '--output', short: '-o', value: true }, { name: '--no-headers' },
  ]);
  const [words, ...names] = options.words;
  if (words === undefined) throw new CommandError('error: You must specify the type of resource to get: pods, svc, ep, nodes, ...');
  const [kinds = '', inline] = words.split('/', 2);
  const output = options.get('--output') ?? '';
  if (!['', 'wide', 'yaml', 'json', 'name'].includes(output)) throw new CommandError(`error: unable to match a printer suitable for the output format "${output}", allowed formats are: json, name, wide, yaml`);
  const modelled = kinds.toLowerCase().split(',').every((kind) => KUBECTL_KINDS.some((known) => known.names.includes(kind)));
  if (modelled && (output === '' || output === 'wide')) {
    const { lines, errors, exitCode } = kubectlGet(args, io.lab.world, factsOf(io.lab));
    for (const line of [...errors, ...lines]) io.write(`${line}\n`);
    return exitCode;
  }
  const namespace = options.has('--all-namespaces') ? undefined : (options.get('--namespace') ?? 'default');
  const selector = LabelSelector.parse(options.get('--selector') ?? '');
  for (const [i, kind] of kinds.split(',').entries()) {
    if (i > 0) io.write('\n');
    list(kind, inline === undefined ? names : [inline], { namespace, output, headers: !options.has('--no-headers'), selector }, io);
  }
  return 0;
}

interface Wanted {
  /** undefined for all. */
  readonly namespace: string | undefined;
  readonly output: string;
  readonly headers: boolean;
  readonly selector: LabelSelector;
}

function list(kind: string, names: readonly string[], { namespace, output, headers, selector }: Wanted, io: CommandIo): void {
  const resource = kindNamed(kind);
  const objects = io.lab.api.list(resource.kind, resource.namespaced ? namespace : undefined).filter((object) => (names.length === 0 || names.includes(object.name)) && selector.matches(labelsOf(object.raw)));
  const missing = names.find((name) => !objects.some((object) => object.name === name));
  if (missing !== undefined) throw new CommandError(`Error from server (NotFound): ${resource.plural}${resource.group === '' ? '' : `.${resource.group}`} "${missing}" not found`);
  if (objects.length === 0) return io.write(namespace === undefined || !resource.namespaced ? 'No resources found\n' : `No resources found in ${namespace} namespace.\n`);
  const whole = objects.length === 1 ? objects[0]!.raw : { apiVersion: 'v1', kind: 'List', items: objects.map((object) => object.raw) };
  if (output === 'name') return objects.forEach(({ name }) => io.write(`${resource.kind.toLowerCase()}/${name}\n`));
  if (output === 'yaml') return io.write(loadYaml().stringify(whole));
  if (output === 'json') return io.write(`${JSON.stringify(whole, undefined, 4)}\n`);
  const table = TABLES[resource.kind] ?? PLAIN;
  const spaces = resource.namespaced && namespace === undefined;
  const rows = [[...(spaces ? ['NAMESPACE'] : []), ...table.columns], ...objects.map((object) => [...(spaces ? [object.namespace] : []), ...table.row(object, io.lab)])];
  layOut(headers ? rows : rows.slice(1), KUBECTL_TABLE).forEach((line) => io.write(`${line}\n`));
}
