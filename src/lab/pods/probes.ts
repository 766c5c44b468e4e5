import { arrayAt, asObject, objectAt, textAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { Milliseconds } from '../../lib/units.js';
import { containersOf } from '../cluster/cluster-api.js';

/** What a kubelet asks a container for
 * (https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/). */
export type ProbeAim = 'startup' | 'liveness' | 'readiness';

/** A probe of a container, with what it has where nothing is said. */
export interface ContainerProbe {
  readonly aim: ProbeAim;
  readonly container: string;
  /** `exec` runs nothing here: it holds as long as the program runs. */
  readonly way: 'http' | 'tcp' | 'grpc' | 'exec';
  /** undefined for the pod's own address. */
  readonly host: string | undefined;
  readonly port: number;
  readonly path: string;
  readonly initialDelay: Milliseconds;
  readonly period: Milliseconds;
  readonly timeout: Milliseconds;
  /** Successes, and failures, in a row that count. */
  readonly successes: number;
  readonly failures: number;
}

const AIMS = ['startup', 'liveness', 'readiness'] as const;
const WAYS = { httpGet: 'http', tcpSocket: 'tcp', grpc: 'grpc', exec: 'exec' } as const;

/** The probes of a pod; those over TLS are taken as far as the connection. */
export const probesOf = (raw: RawObject): readonly ContainerProbe[] =>
  containersOf(raw).flatMap((container) =>
    AIMS.flatMap((aim) => {
      const said = objectAt(container, `${aim}Probe`);
      const [key] = (Object.keys(WAYS) as (keyof typeof WAYS)[]).filter((one) => said[one] !== undefined);
      return key === undefined ? [] : [probeOf(container, aim, said, key)];
    }),
  );

function probeOf(container: RawObject, aim: ProbeAim, said: RawObject, key: keyof typeof WAYS): ContainerProbe {
  const action = objectAt(said, key);
  const number = (name: string, otherwise: number): number => Number(said[name] ?? otherwise);
  const tls = textAt(action, 'scheme').toUpperCase() === 'HTTPS';
  return {
    aim,
    container: textAt(container, 'name'),
    way: tls ? 'tcp' : WAYS[key],
    host: textAt(action, 'host') || undefined,
    port: portOf(container, action['port']),
    path: textAt(action, 'path') || '/',
    initialDelay: number('initialDelaySeconds', 0) * 1000,
    period: number('periodSeconds', 10) * 1000,
    timeout: number('timeoutSeconds', 1) * 1000,
    successes: number('successThreshold', 1),
    failures: number('failureThreshold', 3),
  };
}

/** A number, or the name of one of the container's ports. */
function portOf(container: RawObject, port: unknown): number {
  if (typeof port !== 'string' || /^\d+$/.test(port)) return Number(port ?? 0);
  const named = arrayAt(container, 'ports')
    .map(asObject)
    .find((one) => textAt(one, 'name') === port);
  return Number(named?.['containerPort'] ?? 0);
}
