import { asObject } from '../objects/raw.js';
import type { RawObject } from '../objects/raw.js';
import { openEnvelope, type TypeMeta } from './envelope.js';
import { fieldTable, readMessage, type MessageField, type MessageFields } from './message.js';
import { flag, integer, map, message, messages, text, texts } from './tables.js';

// Objects as clients write them. Numbers of fields are those of generated.proto in k8s.io/api (core/v1, apps/v1,
// rbac/v1, policy/v1) and k8s.io/apimachinery (meta/v1), Kubernetes 1.20 to 1.36. What nothing here looks at is left
// out: resources, security contexts, affinity.

/** The name of a message whose members JSON has in the object around it. */
const INLINE = '';
const number = (name: string): MessageField => ({ name, type: 'integer-or-text' });

const META = message('metadata', {
  1: text('name'),
  2: text('generateName'),
  3: text('namespace'),
  5: text('uid'),
  6: text('resourceVersion'),
  11: map('labels'),
  12: map('annotations'),
});
const SELECTOR = message('selector', {
  1: map('matchLabels'),
  2: messages('matchExpressions', { 1: text('key'), 2: text('operator'), 3: texts('values') }),
});
const probe = (name: string): MessageField =>
  message(name, {
    1: message(INLINE, {
      1: message('exec', { 1: texts('command') }),
      2: message('httpGet', { 1: text('path'), 2: number('port'), 3: text('host'), 4: text('scheme') }),
      3: message('tcpSocket', { 1: number('port'), 2: text('host') }),
      4: message('grpc', { 1: integer('port'), 2: text('service') }),
    }),
    2: integer('initialDelaySeconds'),
    3: integer('timeoutSeconds'),
    4: integer('periodSeconds'),
    5: integer('successThreshold'),
    6: integer('failureThreshold'),
  });
const CONTAINERS = messages('containers', {
  1: text('name'),
  2: text('image'),
  3: texts('command'),
  4: texts('args'),
  6: messages('ports', { 1: text('name'), 2: integer('hostPort'), 3: integer('containerPort'), 4: text('protocol') }),
  7: messages('env', {
    1: text('name'),
    2: text('value'),
    3: message('valueFrom', { 1: message('fieldRef', { 1: text('apiVersion'), 2: text('fieldPath') }) }),
  }),
  9: messages('volumeMounts', { 1: text('name'), 2: flag('readOnly'), 3: text('mountPath'), 4: text('subPath') }),
  10: probe('livenessProbe'),
  11: probe('readinessProbe'),
  14: text('imagePullPolicy'),
  16: flag('stdin'),
  18: flag('tty'),
  22: probe('startupProbe'),
});
const VOLUMES = messages('volumes', {
  1: text('name'),
  2: message(INLINE, {
    1: message('hostPath', { 1: text('path'), 2: text('type') }),
    2: message('emptyDir', { 1: text('medium') }),
    6: message('secret', { 1: text('secretName') }),
    19: message('configMap', {
      1: message(INLINE, { 1: text('name') }),
      2: messages('items', { 1: text('key'), 2: text('path') }),
      4: flag('optional'),
    }),
  }),
});
const POD_SPEC = message('spec', {
  1: VOLUMES,
  2: CONTAINERS,
  3: text('restartPolicy'),
  6: text('dnsPolicy'),
  7: map('nodeSelector'),
  8: text('serviceAccountName'),
  10: text('nodeName'),
  11: flag('hostNetwork'),
  16: text('hostname'),
  17: text('subdomain'),
  22: messages('tolerations', { 1: text('key'), 2: text('operator'), 3: text('value'), 4: text('effect') }),
  24: text('priorityClassName'),
  26: message('dnsConfig', {
    1: texts('nameservers'),
    2: texts('searches'),
    3: messages('options', { 1: text('name'), 2: text('value') }),
  }),
});
const TEMPLATE = message('template', { 1: META, 2: POD_SPEC });
const strategy = (name: string): MessageField =>
  message(name, {
    1: text('type'),
    2: message('rollingUpdate', { 1: number('maxUnavailable'), 2: number('maxSurge') }),
  });
const DELETE_OPTIONS: Readonly<Record<number, MessageField>> = {
  1: integer('gracePeriodSeconds'),
  2: message('preconditions', { 1: text('uid'), 2: text('resourceVersion') }),
  3: flag('orphanDependents'),
  4: text('propagationPolicy'),
  5: texts('dryRun'),
};

const KINDS: Readonly<Record<string, MessageFields>> = {
  ClusterRole: fieldTable({
    1: META,
    2: messages('rules', {
      1: texts('verbs'),
      2: texts('apiGroups'),
      3: texts('resources'),
      4: texts('resourceNames'),
      5: texts('nonResourceURLs'),
    }),
  }),
  ClusterRoleBinding: fieldTable({
    1: META,
    2: messages('subjects', { 1: text('kind'), 2: text('apiGroup'), 3: text('name'), 4: text('namespace') }),
    3: message('roleRef', { 1: text('apiGroup'), 2: text('kind'), 3: text('name') }),
  }),
  ConfigMap: fieldTable({ 1: META, 2: map('data'), 4: flag('immutable') }),
  DaemonSet: fieldTable({
    1: META,
    2: message('spec', { 1: SELECTOR, 2: TEMPLATE, 3: strategy('updateStrategy') }),
  }),
  DeleteOptions: fieldTable(DELETE_OPTIONS),
  Deployment: fieldTable({
    1: META,
    2: message('spec', {
      1: integer('replicas'),
      2: SELECTOR,
      3: TEMPLATE,
      4: strategy('strategy'),
      7: flag('paused'),
      9: integer('progressDeadlineSeconds'),
    }),
  }),
  Eviction: fieldTable({ 1: META, 2: message('deleteOptions', DELETE_OPTIONS) }),
  Namespace: fieldTable({ 1: META }),
  Pod: fieldTable({ 1: META, 2: POD_SPEC }),
  Service: fieldTable({
    1: META,
    2: message('spec', {
      1: messages('ports', {
        1: text('name'),
        2: text('protocol'),
        3: integer('port'),
        4: number('targetPort'),
        5: integer('nodePort'),
        6: text('appProtocol'),
      }),
      2: map('selector'),
      3: text('clusterIP'),
      4: text('type'),
      5: texts('externalIPs'),
      7: text('sessionAffinity'),
      10: text('externalName'),
      13: flag('publishNotReadyAddresses'),
      17: text('ipFamilyPolicy'),
      18: texts('clusterIPs'),
      19: texts('ipFamilies'),
      22: text('internalTrafficPolicy'),
    }),
  }),
  ServiceAccount: fieldTable({ 1: META, 2: messages('secrets', { 3: text('name') }) }),
};
/** Kinds that can be read. */
export const WRITTEN_KINDS: readonly string[] = Object.keys(KINDS);

/** An object as a client has sent it, in the shape that JSON has; `fields` are undefined for a kind that is not known. */
export interface WrittenProtobuf extends TypeMeta {
  readonly fields: RawObject | undefined;
}

/** Throws a SyntaxError for bytes that are no object. */
export function readWritten(bytes: Buffer): WrittenProtobuf {
  const { apiVersion, kind, cursor, stop } = openEnvelope(bytes, 0, bytes.length);
  const fields = Object.hasOwn(KINDS, kind) ? asObject(tidy(readMessage(cursor, KINDS[kind]!, stop))) : undefined;
  return { apiVersion, kind, fields };
}

/** Members that say something also when they are zero, false or empty. */
const SAID: ReadonlySet<string> = new Set(['replicas', 'gracePeriodSeconds', 'maxSurge', 'maxUnavailable', 'emptyDir']);

const isNothing = (value: unknown): boolean =>
  value === 0 || value === false || (typeof value === 'object' && !Array.isArray(value) && isEmpty(asObject(value)));
const isEmpty = (object: RawObject): boolean => Object.keys(object).length === 0;

/**
 * What the object is in JSON: protobuf has zeros and empty messages for all that nobody has said, and the members of
 * some messages stand in the object around them.
 */
function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value;
  const object: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const tidied = tidy(member);
    if (name === INLINE) Object.assign(object, tidied);
    else if (SAID.has(name) || !isNothing(tidied)) object[name] = tidied;
  }
  return object;
}
