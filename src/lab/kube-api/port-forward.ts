import type { Duplex } from 'node:stream';
import { connectToPod } from '../pods/reach.js';
import type { RunningPod } from '../pods/running-pod.js';
import { SpdyConnection } from './spdy.js';
import type { SpdyStream } from './spdy.js';

/**
 * Carries connections of a client to ports of a pod. For each the client opens two streams that say which connection
 * they are of: one for what is wrong, one for its bytes.
 */
export function forwardPorts(socket: Duplex, pod: RunningPod): void {
  const errors = new Map<string, SpdyStream>();
  new SpdyConnection(socket, (stream) => {
    const request = stream.headers.get('requestid') ?? '';
    if (stream.headers.get('streamtype') === 'error') return void errors.set(request, stream);
    const told = errors.get(request);
    errors.delete(request);
    void carry(stream, Number(stream.headers.get('port')), pod).then(
      () => told?.end(),
      (error: Error) => {
        told?.end(`error forwarding port to pod ${pod.namespace}/${pod.name}: ${error.message}`);
        stream.destroy();
      },
    );
  });
}

async function carry(stream: SpdyStream, port: number, pod: RunningPod): Promise<void> {
  const inside = await connectToPod(pod, port);
  inside.on('error', () => stream.destroy());
  inside.once('close', () => stream.end());
  stream.once('close', () => inside.destroy());
  stream.pipe(inside).pipe(stream);
}
