import type { Lab } from '../lab.js';
import type { RunningPod } from '../pods/running-pod.js';
import type { Channels } from './channels.js';

/**
 * Shows a client what a pod's program writes from now on, until the pod is gone or the client leaves. What the client
 * sends is read by nobody.
 */
export function attach(pod: RunningPod, { input, write, finish, onClose }: Channels, lab: Lab): void {
  input?.resume();
  const stops = [
    pod.log.follow((line) => write(`${line}\n`)),
    lab.api.changes.subscribe((kind) => {
      if (kind !== 'Pod' || lab.kubelet.get(pod.namespace, pod.name) === pod) return;
      stop();
      finish({ metadata: {}, status: 'Success' });
    }),
  ];
  const stop = (): void => stops.forEach((one) => one());
  onClose(stop);
}
