import type { KubeLog } from '../../src/kube/source.js';
import type { Manifest } from './fake-api.js';

/** A service manifest; `spec` overrides parts of a plain ClusterIP service with one port. */
export function service(
  name: string,
  spec: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', ...metadata },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      ...spec,
    },
  };
}

/** An endpoint slice manifest of a service with one endpoint per address. */
export function slice(serviceName: string, addresses: readonly string[], rest: Record<string, unknown> = {}): Manifest {
  const endpoints = addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${serviceName}-a`, namespace: 'default', labels: { 'kubernetes.io/service-name': serviceName } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    ...rest,
  };
}

export function namespace(name: string, labels?: Record<string, string>): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...(labels ? { labels } : {}) } };
}

export function pod(
  name: string,
  ip: string | undefined,
  labels: Record<string, string> = {},
  rest: { spec?: Record<string, unknown>; status?: Record<string, unknown>; metadata?: Record<string, unknown> } = {},
): Manifest {
  const status = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    ...rest.status,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels, ...rest.metadata },
    spec: { nodeName: 'node-1', ...rest.spec },
    status,
  };
}

/** Collects messages as `level message`. */
export class RecordedLog implements KubeLog {
  readonly lines: string[] = [];
  debug = (message: string): void => void this.lines.push(`debug ${message}`);
  info = (message: string): void => void this.lines.push(`info ${message}`);
  warning = (message: string): void => void this.lines.push(`warning ${message}`);
  error = (message: string): void => void this.lines.push(`error ${message}`);

  /** Lines of one level, without the level. */
  at(level: 'debug' | 'info' | 'warning' | 'error'): string[] {
    return this.lines.filter((line) => line.startsWith(`${level} `)).map((line) => line.slice(level.length + 1));
  }
}

/**
 * Resolves when the condition holds; rejects with `what` after five seconds. For things that real sockets and files
 * do in their own time.
 */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
