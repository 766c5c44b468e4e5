import { arrayAt, flagAt, objectAt, textAt } from '../../../../kube/objects/raw.js';
import type { RawObject } from '../../../../kube/objects/raw.js';
import { humanDuration } from '../../../../observe/kubectl/human-duration.js';
import { labelsOf } from '../../../cluster/cluster-api.js';
import type { Lab } from '../../../lab.js';
import { nameIn, namespaceIn } from '../metadata.js';
import { Sheet, longTime } from './sheet.js';

/** A node. What the model knows nothing of, its hardware and its loads, is left out. */
export function describeNode(node: RawObject, pods: readonly RawObject[], lab: Lab): string {
  const sheet = new Sheet();
  const [metadata, spec, status] = [objectAt(node, 'metadata'), objectAt(node, 'spec'), objectAt(node, 'status')];
  const created = longTime(textAt(metadata, 'creationTimestamp'));
  const now = longTime(new Date(lab.clock.now()).toISOString());
  sheet.add(0, 'Name:', nameIn(node));
  sheet.add(
    0,
    'Roles:',
    labelsOf(node)['node-role.kubernetes.io/control-plane'] === undefined ? '<none>' : 'control-plane',
  );
  sheet.labels(node);
  sheet.add(0, 'CreationTimestamp:', created);
  const cordoned = flagAt(spec, 'unschedulable') === true;
  sheet.add(0, 'Taints:', cordoned ? 'node.kubernetes.io/unschedulable:NoSchedule' : '<none>');
  sheet.add(0, 'Unschedulable:', String(cordoned));
  sheet.add(0, 'Lease:');
  sheet.add(1, 'HolderIdentity:', nameIn(node));
  sheet.add(1, 'AcquireTime:', '<unset>');
  sheet.add(1, 'RenewTime:', now);
  sheet.add(0, 'Conditions:');
  sheet.add(1, 'Type', 'Status', 'LastHeartbeatTime', 'LastTransitionTime', 'Reason', 'Message');
  sheet.add(1, '----', '------', '-----------------', '------------------', '------', '-------');
  for (const condition of arrayAt(status, 'conditions')) {
    sheet.add(
      1,
      `${textAt(condition, 'type')} `,
      `${textAt(condition, 'status')} `,
      `${now} `,
      `${longTime(textAt(condition, 'lastTransitionTime'))} `,
      `${textAt(condition, 'reason')} `,
      textAt(condition, 'message'),
    );
  }
  sheet.add(0, 'Addresses:');
  for (const address of arrayAt(status, 'addresses'))
    sheet.add(1, `${textAt(address, 'type')}:`, textAt(address, 'address'));
  const info = objectAt(status, 'nodeInfo');
  sheet.add(0, 'System Info:');
  for (const [name, key] of [
    ['Kernel Version', 'kernelVersion'],
    ['OS Image', 'osImage'],
    ['Operating System', 'operatingSystem'],
    ['Architecture', 'architecture'],
    ['Container Runtime Version', 'containerRuntimeVersion'],
    ['Kubelet Version', 'kubeletVersion'],
  ] as const)
    sheet.add(1, `${name}:`, textAt(info, key));
  if (textAt(spec, 'podCIDR') !== '') {
    sheet.add(0, 'PodCIDR:', textAt(spec, 'podCIDR'));
    sheet.add(0, 'PodCIDRs:', arrayAt(spec, 'podCIDRs').join(','));
  }
  const own = pods.filter((pod) => textAt(objectAt(pod, 'spec'), 'nodeName') === nameIn(node));
  sheet.add(0, 'Non-terminated Pods:', `(${own.length} in total)`);
  sheet.add(1, 'Namespace', 'Name', '', 'CPU Requests', 'CPU Limits', 'Memory Requests', 'Memory Limits', 'Age');
  sheet.add(1, '---------', '----', '', '------------', '----------', '---------------', '-------------', '---');
  for (const pod of own) {
    const age = humanDuration(lab.clock.now() - Date.parse(textAt(objectAt(pod, 'metadata'), 'creationTimestamp')));
    sheet.add(1, namespaceIn(pod), nameIn(pod), '', '0 (0%)', '0 (0%)', '0 (0%)', '0 (0%)', age);
  }
  sheet.events();
  return sheet.text();
}
