import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Environment } from '../corefile/environment.js';
import type { ReadApi } from '../insight/explain/pod-dns.js';
import { ApiError } from '../kube/api/api-error.js';
import { ApiClient } from '../kube/api/client.js';
import { DEFAULT_LIMITS, RateLimiter } from '../kube/api/rate-limiter.js';
import { inClusterConnection, type ApiConnection } from '../kube/auth/connection.js';
import { kubeconfigConnection } from '../kube/auth/kubeconfig.js';
import { realClock } from '../lib/clock.js';
import { NodensError } from '../lib/errors.js';
import { VERSION } from '../lib/package-folder.js';
import type { Milliseconds, Octets } from '../lib/units.js';

const SILENCE: Milliseconds = 5000;
const LONGEST: Octets = 64 << 20;
/** What is not there, or may not be read. */
const ABSENT = new Set([403, 404]);

/**
 * Reads single objects from the API of a cluster: that of the kubeconfig, else that of the cluster around.
 *
 * @param longest of an answer, in bytes
 */
export function apiReader(
  kubeconfig: string,
  env: Environment,
  longest = LONGEST,
): { readonly read: ReadApi; close(): void } {
  const client = new ApiClient({
    connection: connectionOf(kubeconfig, env),
    limiter: new RateLimiter(DEFAULT_LIMITS, realClock),
    clock: realClock,
    userAgent: `nodens/${VERSION}`,
  });
  const read: ReadApi = async (place, query = {}) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const onData = (chunk: Uint8Array): void => {
      size += chunk.length;
      if (size > longest) throw new NodensError('NODENS_KUBE_API', `${place}: an answer of more than ${longest} bytes`);
      chunks.push(chunk);
    };
    const { signal } = new AbortController();
    try {
      const silences = { headerSilence: SILENCE, silence: SILENCE };
      await client.get({ purpose: 'list', path: place, query, signal, ...silences, onData });
    } catch (error) {
      if (error instanceof ApiError && ABSENT.has(error.status)) return undefined;
      throw error;
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  };
  return { read, close: () => client.close() };
}

function connectionOf(kubeconfig: string, env: Environment): ApiConnection {
  const named = kubeconfig || (env.KUBECONFIG ?? '').split(path.delimiter)[0];
  const usual = path.join(os.homedir(), '.kube/config');
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (named) return kubeconfigConnection({ path: named, env, clock: realClock });
  if (host === undefined && existsSync(usual)) return kubeconfigConnection({ path: usual, env, clock: realClock });
  return inClusterConnection({ host, port, clock: realClock });
}
