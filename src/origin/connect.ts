import type { Runtime } from '../chain/index.js';
import { endpointConnection, inClusterConnection, type ApiConnection } from '../kube/auth/connection.js';
import { kubeconfigConnection } from '../kube/auth/kubeconfig.js';
import type { Origin } from './options.js';

/** The way to the API that an origin names. Throws a ConnectionError. */
export function connect(origin: Exclude<Origin, { kind: 'manifests' }>, { env, clock }: Runtime): ApiConnection {
  switch (origin.kind) {
    case 'endpoint':
      return endpointConnection({ url: origin.url, clock, ...(origin.tls && { tls: origin.tls }) });
    case 'kubeconfig':
      return kubeconfigConnection({
        path: origin.path,
        env,
        clock,
        ...(origin.context !== undefined && { context: origin.context }),
      });
    case 'service-account':
      return inClusterConnection({ host: env['KUBERNETES_SERVICE_HOST'], port: env['KUBERNETES_SERVICE_PORT'], clock });
  }
}
