import { expect, it } from 'vitest';
import { drivenLab } from './lab.js';

it.each([
  { name: 'ciliumnodes', kind: 'CiliumNode', short: ['cn', 'ciliumn'], scope: 'Cluster' },
  { name: 'ciliumlocalredirectpolicies', kind: 'CiliumLocalRedirectPolicy', short: ['clrp'], scope: 'Namespaced' },
])("what the API server knows of Cilium's $name", async ({ name, kind, short, scope }) => {
  const driven = await drivenLab();
  const { text } = await driven.run(`kubectl get crd ${name}.cilium.io -o json`);
  expect(JSON.parse(text)).toMatchObject({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${name}.cilium.io`, resourceVersion: '1', creationTimestamp: '2025-07-30T14:56:15Z' },
    spec: {
      group: 'cilium.io',
      names: { kind, listKind: `${kind}List`, plural: name, shortNames: short, singular: kind.toLowerCase() },
      scope,
      versions: [{ name: 'v2', served: true, storage: true }],
    },
  });
  await driven.end();
});
