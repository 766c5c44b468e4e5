import type { TcpListener } from '../../../src/net/network.js';
import type { RawObject } from '../../../src/kube/objects/raw.js';
import { LabNetwork } from '../../../src/lab/network/lab-network.js';
import type { RunningPod } from '../../../src/lab/pods/running-pod.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { lab } from '../../datapath/lab.js';

export const SECOND = 1000;
export const rawWith = (probes: object): RawObject => ({ spec: { containers: [{ name: 'web', ...probes }] } });

/** A pod in the model whose port 80 opens and closes, and the clock of its node. */
export function podOf() {
  const { world } = lab();
  const model = world.addPod({ namespace: 'default', name: 'web', node: 'k8s-w1' });
  const clock = new ManualClock(0);
  const pod = { namespace: 'default', name: 'web', model, began: 0 } as unknown as RunningPod;
  const network = new LabNetwork(model.process);
  let open: TcpListener | undefined;
  return {
    pod,
    clock,
    network,
    /** Listens at port 80: answers the first data with the text, is silent without one. */
    listen: async (answer?: string) => {
      open = await network.listenTcp({ address: '', port: 80 }, ({ stream }) => {
        stream.on('error', () => undefined);
        if (answer !== undefined) stream.once('data', () => stream.end(answer));
      });
    },
    shut: () => open?.close(),
  };
}
