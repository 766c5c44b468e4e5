/** A pod, its node and what redirects its DNS, as an API gives them, by path. */
export const POD_API: Readonly<Record<string, unknown>> = {
  '/api/v1/namespaces/shop/pods/web': {
    metadata: { namespace: 'shop', name: 'web' },
    spec: { nodeName: 'node-1', dnsPolicy: 'ClusterFirst', dnsConfig: { options: [{ name: 'ndots', value: '2' }] } },
    status: { podIP: '10.1.2.3' },
  },
  '/api/v1/nodes/node-1/proxy/configz': {
    kubeletconfig: { clusterDNS: ['10.96.0.10'], clusterDomain: 'corp.local' },
  },
  '/api/v1/namespaces/kube-system/services/kube-dns': {
    spec: {
      clusterIP: '10.96.0.10',
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    },
  },
  '/apis/cilium.io/v2/ciliumlocalredirectpolicies': {
    items: [
      {
        metadata: { namespace: 'kube-system', name: 'nodelocaldns' },
        spec: {
          redirectFrontend: { serviceMatcher: { serviceName: 'kube-dns', namespace: 'kube-system' } },
          redirectBackend: {
            localEndpointSelector: { matchLabels: { 'k8s-app': 'node-local-dns' } },
            toPorts: [
              { port: '53', name: 'dns', protocol: 'UDP' },
              { port: '53', name: 'dns-tcp', protocol: 'TCP' },
            ],
          },
        },
      },
    ],
  },
  '/api/v1/pods': {
    items: [
      {
        metadata: { namespace: 'kube-system', name: 'dns-1', labels: { 'k8s-app': 'node-local-dns' }, uid: 'u1' },
        spec: {
          containers: [
            {
              ports: [
                { name: 'dns', containerPort: 53, protocol: 'UDP' },
                { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
              ],
            },
          ],
        },
        status: { podIPs: [{ ip: '10.1.2.9' }], conditions: [{ type: 'Ready', status: 'True' }] },
      },
    ],
  },
};
