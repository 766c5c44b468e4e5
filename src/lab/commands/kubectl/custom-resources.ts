import type { RawObject } from '../../../kube/objects/raw.js';
import { ALL_RESOURCES, type Resource } from '../../cluster/resources.js';
import type { Lab } from '../../lab.js';
import { metadataOf } from './metadata.js';

const POLICY = 'CiliumLocalRedirectPolicy';
const KIND = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };

/** The definitions that Cilium's operator registers; that of local redirect policies where they are switched on. */
export function customResourceDefinitions(lab: Lab): RawObject[] {
  const { created } = lab.api.list('Node')[0]!;
  return ALL_RESOURCES.filter(
    ({ group, kind }) => group === 'cilium.io' && (kind !== POLICY || lab.running.localRedirectPolicy),
  ).map((resource) => definition(resource, created));
}

function definition({ kind, plural, short, group, apiVersion, namespaced }: Resource, created: number): RawObject {
  const version = apiVersion.slice(group.length + 1);
  return {
    ...KIND,
    metadata: metadataOf({ ...KIND, name: `${plural}.${group}`, created, version: 1 }),
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, shortNames: short, singular: kind.toLowerCase() },
      scope: namespaced ? 'Namespaced' : 'Cluster',
      versions: [{ name: version, served: true, storage: true }],
    },
  };
}
