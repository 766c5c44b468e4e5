import { arrayAt, asObject, flagAt, objectAt, textAt, textMapAt } from '../../../../kube/objects/raw.js';
import type { RawObject } from '../../../../kube/objects/raw.js';
import type { Lab } from '../../../lab.js';
import { eventRows } from '../events.js';
import { Sheet, longTime } from './sheet.js';
import { byText } from '../../../../lib/order.js';

const TOLERATIONS = [
  'node.kubernetes.io/not-ready:NoExecute op=Exists for 300s',
  'node.kubernetes.io/unreachable:NoExecute op=Exists for 300s',
];

const numberAt = (value: unknown, key: string): number => Number(asObject(value)[key] ?? 0);

export function describePod(pod: RawObject, lab: Lab): string {
  const sheet = new Sheet();
  const [metadata, spec, status] = [objectAt(pod, 'metadata'), objectAt(pod, 'spec'), objectAt(pod, 'status')];
  sheet.add(0, 'Name:', textAt(metadata, 'name'));
  sheet.add(0, 'Namespace:', textAt(metadata, 'namespace'));
  sheet.add(0, 'Priority:', String(numberAt(spec, 'priority')));
  sheet.add(0, 'Service Account:', textAt(spec, 'serviceAccountName') || 'default');
  sheet.add(
    0,
    'Node:',
    textAt(spec, 'nodeName') === '' ? '<none>' : `${textAt(spec, 'nodeName')}/${textAt(status, 'hostIP')}`,
  );
  if (textAt(status, 'startTime') !== '') sheet.add(0, 'Start Time:', longTime(textAt(status, 'startTime')));
  sheet.labels(pod);
  sheet.add(
    0,
    'Status:',
    metadata['deletionTimestamp'] === undefined ? textAt(status, 'phase') : 'Terminating (lasts 0s)',
  );
  sheet.add(0, 'IP:', textAt(status, 'podIP'));
  const ips = arrayAt(status, 'podIPs').map((one) => textAt(one, 'ip'));
  sheet.add(0, 'IPs:', ...(ips.length === 0 ? ['<none>'] : []));
  for (const ip of ips) sheet.add(1, 'IP:', ip);
  const owner = arrayAt(metadata, 'ownerReferences')[0];
  if (owner !== undefined) sheet.add(0, 'Controlled By:', `${textAt(owner, 'kind')}/${textAt(owner, 'name')}`);
  describeContainers(sheet, 0, '', spec, arrayAt(status, 'containerStatuses').map(asObject));
  const conditions = arrayAt(status, 'conditions');
  if (conditions.length > 0) {
    sheet.add(0, 'Conditions:');
    sheet.add(1, 'Type', 'Status');
    for (const condition of conditions)
      sheet.add(1, `${textAt(condition, 'type')} `, `${textAt(condition, 'status')} `);
  }
  describeVolumes(sheet, 0, '', spec);
  sheet.add(0, 'QoS Class:', textAt(status, 'qosClass') || 'BestEffort');
  sheet.map(0, 'Node-Selectors', textMapAt(spec, 'nodeSelector'));
  sheet.list(0, 'Tolerations', [...arrayAt(spec, 'tolerations').map(toleration), ...TOLERATIONS]);
  sheet.events(eventRows(pod, lab));
  return sheet.text();
}

function toleration(value: unknown): string {
  const [key, effect, given] = [textAt(value, 'key'), textAt(value, 'effect'), textAt(value, 'value')];
  const taint = key + (given === '' ? '' : `=${given}`) + (effect === '' ? '' : `:${effect}`);
  if (textAt(value, 'operator') !== 'Exists') return taint;
  return taint === '' ? 'op=Exists' : `${taint} op=Exists`;
}

/** Containers of a pod, or of a template, which has no status and stands one step to the right. */
export function describeContainers(
  sheet: Sheet,
  level: number,
  space: string,
  spec: RawObject,
  statuses: readonly RawObject[],
): void {
  const containers = arrayAt(spec, 'containers').map(asObject);
  sheet.add(level, `Containers:${containers.length === 0 ? ' <none>' : ''}`);
  for (const container of containers) {
    const status = statuses.find((one) => textAt(one, 'name') === textAt(container, 'name'));
    sheet.add(1, `${space}${space === '' ? '' : ' '}${textAt(container, 'name')}:`.replace(/^ {2,}/, ' '));
    describeContainer(sheet, container, status);
  }
}

function describeContainer(sheet: Sheet, container: RawObject, status: RawObject | undefined): void {
  if (status) sheet.add(2, 'Container ID:', textAt(status, 'containerID'));
  sheet.add(2, 'Image:', textAt(container, 'image'));
  if (status) sheet.add(2, 'Image ID:', textAt(status, 'imageID'));
  const ports = arrayAt(container, 'ports');
  const shown = (key: string): string =>
    ports.map((port) => `${numberAt(port, key)}/${textAt(port, 'protocol') || 'TCP'}`).join(', ') || '<none>';
  sheet.add(2, ports.length > 1 ? 'Ports:' : 'Port:', shown('containerPort'));
  sheet.add(2, ports.length > 1 ? 'Host Ports:' : 'Host Port:', shown('hostPort'));
  for (const [name, key] of [
    ['Command:', 'command'],
    ['Args:', 'args'],
  ] as const) {
    const words = arrayAt(container, key).map(String);
    if (words.length === 0) continue;
    sheet.add(2, name);
    for (const line of words.flatMap((word) => word.split('\n'))) sheet.add(3, line);
  }
  if (status) describeState(sheet, status);
  for (const [name, key] of [
    ['Limits:', 'limits'],
    ['Requests:', 'requests'],
  ] as const) {
    const values = Object.entries(objectAt(objectAt(container, 'resources'), key)).sort(([a], [b]) => byText(a, b));
    if (values.length > 0) sheet.add(2, name);
    for (const [resource, value] of values) sheet.add(3, `${resource}:`, String(value));
  }
  for (const [name, key] of [
    ['Liveness:', 'livenessProbe'],
    ['Readiness:', 'readinessProbe'],
    ['Startup:', 'startupProbe'],
  ] as const)
    if (container[key] !== undefined) sheet.add(2, name, probe(objectAt(container, key)));
  const env = arrayAt(container, 'env');
  sheet.add(2, 'Environment:', ...(env.length === 0 ? ['<none>'] : []));
  for (const variable of env) sheet.add(3, `${textAt(variable, 'name')}:`, environmentValue(variable));
  const mounts = [...arrayAt(container, 'volumeMounts')].sort((a, b) =>
    textAt(a, 'mountPath') < textAt(b, 'mountPath') ? -1 : 1,
  );
  sheet.add(2, 'Mounts:', ...(mounts.length === 0 ? ['<none>'] : []));
  for (const mount of mounts)
    sheet.add(
      3,
      `${textAt(mount, 'mountPath')} from ${textAt(mount, 'name')} (${flagAt(mount, 'readOnly') === true ? 'ro' : 'rw'})`,
    );
}

function environmentValue(variable: unknown): string {
  const field = objectAt(objectAt(variable, 'valueFrom'), 'fieldRef');
  return field['fieldPath'] === undefined
    ? textAt(variable, 'value')
    : ` (${textAt(field, 'apiVersion') || 'v1'}:${textAt(field, 'fieldPath')})`;
}

function describeState(sheet: Sheet, status: RawObject): void {
  const state = objectAt(status, 'state');
  const last = objectAt(objectAt(status, 'lastState'), 'terminated');
  if (state['running'] !== undefined) {
    sheet.add(2, 'State:', 'Running');
    sheet.add(3, 'Started:', longTime(textAt(objectAt(state, 'running'), 'startedAt')));
  } else if (state['terminated'] !== undefined) describeEnd(sheet, 'State:', objectAt(state, 'terminated'));
  else {
    sheet.add(2, 'State:', 'Waiting');
    const reason = textAt(objectAt(state, 'waiting'), 'reason');
    if (reason !== '') sheet.add(3, 'Reason:', reason);
  }
  if (Object.keys(last).length > 0) describeEnd(sheet, 'Last State:', last);
  sheet.add(2, 'Ready:', flagAt(status, 'ready') === true ? 'True' : 'False');
  sheet.add(2, 'Restart Count:', String(numberAt(status, 'restartCount')));
}

function describeEnd(sheet: Sheet, name: string, end: RawObject): void {
  sheet.add(2, name, 'Terminated');
  sheet.add(3, 'Reason:', textAt(end, 'reason'));
  sheet.add(3, 'Exit Code:', String(numberAt(end, 'exitCode')));
  sheet.add(3, 'Started:', longTime(textAt(end, 'startedAt')));
  sheet.add(3, 'Finished:', longTime(textAt(end, 'finishedAt')));
}

/** A probe with the API's defaults filled in. */
function probe(value: RawObject): string {
  const or = (key: string, fallback: number): number => Number(value[key] ?? fallback);
  const times =
    `delay=${or('initialDelaySeconds', 0)}s timeout=${or('timeoutSeconds', 1)}s ` +
    `period=${or('periodSeconds', 10)}s #success=${or('successThreshold', 1)} ` +
    `#failure=${or('failureThreshold', 3)}`;
  if (value['httpGet'] !== undefined) {
    const get = objectAt(value, 'httpGet');
    const scheme = (textAt(get, 'scheme') || 'HTTP').toLowerCase();
    return `http-get ${scheme}://${textAt(get, 'host')}:${String(get['port'])}${textAt(get, 'path')} ${times}`;
  }
  if (value['tcpSocket'] !== undefined)
    return `tcp-socket ${textAt(objectAt(value, 'tcpSocket'), 'host')}:${String(objectAt(value, 'tcpSocket')['port'])} ${times}`;
  if (value['exec'] !== undefined)
    return `exec [${arrayAt(objectAt(value, 'exec'), 'command').map(String).join(' ')}] ${times}`;
  return `unknown ${times}`;
}

/** Volumes of a pod or of a template. */
export function describeVolumes(sheet: Sheet, level: number, space: string, spec: RawObject): void {
  const volumes = arrayAt(spec, 'volumes').map(asObject);
  if (volumes.length === 0) return sheet.add(level, 'Volumes:', '<none>');
  sheet.add(level, 'Volumes:');
  for (const volume of volumes) {
    sheet.add(1, `${space === '' ? '' : ' '}${textAt(volume, 'name')}:`);
    for (const [name, value] of volumeFacts(volume)) sheet.add(2, `${name}:`, value);
  }
}

function volumeFacts(volume: RawObject): readonly (readonly [string, string])[] {
  const optional = (source: RawObject): readonly [string, string] => [
    'Optional',
    String(flagAt(source, 'optional') ?? false),
  ];
  if (volume['configMap'] !== undefined) {
    const source = objectAt(volume, 'configMap');
    return [
      ['Type', 'ConfigMap (a volume populated by a ConfigMap)'],
      ['Name', textAt(source, 'name')],
      optional(source),
    ];
  }
  if (volume['hostPath'] !== undefined) {
    const source = objectAt(volume, 'hostPath');
    return [
      ['Type', 'HostPath (bare host directory volume)'],
      ['Path', textAt(source, 'path')],
      ['HostPathType', textAt(source, 'type')],
    ];
  }
  if (volume['emptyDir'] !== undefined)
    return [
      ['Type', "EmptyDir (a temporary directory that shares a pod's lifetime)"],
      ['Medium', textAt(objectAt(volume, 'emptyDir'), 'medium')],
      ['SizeLimit', textAt(objectAt(volume, 'emptyDir'), 'sizeLimit') || '<unset>'],
    ];
  if (volume['secret'] !== undefined) {
    const source = objectAt(volume, 'secret');
    return [
      ['Type', 'Secret (a volume populated by a Secret)'],
      ['SecretName', textAt(source, 'secretName')],
      optional(source),
    ];
  }
  return [['Type', '<unknown>']];
}

/** The template of a Deployment or DaemonSet. */
export function describeTemplate(sheet: Sheet, template: RawObject): void {
  const spec = objectAt(template, 'spec');
  sheet.add(0, 'Pod Template:');
  sheet.map(1, 'Labels', textMapAt(objectAt(template, 'metadata'), 'labels'));
  const annotations = textMapAt(objectAt(template, 'metadata'), 'annotations');
  if (annotations) sheet.map(1, 'Annotations', annotations, ': ');
  if (textAt(spec, 'serviceAccountName') !== '') sheet.add(1, 'Service Account:', textAt(spec, 'serviceAccountName'));
  describeContainers(sheet, 1, '  ', spec, []);
  describeVolumes(sheet, 1, '  ', spec);
  if (textAt(spec, 'priorityClassName') !== '') sheet.add(1, 'Priority Class Name:', textAt(spec, 'priorityClassName'));
  sheet.map(1, 'Node-Selectors', textMapAt(spec, 'nodeSelector'));
  sheet.list(1, 'Tolerations', arrayAt(spec, 'tolerations').map(toleration));
}
