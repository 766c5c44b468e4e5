import type { Duplex } from 'node:stream';
import { NodensError } from '../../lib/errors.js';
import { LabNetwork } from '../network/lab-network.js';
import type { RunningPod } from './running-pod.js';

/** Where a pod's program listens at a port; undefined where it does not. */
export function listenerOf(
  { network, model }: RunningPod,
  port: number,
): { address: string; port: number } | undefined {
  const listener = [...network.listening].find((endpoint) => endpoint.port === port);
  return listener && { address: ['', '0.0.0.0', '::'].includes(listener.address) ? model.ip : listener.address, port };
}

/** A connection to a port of a pod, as its node makes it. Rejects where nobody listens. */
export async function connectToPod(pod: RunningPod, port: number): Promise<Duplex> {
  const listener = listenerOf(pod, port);
  if (!listener) throw new NodensError('NODENS_LAB', `connection refused: nobody listens at port ${port}`);
  return (await new LabNetwork(pod.model.node.process).connectTcp(listener)).stream;
}
