import { compareIps } from '../../datapath/address.js';
import type { ServiceSpec } from '../../datapath/loadbalancer/service.js';
import { hash32 } from '../../datapath/packet.js';
import type { World } from '../../datapath/world.js';
import { age, NONE, orNone, row } from './kind.js';
import type { KubectlKind } from './kind.js';

/** Addresses of endpoints that are spelled out; the rest is counted. */
const SHOWN = 3;

export const services: KubectlKind = {
  resource: 'services',
  singular: 'service',
  names: ['svc', 'service', 'services'],
  namespaced: true,
  columns: ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE'],
  wideColumns: ['SELECTOR'],
  rows: (world, facts) =>
    world.services.specs().map((spec) => {
      const { namespace, name } = spec;
      const ports = spec.ports
        .map(({ port, nodePort, protocol }) => `${port}${nodePort === undefined ? '' : `:${nodePort}`}/${protocol}`)
        .join(',');
      const external = spec.type === 'LoadBalancer' ? '<pending>' : NONE;
      return row(
        namespace,
        name,
        [
          spec.type ?? 'ClusterIP',
          orNone(spec.clusterIPs[0] ?? ''),
          external,
          orNone(ports),
          age(facts.ages.of('service', namespace, name)),
        ],
        [facts.selector?.(namespace, name) ?? NONE],
        facts.labels?.('service', namespace, name),
      );
    }),
};

interface ServiceEndpoints {
  /** Ports in the order in which the endpoint controller sorts them: by name. */
  readonly ports: readonly number[];
  readonly addresses: readonly string[];
}

function endpointsOf(world: World, { namespace, name }: ServiceSpec): ServiceEndpoints {
  const byName = new Map<string, number>();
  const addresses = new Set<string>();
  for (const frontend of world.services.frontendsOf(namespace, name)) {
    for (const backend of frontend.backends) {
      if (backend.state !== 'active') continue;
      byName.set(`${frontend.portName}/${frontend.protocol}`, backend.port);
      addresses.add(backend.ip);
    }
  }
  return { ports: [...byName.values()], addresses: [...addresses].sort(compareIps) };
}

function shortened(texts: readonly string[]): string {
  if (texts.length === 0) return NONE;
  const rest = texts.length - SHOWN;
  return texts.slice(0, SHOWN).join(',') + (rest > 0 ? ` + ${rest} more...` : '');
}

export const endpoints: KubectlKind = {
  resource: 'endpoints',
  singular: 'endpoints',
  names: ['ep', 'endpoints'],
  namespaced: true,
  columns: ['NAME', 'ENDPOINTS', 'AGE'],
  wideColumns: [],
  warning: 'Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  rows: (world, { ages }) =>
    world.services.specs().map((spec) => {
      const { ports, addresses } = endpointsOf(world, spec);
      const all = ports.flatMap((port) => addresses.map((ip) => `${ip}:${port}`));
      return row(spec.namespace, spec.name, [shortened(all), age(ages.of('service', spec.namespace, spec.name))]);
    }),
};

/** Letters of generated names: no vowels, and no digits that look like letters. */
const NAME_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

function generatedSuffix(name: string): string {
  let seed = hash32(name);
  return Array.from({ length: 5 }, () => {
    const letter = NAME_LETTERS[seed % NAME_LETTERS.length]!;
    seed = Math.floor(seed / NAME_LETTERS.length);
    return letter;
  }).join('');
}

export const endpointSlices: KubectlKind = {
  resource: 'endpointslices.discovery.k8s.io',
  singular: 'endpointslice.discovery.k8s.io',
  names: ['endpointslice', 'endpointslices'],
  namespaced: true,
  columns: ['NAME', 'ADDRESSTYPE', 'PORTS', 'ENDPOINTS', 'AGE'],
  wideColumns: [],
  rows: (world, { ages }) =>
    world.services.specs().map((spec) => {
      const { ports, addresses } = endpointsOf(world, spec);
      const text = ports.length === 0 ? '<unset>' : shortened([...new Set(ports)].map(String));
      const type = spec.clusterIPs[0]?.includes(':') ? 'IPv6' : 'IPv4';
      const name = `${spec.name}-${generatedSuffix(`${spec.namespace}/${spec.name}`)}`;
      return row(
        spec.namespace,
        name,
        [
          type,
          text,
          addresses.length === 0 ? '<unset>' : shortened(addresses),
          age(ages.of('service', spec.namespace, spec.name)),
        ],
        [],
        { 'kubernetes.io/service-name': spec.name },
      );
    }),
};
