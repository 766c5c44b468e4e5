import { expect, it } from 'vitest';
import { kubeconfig } from '../../../src/lab/kube-api/kubeconfig.js';

it('is a file that can be read by eye too', () =>
  expect(kubeconfig({ url: 'https://127.0.0.1:6443', certificate: 'PEM', token: 'secret' })).toBe(`{
  "apiVersion": "v1",
  "kind": "Config",
  "current-context": "lab",
  "clusters": [
    {
      "name": "lab",
      "cluster": {
        "server": "https://127.0.0.1:6443",
        "certificate-authority-data": "UEVN"
      }
    }
  ],
  "contexts": [
    {
      "name": "lab",
      "context": {
        "cluster": "lab",
        "user": "admin",
        "namespace": "default"
      }
    }
  ],
  "users": [
    {
      "name": "admin",
      "user": {
        "token": "secret"
      }
    }
  ]
}
`));
