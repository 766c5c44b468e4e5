import { objectAt, textAt, textMapAt } from '../../../kube/objects/raw.js';
import { KUBECTL_KINDS } from '../../../observe/kubectl/kinds.js';
import type { KubectlFacts, KubectlKind, KubectlRow } from '../../../observe/kubectl/kind.js';
import { humanDuration } from '../../../observe/kubectl/human-duration.js';
import type { ApiObject } from '../../cluster/cluster-api.js';
import { containersOf, labelsOf } from '../../cluster/cluster-api.js';
import { ALL_RESOURCES } from '../../cluster/resources.js';
import { statusWord } from '../../pods/pod-status.js';
import { replicasOf } from '../../pods/generations.js';
import { isCordoned } from '../../pods/scheduler.js';
import type { Lab } from '../../lab.js';
import { dataOf } from '../../pods/pod-files.js';
import { shownAs, withGroup } from '../target/kinds.js';
import { eventKind } from './events.js';
import { nameIn, namespaceIn, timeOf } from './metadata.js';
import { objectsOf } from './objects.js';
import { readyOf, staying, updatedOf } from './workload-objects.js';

interface ObjectTable {
  readonly columns: readonly string[];
  readonly wideColumns?: readonly string[];
  readonly cells: (object: ApiObject, lab: Lab) => readonly string[];
  readonly wide?: (object: ApiObject) => readonly string[];
}

const age = (lab: Lab, object: ApiObject): string => humanDuration(lab.clock.now() - object.created);

/** Containers, images and selector of a workload. */
function workloadWide({ raw }: ApiObject): readonly string[] {
  const containers = containersOf(objectAt(raw, 'spec')['template']);
  return [
    containers.map((one) => textAt(one, 'name')).join(','),
    containers.map((one) => textAt(one, 'image')).join(','),
    selectorText(raw),
  ];
}

/** The labels that a workload's selector asks for: `app=webpod`. */
export const selectorText = (raw: unknown): string =>
  equals(textMapAt(objectAt(objectAt(raw, 'spec'), 'selector'), 'matchLabels'));

const equals = (labels: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',') || '<none>';

const numberIn = (raw: unknown, part: string, member: string): string => String(Number(objectAt(raw, part)[member]));

const WORKLOAD_COLUMNS = ['CONTAINERS', 'IMAGES', 'SELECTOR'];
const PLAIN: ObjectTable = { columns: ['NAME', 'AGE'], cells: (object, lab) => [age(lab, object)] };

/** Kinds that only the API knows; those that the model knows have tables of their own. */
const TABLES: Readonly<Record<string, ObjectTable>> = {
  Deployment: {
    columns: ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE'],
    wideColumns: WORKLOAD_COLUMNS,
    wide: workloadWide,
    cells: (object, lab) => [
      `${readyOf(object, lab)}/${replicasOf(object)}`,
      String(updatedOf(object, lab)),
      String(readyOf(object, lab)),
      age(lab, object),
    ],
  },
  DaemonSet: {
    columns: ['NAME', 'DESIRED', 'CURRENT', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'NODE SELECTOR', 'AGE'],
    wideColumns: WORKLOAD_COLUMNS,
    wide: workloadWide,
    cells: (object, lab) => {
      const pods = String(staying(object, lab).length);
      const wanted = String(lab.workloads.nodesOf(object).length);
      const ready = String(readyOf(object, lab));
      return [
        wanted,
        pods,
        ready,
        String(updatedOf(object, lab)),
        ready,
        equals(textMapAt(objectAt(objectAt(objectAt(object.raw, 'spec'), 'template'), 'spec'), 'nodeSelector')),
        age(lab, object),
      ];
    },
  },
  ReplicaSet: {
    columns: ['NAME', 'DESIRED', 'CURRENT', 'READY', 'AGE'],
    wideColumns: WORKLOAD_COLUMNS,
    wide: workloadWide,
    cells: (object, lab) => [
      numberIn(object.raw, 'spec', 'replicas'),
      numberIn(object.raw, 'status', 'replicas'),
      numberIn(object.raw, 'status', 'readyReplicas'),
      age(lab, object),
    ],
  },
  ConfigMap: {
    columns: ['NAME', 'DATA', 'AGE'],
    cells: (object, lab) => [String(Object.keys(dataOf(object.raw)).length), age(lab, object)],
  },
  ServiceAccount: { columns: ['NAME', 'SECRETS', 'AGE'], cells: (object, lab) => ['0', age(lab, object)] },
  CustomResourceDefinition: {
    columns: ['NAME', 'CREATED AT'],
    cells: ({ created }) => [timeOf(created)],
  },
  Namespace: { columns: ['NAME', 'STATUS', 'AGE'], cells: (object, lab) => ['Active', age(lab, object)] },
};

function kindOf(kind: string, lab: Lab): KubectlKind {
  const resource = ALL_RESOURCES.find((one) => one.kind === kind)!;
  const { columns, wideColumns = [], cells, wide } = TABLES[kind] ?? PLAIN;
  return {
    resource: withGroup(resource),
    singular: shownAs(resource, '').slice(0, -1),
    names: [resource.plural],
    namespaced: resource.namespaced,
    columns,
    wideColumns,
    rows: () =>
      apiObjects(kind, lab).map((object): KubectlRow => ({
        namespace: object.namespace,
        name: object.name,
        labels: labelsOf(object.raw),
        cells: [object.name, ...cells(object, lab)],
        wide: wide?.(object) ?? [],
      })),
  };
}

/** Objects that were applied, and those that the model makes. */
const apiObjects = (kind: string, lab: Lab): ApiObject[] =>
  objectsOf(kind, lab).map((raw) => {
    const [namespace, name] = [namespaceIn(raw), nameIn(raw)];
    return { kind, namespace, name, raw, created: Date.parse(textAt(objectAt(raw, 'metadata'), 'creationTimestamp')) };
  });

/** Everything that can be listed in a lab; slices under the names that the endpoint controller gives them. */
export function tablesOf(lab: Lab): readonly KubectlKind[] {
  const modelled = KUBECTL_KINDS.map((kind): KubectlKind =>
    kind.names.includes('endpointslice')
      ? {
          ...kind,
          names: [...kind.names, kind.singular, kind.resource],
          rows: (world, facts) => sliceRows(kind, lab, world, facts),
        }
      : kind,
  );
  const known = new Set(modelled.flatMap(({ names }) => names));
  return [
    ...modelled,
    ...ALL_RESOURCES.filter(({ plural }) => !known.has(plural)).map((resource) =>
      resource.kind === 'Event' ? eventKind(lab, [resource.plural]) : kindOf(resource.kind, lab),
    ),
  ];
}

function sliceRows(kind: KubectlKind, lab: Lab, ...of: Parameters<KubectlKind['rows']>): KubectlRow[] {
  const drawn = kind.rows(...of);
  return objectsOf('EndpointSlice', lab).flatMap((object) => {
    const service = labelsOf(object)['kubernetes.io/service-name'];
    const row = drawn.find(
      (one) => one.namespace === namespaceIn(object) && one.labels['kubernetes.io/service-name'] === service,
    );
    return row
      ? [{ ...row, name: nameIn(object), labels: labelsOf(object), cells: [nameIn(object), ...row.cells.slice(1)] }]
      : [];
  });
}

const AGED = {
  node: 'Node',
  ciliumnode: 'Node',
  pod: 'Pod',
  service: 'Service',
  policy: 'CiliumLocalRedirectPolicy',
} as const;

/** What the model's lists show beside the model. */
export const factsOf = (lab: Lab): KubectlFacts => ({
  ages: {
    of: (kind, namespace, name) =>
      lab.clock.now() - (lab.api.get(AGED[kind], namespace, name)?.created ?? lab.clock.now()),
  },
  policies: lab.api.list('CiliumLocalRedirectPolicy'),
  cordoned: (node) => isCordoned(lab.api.get('Node', '', node)),
  labels: (kind, namespace, name) => labelsOf(lab.api.get(kind === 'node' ? 'Node' : 'Service', namespace, name)?.raw),
  selector: (namespace, name) => {
    const labels = textMapAt(objectAt(lab.api.get('Service', namespace, name)?.raw, 'spec'), 'selector');
    return labels && equals(labels);
  },
  containers: ({ spec: { namespace, name }, ready }) => {
    const pod = lab.kubelet.get(namespace, name);
    const status = pod ? statusWord(pod) : 'Pending';
    return {
      ready: ready && status === 'Running' ? 1 : 0,
      of: 1,
      restarts: pod?.restarts ?? 0,
      ...(pod?.ended && { ended: lab.clock.now() - pod.ended.at }),
      status,
    };
  },
});
