import type { FieldChoice, KubeKind } from '../objects/objects.js';
import { fieldTable, type MessageField, type MessageFields } from './message.js';

// Numbers of fields are those of generated.proto in k8s.io/api (core/v1, discovery/v1) and k8s.io/apimachinery
// (meta/v1, runtime, util/intstr), Kubernetes 1.20 to 1.36. Only what is looked at stands here.

export const text = (name: string): MessageField => ({ name, type: 'text' });
export const texts = (name: string): MessageField => ({ name, type: 'texts' });
export const integer = (name: string): MessageField => ({ name, type: 'integer' });
export const flag = (name: string): MessageField => ({ name, type: 'flag' });
export const map = (name: string, keys?: ReadonlySet<string>): MessageField => ({
  name,
  type: 'map',
  ...(keys && { keys }),
});
export const message = (name: string, fields: Readonly<Record<number, MessageField | undefined>>): MessageField => ({
  name,
  type: 'message',
  fields: fieldTable(fields),
});
export const messages = (name: string, fields: Readonly<Record<number, MessageField | undefined>>): MessageField => ({
  name,
  type: 'messages',
  fields: fieldTable(fields),
});

/** `meta.v1.ListMeta` */
export const LIST_META = fieldTable({ 2: text('resourceVersion'), 3: text('continue') });

/** `meta.v1.Status` */
export const STATUS = fieldTable({
  2: text('status'),
  3: text('message'),
  4: text('reason'),
  5: message('details', {
    4: messages('causes', { 1: text('reason'), 2: text('message'), 3: text('field') }),
    5: integer('retryAfterSeconds'),
  }),
  6: integer('code'),
});

/** Annotations that say something here: the cause of a slice, and the end of the objects that a watch begins with. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  'endpoints.kubernetes.io/last-change-trigger-time',
  'k8s.io/initial-events-end',
]);
/** Labels by which slices belong to services. */
const SLICE_LABELS: ReadonlySet<string> = new Set([
  'kubernetes.io/service-name',
  'multicluster.kubernetes.io/service-name',
  'multicluster.kubernetes.io/source-cluster',
]);

/** `meta.v1.ObjectMeta` */
const metadata = (labels: MessageField | undefined): MessageField =>
  message('metadata', {
    1: text('name'),
    3: text('namespace'),
    6: text('resourceVersion'),
    9: { name: 'deletionTimestamp', type: 'time' },
    ...(labels && { 11: labels }),
    12: map('annotations', ANNOTATIONS),
  });

const servicePort = ({ selectors }: FieldChoice): MessageField =>
  messages('ports', {
    1: text('name'),
    2: text('protocol'),
    3: integer('port'),
    ...(selectors && { 4: { name: 'targetPort', type: 'integer-or-text' }, 5: integer('nodePort') }),
  });

const serviceSpec = (choice: FieldChoice): MessageField =>
  message('spec', {
    1: servicePort(choice),
    ...(choice.selectors && { 2: map('selector') }),
    3: text('clusterIP'),
    4: text('type'),
    5: texts('externalIPs'),
    10: text('externalName'),
    13: flag('publishNotReadyAddresses'),
    18: texts('clusterIPs'),
    19: texts('ipFamilies'),
  });

const SERVICE_STATUS = message('status', {
  1: message('loadBalancer', { 1: messages('ingress', { 1: text('ip'), 2: text('hostname') }) }),
});

const endpoint = ({ targets, topology }: FieldChoice): MessageField =>
  messages('endpoints', {
    1: texts('addresses'),
    2: message('conditions', { 1: flag('ready'), 2: flag('serving'), 3: flag('terminating') }),
    3: text('hostname'),
    ...(targets && { 4: message('targetRef', { 3: text('name') }) }),
    ...(topology && { 6: text('nodeName'), 7: text('zone') }),
  });

const podSpec = ({ containerPorts, podDns }: FieldChoice): MessageField =>
  message('spec', {
    ...(containerPorts && {
      2: messages('containers', {
        6: messages('ports', { 1: text('name'), 3: integer('containerPort'), 4: text('protocol') }),
      }),
    }),
    ...(podDns && {
      6: text('dnsPolicy'),
      26: message('dnsConfig', { 2: texts('searches'), 3: messages('options', { 1: text('name'), 2: text('value') }) }),
    }),
    10: text('nodeName'),
    11: flag('hostNetwork'),
    16: text('hostname'),
    17: text('subdomain'),
  });

const POD_STATUS = message('status', {
  1: text('phase'),
  2: messages('conditions', { 1: text('type'), 2: text('status') }),
  6: text('podIP'),
  12: messages('podIPs', { 1: text('ip') }),
});

const ENDPOINT_PORTS = messages('ports', { 1: text('name'), 2: text('protocol'), 3: integer('port') });

/** Of a service's `spec`, its ports alone. */
export const servicePortFields = (choice: FieldChoice): MessageFields => fieldTable({ 1: servicePort(choice) });
/** Of a slice, its ports alone. */
export const ENDPOINT_PORT_FIELDS = fieldTable({ 3: ENDPOINT_PORTS });

/**
 * The fields of an object of that kind that the choice needs; undefined for kinds that an API has in JSON only, as it
 * has all that are defined by a resource.
 */
export function objectFields(kind: KubeKind, choice: FieldChoice): MessageFields | undefined {
  const meta = metadata(choice.labels ? map('labels') : undefined);
  switch (kind) {
    case 'Service':
      return fieldTable({ 1: meta, 2: serviceSpec(choice), 3: SERVICE_STATUS });
    case 'EndpointSlice':
      return fieldTable({
        1: metadata(map('labels', choice.labels ? undefined : SLICE_LABELS)),
        2: endpoint(choice),
        3: ENDPOINT_PORTS,
        4: text('addressType'),
      });
    case 'Pod':
      return fieldTable({ 1: meta, 2: podSpec(choice), 3: POD_STATUS });
    case 'Namespace':
      return fieldTable({ 1: meta });
    case 'Node':
      return fieldTable({
        1: meta,
        2: message('spec', { 1: text('podCIDR'), 7: texts('podCIDRs') }),
        3: message('status', { 5: messages('addresses', { 1: text('type'), 2: text('address') }) }),
      });
    case 'ServiceImport':
      return undefined;
  }
}
