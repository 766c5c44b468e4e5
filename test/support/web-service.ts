/** Manifests of a namespace and the service `web` at a cluster address. */
export const webService = (ip: string): string => `apiVersion: v1
kind: Namespace
metadata: { name: default }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { clusterIP: ${ip}, clusterIPs: [${ip}], ports: [{ name: http, port: 80, protocol: TCP }] }
`;
