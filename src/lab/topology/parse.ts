import path from 'node:path';
import type { DatapathConfig } from '../../datapath/config.js';
import { defaultConfig, resolveConfig } from '../../datapath/config.js';
import type { IpamConfig } from '../../datapath/ipam/ipam.js';
import { TopologyError } from '../../datapath/errors.js';
import type { InterfaceSpec, StaticRoute } from '../../datapath/cluster/node.js';
import { parseManifest } from '../../kube/manifests/parse.js';
import type { ManifestObject } from '../../kube/manifests/parse.js';
import { parseCidr, parseIp } from '../../lib/cidr.js';
import { readYaml } from './reader.js';
import type { YamlPlace } from './reader.js';
import type { LabHost, LabNode, PodPin, ServicePin, Topology } from './topology.js';

/**
 * How files that a topology names are read; paths are as written, joined to the folder of the topology. Throws a
 * NodeJS.ErrnoException.
 */
export type ReadFile = (file: string) => string;

const MAX_IDENTITY = 65_535;
const MAX_DELAY = 10_000;
const MAX_NUMBER = 2 ** 31 - 1;

/**
 * Reads a topology. Throws a LabFileError, or a ManifestError for its manifests, that begins with file, line and
 * column.
 */
export function parseTopology(file: string, text: string, readFile: ReadFile): Topology {
  const root = readYaml(file, text);
  const at = root.members('name', 'seed', 'cluster', 'cilium', 'corefiles', 'nodes', 'hosts', 'pins', 'manifests');
  const cluster = at('cluster').members('domain', 'dns', 'serviceCidr');
  const cilium = at('cilium').members('settings', 'ipam', 'localRedirectPolicy');
  const corefiles = new Map(
    at('corefiles')
      .entries()
      .map(([name, place]) => [name, place.text()]),
  );
  const pins = at('pins').members('pods', 'services');
  const nodes = at('nodes').list().map(parseNode);
  if (nodes.length === 0) at('nodes').fail('got nothing, allowed: a list with a node or more');
  return {
    name: at('name').text(),
    seed: at('seed').present ? at('seed').number(0, MAX_NUMBER) : 1,
    cluster: {
      domain: cluster('domain').textOr('cluster.local'),
      dns: address(cluster('dns')),
      serviceCidr: block(cluster('serviceCidr')),
    },
    settings: parseSettings(cilium('settings')),
    ipam: parseIpam(cilium('ipam')),
    localRedirectPolicy: cilium('localRedirectPolicy').flag(false),
    nodes,
    hosts: at('hosts')
      .list()
      .map((place) => parseHost(place, corefiles)),
    podPins: pins('pods').list().map(parsePodPin),
    servicePins: pins('services').list().map(parseServicePin),
    manifests: at('manifests')
      .list()
      .flatMap((place) => parseManifests(place, file, readFile)),
  };
}

function address(place: YamlPlace): string {
  const text = place.text();
  if (!parseIp(text)) place.fail(`got "${text}", allowed: an IP address`);
  return text;
}

function block(place: YamlPlace): string {
  const text = place.text();
  if (!parseCidr(text)) place.fail(`got "${text}", allowed: an address block such as 10.96.0.0/16`);
  return text;
}

function parseSettings(place: YamlPlace): Partial<DatapathConfig> {
  const known = [...Object.keys(defaultConfig), 'nativeRoutingCidr', 'ipMasqAgent', 'kubeProxyClusterCidr'];
  place.members(...known);
  const settings = (place.value ?? {}) as Partial<DatapathConfig>;
  try {
    resolveConfig(settings, place.path);
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    const key = error.path.slice(place.path.length + 1).split(/[.[]/, 1)[0]!;
    return place
      .members(...known)(key)
      .fail(error.message.slice(error.path.length + 2));
  }
  return settings;
}

function parseIpam(place: YamlPlace): IpamConfig {
  const at = place.members('mode', 'clusterCidr', 'maskSize', 'clusterPoolCidrs', 'pools', 'preAllocation');
  at('pools')
    .list()
    .forEach((pool) => pool.members('name', 'cidrs', 'maskSize'));
  return {
    ...(place.value as IpamConfig | undefined),
    mode: at('mode').present ? at('mode').oneOf('kubernetes', 'cluster-pool', 'multi-pool') : 'cluster-pool',
  };
}

function parseInterface(place: YamlPlace): InterfaceSpec {
  const at = place.members('name', 'addresses', 'segment', 'mac', 'mtu', 'gateway', 'dhcp');
  const dhcp = at('dhcp').members('dns', 'metric');
  return {
    name: at('name').text(),
    addresses: at('addresses').texts(),
    ...(at('segment').present && { segment: at('segment').text() }),
    ...(at('mac').present && { mac: at('mac').text() }),
    ...(at('mtu').present && { mtu: at('mtu').number(68, 65_535) }),
    ...(at('gateway').present && { gateway: address(at('gateway')) }),
    ...(at('dhcp').present && {
      dhcp: {
        ...(dhcp('dns').present && { dns: address(dhcp('dns')) }),
        ...(dhcp('metric').present && { metric: dhcp('metric').number(0, MAX_NUMBER) }),
      },
    }),
  };
}

function parseRoute(place: YamlPlace): StaticRoute {
  const at = place.members('to', 'via', 'device');
  return {
    to: at('to').text(),
    ...(at('via').present && { via: address(at('via')) }),
    ...(at('device').present && { device: at('device').text() }),
  };
}

function parseNode(place: YamlPlace): LabNode {
  const at = place.members(
    'name',
    'interfaces',
    'internalIp',
    'externalIps',
    'routes',
    'podCidr',
    'routerIp',
    'hostEndpointId',
    'apiServer',
    'resolvConf',
  );
  return {
    name: at('name').text(),
    interfaces: at('interfaces').list().map(parseInterface),
    routes: at('routes').list().map(parseRoute),
    externalIps: at('externalIps').texts(),
    apiServer: at('apiServer').flag(false),
    resolvConf: at('resolvConf').text(),
    ...(at('internalIp').present && { internalIp: address(at('internalIp')) }),
    ...(at('podCidr').present && { podCidr: block(at('podCidr')) }),
    ...(at('routerIp').present && { routerIp: address(at('routerIp')) }),
    ...(at('hostEndpointId').present && { hostEndpointId: at('hostEndpointId').number(1, 4095) }),
  };
}

function parseHost(place: YamlPlace, corefiles: ReadonlyMap<string, string>): LabHost {
  const at = place.members('name', 'interfaces', 'routes', 'forward', 'corefile', 'upstream', 'delay', 'web');
  const name = at('corefile').textOr(undefined);
  const corefile = name === undefined ? undefined : corefiles.get(name);
  if (name !== undefined && corefile === undefined)
    at('corefile').fail(
      `got "${name}", allowed: a key of corefiles (${[...corefiles.keys()].join(', ') || 'none is there'})`,
    );
  return {
    name: at('name').text(),
    interfaces: at('interfaces').list().map(parseInterface),
    routes: at('routes').list().map(parseRoute),
    forward: at('forward').flag(false),
    upstream: at('upstream').flag(false),
    delay: at('delay').present ? at('delay').number(0, MAX_DELAY) : 0,
    ...(corefile !== undefined && { corefile }),
    ...(at('web').present && { web: at('web').text() }),
  };
}

function parsePodPin(place: YamlPlace): PodPin {
  const at = place.members(
    'namespace',
    'name',
    'of',
    'node',
    'ip',
    'identity',
    'endpointId',
    'device',
    'ifindex',
    'mac',
    'nodeMac',
  );
  const of = at('of').textOr(undefined);
  if (of !== undefined && !/^(deployment|daemonset)\/[^/]+$/.test(of))
    at('of').fail(`got "${of}", allowed: deployment/NAME or daemonset/NAME`);
  return {
    namespace: at('namespace').textOr('default'),
    name: at('name').text(),
    ...(of !== undefined && { of }),
    ...(at('node').present && { node: at('node').text() }),
    ...(at('ip').present && { ip: address(at('ip')) }),
    ...(at('identity').present && { identity: at('identity').number(256, MAX_IDENTITY) }),
    ...(at('endpointId').present && { endpointId: at('endpointId').number(1, 4095) }),
    ...(at('device').present && { device: at('device').text() }),
    ...(at('ifindex').present && { ifindex: at('ifindex').number(1, MAX_NUMBER) }),
    ...(at('mac').present && { mac: at('mac').text() }),
    ...(at('nodeMac').present && { nodeMac: at('nodeMac').text() }),
  };
}

function parseServicePin(place: YamlPlace): ServicePin {
  const at = place.members('namespace', 'name', 'clusterIP', 'firstId');
  return {
    namespace: at('namespace').textOr('default'),
    name: at('name').text(),
    clusterIP: address(at('clusterIP')),
    ...(at('firstId').present && { firstId: at('firstId').number(1, MAX_IDENTITY) }),
  };
}

/** An entry is a file, or manifests written in place. Errors name the latter by the line on which they begin. */
function parseManifests(place: YamlPlace, file: string, readFile: ReadFile): readonly ManifestObject[] {
  const at = place.members('file', 'inline');
  if (at('file').present === at('inline').present)
    place.fail('got both or none of file and inline, allowed: one of them');
  if (at('inline').present) {
    const text = at('inline').text();
    // Empty lines before the text, so that errors name the line in the topology; the text begins below the key.
    return [...parseManifest(file, '\n'.repeat(at('inline').line) + text)];
  }
  const name = path.join(path.dirname(file), at('file').text());
  try {
    return [...parseManifest(name, readFile(name))];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return at('file').fail(
      `cannot read ${name}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`,
    );
  }
}
