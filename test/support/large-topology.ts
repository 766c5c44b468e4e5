import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LAB_FOLDER } from '../../src/lab/topology/load.js';

/** Namespaces of shops, offices and the like; each has as many workloads as it needs. */
const NAMESPACES = ['shop', 'orders', 'billing', 'search', 'media', 'internal-tools'];
/** Replicas of one workload. */
const REPLICAS = 10;

const CLIENT = `
---
apiVersion: v1
kind: Pod
metadata: { name: curl-pod, namespace: default }
spec: { nodeName: worker-1, containers: [{ name: curl, image: nicolaka/netshoot }] }`;

const namespace = (name: string): string => `
---
apiVersion: v1
kind: Namespace
metadata: { name: ${name} }`;

const deployment = (own: string, name: string, replicas: number): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${own} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: web, image: traefik/whoami, ports: [{ containerPort: 80 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${own} }
spec: { selector: { app: ${name} }, ports: [{ protocol: TCP, port: 80, targetPort: 80 }] }`;

/**
 * A topology file with so many nodes, and so many pods beside those of the cluster's DNS: a client, and web services
 * in several namespaces.
 */
export function largeTopology(nodes: number, pods: number): string {
  const dns = readFileSync(path.join(LAB_FOLDER, 'manifests/coredns.yaml'), 'utf8');
  const services = Math.ceil((pods - 1) / REPLICAS);
  const workloads = Array.from({ length: services }, (_, i) => {
    const replicas = Math.min(REPLICAS, pods - 1 - i * REPLICAS);
    return deployment(NAMESPACES[i % NAMESPACES.length]!, `service-${i + 1}`, replicas);
  });
  const indented = `${dns}${CLIENT}${NAMESPACES.map(namespace).join('')}${workloads.join('')}`
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
  const node = (_: unknown, i: number): string => `
  - name: worker-${i + 1}${i === 0 ? '\n    apiServer: true' : ''}
    podCidr: 10.${100 + Math.floor(i / 200)}.${i % 200}.0/24
    resolvConf: "nameserver 192.168.0.2\\n"
    interfaces: [{ name: eth0, addresses: [192.168.1.${i + 1}/16], segment: lan }]`;
  return `name: ${nodes}-nodes
seed: 11
cluster: { domain: cluster.local, dns: 10.96.0.10, serviceCidr: 10.96.0.0/16 }
cilium:
  settings: { nativeRoutingCidr: 10.100.0.0/14 }
  ipam: { mode: cluster-pool, clusterPoolCidrs: [10.100.0.0/14] }
corefiles:
  world: |
    example.org {
        recursive
        hosts {
            93.184.215.14 example.org
        }
    }
    . {
        recursive
        template ANY ANY {
            rcode NXDOMAIN
        }
    }
nodes:${Array.from({ length: nodes }, node).join('')}
hosts:
  - { name: resolver, interfaces: [{ name: eth0, addresses: [192.168.0.2/16], segment: lan }], corefile: world, delay: 4 }
pins:
  services:
    - { namespace: kube-system, name: kube-dns, clusterIP: 10.96.0.10 }
manifests:
  - inline: |${indented}
`;
}
