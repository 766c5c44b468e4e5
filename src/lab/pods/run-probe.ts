import type { Duplex } from 'node:stream';
import type { Clock } from '../../lib/clock.js';
import { LabNetwork } from '../network/lab-network.js';
import type { ContainerProbe } from './probes.js';
import type { RunningPod } from './running-pod.js';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ECONNRESET: 'connection reset by peer',
};

/** Probes a pod from its node, over the datapath. Resolves with what went wrong, as kubelets say it; '' for nothing. */
export async function runProbe(probe: ContainerProbe, pod: RunningPod, clock: Clock): Promise<string> {
  if (probe.way === 'exec') return '';
  const at = `${probe.host ?? pod.model.ip}:${probe.port}`;
  const over = new AbortController();
  const timer = clock.setTimeout(() => over.abort(), probe.timeout);
  let stream: Duplex | undefined;
  try {
    const network = new LabNetwork(pod.model.node.process);
    const to = { address: probe.host ?? pod.model.ip, port: probe.port };
    ({ stream } = await network.connectTcp(to, over.signal));
    stream.on('error', () => undefined);
    if (probe.way !== 'http') return '';
    const status = await statusOf(stream, probe.path, at, over.signal);
    return status >= 200 && status < 400 ? '' : `HTTP probe failed with statuscode: ${status}`;
  } catch (error) {
    return wrong(probe, at, over.signal.aborted, error);
  } finally {
    timer.cancel();
    stream?.destroy();
  }
}

function wrong({ way, path, timeout }: ContainerProbe, at: string, late: boolean, error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const reason = REASONS[code] ?? message;
  if (way === 'grpc')
    return late
      ? `timeout: failed to connect service "${at}" within ${timeout / 1000}s: context deadline exceeded`
      : `error: failed to connect service at "${at}": ${reason}`;
  if (way === 'tcp') return `dial tcp ${at}: ${late ? 'i/o timeout' : `connect: ${reason}`}`;
  const get = `Get "http://${at}${path}"`;
  if (late) return `${get}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
  return code === '' ? `${get}: ${reason}` : `${get}: dial tcp ${at}: connect: ${reason}`;
}

/** The status with which a request is answered; 0 where what comes is no HTTP. Rejects when it is given up. */
function statusOf(stream: Duplex, path: string, host: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    signal.addEventListener('abort', () => reject(new Error('given up')));
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n')) resolve(Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0));
    });
    for (const event of ['end', 'close']) stream.once(event, () => reject(new Error('EOF')));
    stream.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: kube-probe/1.33\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
    );
  });
}
