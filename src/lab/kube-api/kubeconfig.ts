/** The one context that a lab's kubeconfig has, and what its cluster is called. */
export const CONTEXT = 'lab';

/** A kubeconfig for a server, in JSON, which is YAML. */
export function kubeconfig(access: {
  readonly url: string;
  readonly certificate: string;
  readonly token: string;
}): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': CONTEXT,
    clusters: [
      {
        name: CONTEXT,
        cluster: {
          server: access.url,
          'certificate-authority-data': Buffer.from(access.certificate).toString('base64'),
        },
      },
    ],
    contexts: [{ name: CONTEXT, context: { cluster: CONTEXT, user: 'admin', namespace: 'default' } }],
    users: [{ name: 'admin', user: { token: access.token } }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
