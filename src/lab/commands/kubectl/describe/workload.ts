import { objectAt, textAt } from '../../../../kube/objects/raw.js';
import type { RawObject } from '../../../../kube/objects/raw.js';
import type { Lab } from '../../../lab.js';
import { selectorText } from '../tables.js';
import { eventRows } from '../events.js';
import { nameIn, namespaceIn } from '../metadata.js';
import { describeTemplate } from './pod.js';
import { Sheet, longTime } from './sheet.js';

const counted = (status: RawObject, key: string): number => Number(status[key] ?? 0);

/** A number of pods or a percentage; a quarter when nothing is said. */
function share(rolling: RawObject, key: string): string {
  const value = rolling[key];
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '25%';
}

export function describeDeployment(deployment: RawObject, lab: Lab): string {
  const sheet = new Sheet();
  const [metadata, spec, status] = [
    objectAt(deployment, 'metadata'),
    objectAt(deployment, 'spec'),
    objectAt(deployment, 'status'),
  ];
  sheet.add(0, 'Name:', nameIn(deployment));
  sheet.add(0, 'Namespace:', namespaceIn(deployment));
  sheet.add(0, 'CreationTimestamp:', longTime(textAt(metadata, 'creationTimestamp')));
  sheet.labels(deployment);
  sheet.add(0, 'Selector:', selectorText(deployment));
  const [desired, total, ready] = [
    counted(spec, 'replicas'),
    counted(status, 'replicas'),
    counted(status, 'availableReplicas'),
  ];
  sheet.add(
    0,
    'Replicas:',
    `${desired} desired | ${counted(status, 'updatedReplicas')} updated | ${total} total | ` +
      `${ready} available | ${Math.max(0, total - ready)} unavailable`,
  );
  sheet.add(0, 'StrategyType:', textAt(objectAt(spec, 'strategy'), 'type') || 'RollingUpdate');
  sheet.add(0, 'MinReadySeconds:', String(counted(spec, 'minReadySeconds')));
  const rolling = objectAt(objectAt(spec, 'strategy'), 'rollingUpdate');
  if (textAt(objectAt(spec, 'strategy'), 'type') !== 'Recreate')
    sheet.add(
      0,
      'RollingUpdateStrategy:',
      `${share(rolling, 'maxUnavailable')} max unavailable, ${share(rolling, 'maxSurge')} max surge`,
    );
  describeTemplate(sheet, objectAt(spec, 'template'));
  sheet.add(0, 'Conditions:');
  sheet.add(1, 'Type', 'Status', 'Reason');
  sheet.add(1, '----', '------', '------');
  for (const condition of (status['conditions'] as readonly RawObject[] | undefined) ?? [])
    sheet.add(1, `${textAt(condition, 'type')} `, textAt(condition, 'status'), textAt(condition, 'reason'));
  sheet.add(0, 'OldReplicaSets:', '<none>');
  const hash = lab.workloads.hashOf({
    kind: 'Deployment',
    namespace: namespaceIn(deployment),
    name: nameIn(deployment),
  });
  sheet.add(
    0,
    'NewReplicaSet:',
    hash === undefined ? '<none>' : `${nameIn(deployment)}-${hash} (${total}/${desired} replicas created)`,
  );
  sheet.events(eventRows(deployment, lab));
  return sheet.text();
}

export function describeDaemonSet(daemonSet: RawObject, lab: Lab): string {
  const sheet = new Sheet();
  const [spec, status] = [objectAt(daemonSet, 'spec'), objectAt(daemonSet, 'status')];
  sheet.add(0, 'Name:', nameIn(daemonSet));
  sheet.add(0, 'Namespace:', namespaceIn(daemonSet));
  sheet.add(0, 'Selector:', selectorText(daemonSet));
  const nodeSelector = Object.entries(objectAt(objectAt(objectAt(spec, 'template'), 'spec'), 'nodeSelector'))
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',');
  sheet.add(0, 'Node-Selector:', nodeSelector || '<none>');
  sheet.labels(daemonSet);
  const [desired, ready] = [counted(status, 'desiredNumberScheduled'), counted(status, 'numberReady')];
  sheet.add(0, `Desired Number of Nodes Scheduled: ${desired}`);
  sheet.add(0, `Current Number of Nodes Scheduled: ${counted(status, 'currentNumberScheduled')}`);
  sheet.add(0, `Number of Nodes Scheduled with Up-to-date Pods: ${counted(status, 'updatedNumberScheduled')}`);
  sheet.add(0, `Number of Nodes Scheduled with Available Pods: ${counted(status, 'numberAvailable')}`);
  sheet.add(0, `Number of Nodes Misscheduled: ${counted(status, 'numberMisscheduled')}`);
  sheet.add(0, 'Pods Status:', `${ready} Running / ${Math.max(0, desired - ready)} Waiting / 0 Succeeded / 0 Failed`);
  describeTemplate(sheet, objectAt(spec, 'template'));
  sheet.events(eventRows(daemonSet, lab));
  return sheet.text();
}
