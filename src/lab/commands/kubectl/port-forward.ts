import { pipeline } from 'node:stream';
import type { TcpConnection } from '../../../net/network.js';
import { LabNetwork } from '../../network/lab-network.js';
import type { RunningPod } from '../../pods/running-pod.js';
import { connectToPod } from '../../pods/reach.js';
import { CommandError, untilEnded } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { arrayAt, asObject, objectAt, textAt, textMapAt } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import { kindNamed, namespaceOf } from '../target/kinds.js';
import { found, nodeNamed, podsMeant } from '../target/targets.js';
import { labelsOf } from '../../cluster/cluster-api.js';

interface PortPair {
  readonly local: number;
  readonly remote: number;
}

/** `kubectl port-forward POD|svc/NAME|deploy/NAME [LOCAL:]PORT...`: a port of the node's 127.0.0.1 that leads to a pod. */
export async function portForward(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl port-forward', args, [
    { name: '--namespace', short: '-n', value: true },
    { name: '--address', value: true },
  ]);
  const [word, ...texts] = options.words;
  if (word === undefined || texts.length === 0)
    throw new CommandError('error: kubectl port-forward: allowed: kubectl port-forward POD|svc/NAME [LOCAL:]PORT...');
  const wanted = texts.map(pairOf);
  const service = /^(svc|services?)\//.test(word)
    ? found(io, kindNamed('service'), namespaceOf(options), word.slice(word.indexOf('/') + 1)).raw
    : undefined;
  const pod = service ? podOf(service, namespaceOf(options), io) : podsMeant(word, options, io)[0]!;
  const pairs = service ? wanted.map((pair) => ({ ...pair, remote: targetPort(service, pair.remote) })) : wanted;
  const network = new LabNetwork(nodeNamed(io.lab, io.node).process);
  const listeners = [];
  try {
    for (const { local, remote } of pairs) {
      listeners.push(
        await network.listenTcp(
          { address: '127.0.0.1', port: local },
          (client) => void forward(client, pod, remote, io),
        ),
      );
      io.write(`Forwarding from 127.0.0.1:${local} -> ${remote}\n`);
    }
    await untilEnded(io, 'kubectl port-forward');
  } finally {
    for (const listener of listeners) listener.close();
  }
  return 0;
}

/** One connection, which the node carries on to the pod. */
async function forward(client: TcpConnection, pod: RunningPod, port: number, io: CommandIo): Promise<void> {
  io.write(`Handling connection for ${client.local.port}\n`);
  try {
    const inside = await connectToPod(pod, port);
    const quiet = (): void => undefined;
    pipeline(client.stream, inside, quiet);
    pipeline(inside, client.stream, quiet);
  } catch (error) {
    io.error(`E an error occurred forwarding ${client.local.port} -> ${port}: ${(error as Error).message}\n`);
    client.stream.destroy();
  }
}

function pairOf(text: string): PortPair {
  const [, local, remote] = /^(?:(\d+):)?(\d+)$/.exec(text) ?? [];
  const [from, to] = [Number(local ?? remote), Number(remote)];
  if (remote === undefined || from < 1 || from > 65_535 || to < 1 || to > 65_535)
    throw new CommandError(`error: kubectl port-forward: got "${text}", allowed: [LOCAL:]PORT, each 1 to 65535`);
  return { local: from, remote: to };
}

/** The first running pod that a service picks. */
function podOf(service: RawObject, namespace: string, io: CommandIo): RunningPod {
  const selector = Object.entries(textMapAt(objectAt(service, 'spec'), 'selector') ?? {});
  const pod = io.lab.kubelet.list().find((one) => {
    const labels = labelsOf(io.lab.api.get('Pod', one.namespace, one.name)?.raw);
    return (
      one.namespace === namespace &&
      one.state === 'Running' &&
      selector.length > 0 &&
      selector.every(([key, value]) => labels[key] === value)
    );
  });
  if (!pod)
    throw new CommandError(`error: service ${textAt(objectAt(service, 'metadata'), 'name')} has no running pods`);
  return pod;
}

/** The pod's port behind a port of a service. */
function targetPort(service: RawObject, port: number): number {
  const ports = arrayAt(objectAt(service, 'spec'), 'ports').map(asObject);
  const entry = ports.find((one) => one['port'] === port);
  if (!entry)
    throw new CommandError(
      `error: Service ${textAt(objectAt(service, 'metadata'), 'name')} does not have a service port ${port}; ` +
        `it has ${ports.map((one) => String(one['port'])).join(', ')}`,
    );
  return typeof entry['targetPort'] === 'number' ? entry['targetPort'] : port;
}
