import type { EverydayLine } from './line.js';

/** Lines that ask what there is: help, words mistyped, and the API server itself. */
export const ASKING: readonly EverydayLine[] = [
  ['kubectl get --help', 'kubectl get: options: -n, --namespace, -A, --all-namespaces, -l, --selector'],
  ['kubectl logs -h', 'kubectl logs: options: -n, --namespace'],
  ['kubectl rollout restart --help', 'kubectl rollout'],
  ['kubectl get pods --hlep', 'kubectl get: unknown option --hlep, allowed: -n, --namespace', 1],
  ['kubectl get --raw /healthz', 'ok\n'],
  ['kubectl get --raw /version | jq -r .minor', '33\n'],
  ['kubectl get --raw /api/v1/namespaces/default/pods/curl-pod | jq -r .metadata.name', 'curl-pod\n'],
  ["kubectl get --raw /apis/apps/v1/deployments | jq -r '.kind, .items[0].metadata.name'", 'DeploymentList\n'],
  ['kubectl get --raw /api/v1/nodes/none', 'Error from server (NotFound): nodes "none" not found', 1],
  [
    'kubectl get --raw /apis/apps/v2/deployments',
    'Error from server (NotFound): the server could not find the requested resource: got /apis/apps/v2/deployments, allowed: ',
    1,
  ],
  ['ssh router sudo ip route add 172.20.1.0/24 via 192.168.10.100', ''],
  ['ssh router ip route | grep 172.20', '172.20.1.0/24 via 192.168.10.100 dev eth1\n'],
  ['ssh k8s-w1 sudo ip neigh | grep -c 10.0.2.3', '1\n'],
  ['kubctl get pods', 'kubctl: command not found; did you mean kubectl?', 127],
  ['kubectl gt pods', 'error: unknown command "gt" for "kubectl"; did you mean get?', 1],
  ['kubectl get pdo', 'error: the server doesn\'t have a resource type "pdo"; did you mean pod?', 1],
];
