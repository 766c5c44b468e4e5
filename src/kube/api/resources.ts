import type { KubeKind } from '../objects/objects.js';

/** Where the API keeps each kind. */
export const PATHS: Readonly<Record<KubeKind, string>> = {
  Service: '/api/v1/services',
  Pod: '/api/v1/pods',
  Namespace: '/api/v1/namespaces',
  Node: '/api/v1/nodes',
  EndpointSlice: '/apis/discovery.k8s.io/v1/endpointslices',
  ServiceImport: '/apis/multicluster.x-k8s.io/v1alpha1/serviceimports',
};

/** Which state a list must not be older than: `0` takes what a server has at hand, empty asks for the newest. */
export type ListFrom = string;

/** How the API is told what a list must not be older than. */
export function versionQuery(from: ListFrom): Record<string, string> {
  if (from === '') return {};
  return from === '0' ? { resourceVersion: '0' } : { resourceVersion: from, resourceVersionMatch: 'NotOlderThan' };
}

/** The same for a watch that begins with all there is (API concepts, "Streaming lists"). */
export function initialQuery(from: ListFrom): Record<string, string> {
  return {
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
    ...(from !== '' && { resourceVersion: from }),
  };
}
