import { requireIp, requirePort } from '../address.js';
import { TopologyError } from '../errors.js';
import { byId, frontendKey } from './service.js';
import type { Backend, BackendSpec, Frontend, ServiceSpec } from './service.js';
import { byText } from '../../lib/order.js';

interface ServiceEntry {
  readonly spec: ServiceSpec;
  /** By port name. */
  readonly ids: ReadonlyMap<string, number>;
  readonly backends: readonly (Backend & { readonly portName: string })[];
  readonly frontends: readonly Frontend[];
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
const portKey = (name: string, protocol: string): string => `${name}/${protocol}`;
/** A node port is a frontend of its own, with its own number. */
const nodePortKey = (name: string): string => `${name}/nodePort`;

/** All services of the cluster with their backends, as every agent holds them. Redirects lie over it node by node. */
export class ServiceTable {
  private readonly entries = new Map<string, ServiceEntry>();
  private readonly byAddress = new Map<string, Frontend>();
  private readonly byId = new Map<number, Frontend>();
  private readonly byNodePort = new Map<string, Frontend>();
  private readonly usedIds = new Set<number>();
  private nextId = 1;
  private readonly backendIds = new Map<string, number>();
  private nextBackendId = 1;
  /** Rises with each change, so that what is derived from the table knows when it is stale. */
  version = 0;

  /** Adds or replaces a service; its backends stay. Throws a TopologyError that names the field. */
  set(spec: ServiceSpec, path = `services.${spec.namespace}/${spec.name}`): void {
    const key = keyOf(spec.namespace, spec.name);
    const checked = checkService(spec, path);
    const old = this.entries.get(key);
    for (const ip of addressesOf(checked)) {
      for (const port of checked.ports) {
        const holder = this.byAddress.get(frontendKey(ip, port.port, port.protocol));
        if (holder && holder.owner !== key)
          throw new TopologyError(
            `${path}.clusterIPs`,
            `${ip} port ${port.port}/${port.protocol} belongs to ${holder.owner}`,
          );
      }
    }
    this.detach(old);
    const ids = new Map<string, number>();
    for (const [i, port] of checked.ports.entries()) {
      const name = portKey(port.name, port.protocol);
      ids.set(name, this.takeId(port.id ?? old?.ids.get(name), `${path}.ports[${i}].id`));
      if (port.nodePort !== undefined)
        ids.set(nodePortKey(name), this.takeId(old?.ids.get(nodePortKey(name)), `${path}.ports[${i}].nodePort`));
    }
    this.attach(key, { spec: checked, ids, backends: old?.backends ?? [], frontends: [] });
  }

  /** Replaces the backends of a service. Unknown services get none: an endpoint slice may outlive its service. */
  setBackends(namespace: string, name: string, backends: readonly BackendSpec[]): void {
    const key = keyOf(namespace, name);
    const entry = this.entries.get(key);
    if (!entry) return;
    const path = `services.${key}.backends`;
    const resolved = backends.map((backend, i) => ({
      id: this.backendId(backend),
      ip: requireIp(backend.ip, `${path}[${i}].ip`),
      port: requirePort(backend.port, `${path}[${i}].port`),
      protocol: backend.protocol,
      node: backend.node,
      state: backend.state ?? 'active',
      portName: backend.portName,
    }));
    this.detach(entry, true);
    this.attach(key, { ...entry, backends: resolved });
  }

  remove(namespace: string, name: string): boolean {
    const key = keyOf(namespace, name);
    const entry = this.entries.get(key);
    if (!entry) return false;
    this.detach(entry);
    this.entries.delete(key);
    this.version++;
    return true;
  }

  get(namespace: string, name: string): ServiceSpec | undefined {
    return this.entries.get(keyOf(namespace, name))?.spec;
  }

  /** The frontends of one service, in the order of its addresses and ports. */
  frontendsOf(namespace: string, name: string): readonly Frontend[] {
    return this.entries.get(keyOf(namespace, name))?.frontends ?? [];
  }

  lookup(ip: string, port: number, protocol: string): Frontend | undefined {
    return this.byAddress.get(frontendKey(ip, port, protocol));
  }

  /** The frontend that every node's address has at a node port. */
  lookupNodePort(port: number, protocol: string): Frontend | undefined {
    return this.byNodePort.get(portKey(String(port), protocol));
  }

  /** Whether any service has the address, on whatever port. */
  ownerOfAddress(ip: string): string | undefined {
    for (const entry of this.entries.values())
      if (addressesOf(entry.spec).includes(ip)) return keyOf(entry.spec.namespace, entry.spec.name);
    return undefined;
  }

  /** Specs by namespace and name. */
  specs(): readonly ServiceSpec[] {
    return [...this.entries].sort(([a], [b]) => byText(a, b)).map(([, entry]) => entry.spec);
  }

  /** All ClusterIP frontends, by number. */
  frontends(): readonly Frontend[] {
    return [...this.byAddress.values()].sort(byId);
  }

  /** Node port frontends with the wildcard address, by number. */
  nodePorts(): readonly Frontend[] {
    return [...this.byNodePort.values()].sort(byId);
  }

  /** Takes a number for something that is no service, such as an address of a policy. */
  reserveId(): number {
    return this.takeId(undefined, 'services');
  }

  /** Whether a number is that of a service's frontend. */
  ownsId(id: number): boolean {
    return this.frontendById(id) !== undefined;
  }

  /** The ClusterIP frontend with a number. */
  frontendById(id: number): Frontend | undefined {
    return this.byId.get(id);
  }

  releaseId(id: number): void {
    this.usedIds.delete(id);
  }

  private attach(key: string, entry: ServiceEntry): void {
    const frontends: Frontend[] = [];
    for (const port of entry.spec.ports) {
      const id = entry.ids.get(portKey(port.name, port.protocol))!;
      const backends = entry.backends.filter(
        (backend) => backend.portName === port.name && backend.protocol === port.protocol,
      );
      const base = {
        port: port.port,
        protocol: port.protocol,
        owner: key,
        portName: port.name,
        backends,
        affinity: entry.spec.affinity,
        localOnly: entry.spec.localOnly ?? false,
      };
      for (const ip of addressesOf(entry.spec)) frontends.push({ ...base, id, revNat: id, ip, type: 'ClusterIP' });
      if (port.nodePort === undefined) continue;
      const nodeId = entry.ids.get(nodePortKey(portKey(port.name, port.protocol)))!;
      const nodePort: Frontend = {
        ...base,
        id: nodeId,
        revNat: nodeId,
        ip: '0.0.0.0',
        port: port.nodePort,
        type: 'NodePort',
      };
      this.byNodePort.set(portKey(String(port.nodePort), port.protocol), nodePort);
    }
    for (const frontend of frontends) {
      this.byAddress.set(frontendKey(frontend.ip, frontend.port, frontend.protocol), frontend);
      this.byId.set(frontend.id, frontend);
    }
    this.entries.set(key, { ...entry, frontends });
    this.version++;
  }

  private detach(entry: ServiceEntry | undefined, keepIds = false): void {
    if (!entry) return;
    for (const frontend of entry.frontends) {
      this.byAddress.delete(frontendKey(frontend.ip, frontend.port, frontend.protocol));
      this.byId.delete(frontend.id);
    }
    for (const port of entry.spec.ports)
      if (port.nodePort !== undefined) this.byNodePort.delete(portKey(String(port.nodePort), port.protocol));
    if (!keepIds) for (const id of entry.ids.values()) this.usedIds.delete(id);
  }

  private takeId(wanted: number | undefined, path: string): number {
    if (wanted !== undefined) {
      if (this.usedIds.has(wanted)) throw new TopologyError(path, `service number ${wanted} is taken`);
      this.usedIds.add(wanted);
      return wanted;
    }
    while (this.usedIds.has(this.nextId)) this.nextId++;
    this.usedIds.add(this.nextId);
    return this.nextId++;
  }

  /** The number of a backend address; the same whenever it comes back. */
  backendId(backend: Pick<BackendSpec, 'ip' | 'port' | 'protocol'>): number {
    const key = `${frontendKey(backend.ip, backend.port, backend.protocol)}`;
    let id = this.backendIds.get(key);
    if (id === undefined) {
      id = this.nextBackendId++;
      this.backendIds.set(key, id);
    }
    return id;
  }
}

const addressesOf = (spec: ServiceSpec): readonly string[] =>
  spec.clusterIPs.filter((ip) => ip !== 'None' && ip !== '');

function checkService(spec: ServiceSpec, path: string): ServiceSpec {
  if (!spec.name) throw new TopologyError(`${path}.name`, 'a service needs a name');
  const names = new Set<string>();
  for (const [i, port] of spec.ports.entries()) {
    requirePort(port.port, `${path}.ports[${i}].port`);
    if (port.nodePort !== undefined) requirePort(port.nodePort, `${path}.ports[${i}].nodePort`);
    if (spec.ports.length > 1 && !port.name)
      throw new TopologyError(`${path}.ports[${i}].name`, 'ports need names when there are several');
    if (names.has(portKey(port.name, port.protocol)))
      throw new TopologyError(`${path}.ports[${i}].name`, `there are two ports named "${port.name}"`);
    names.add(portKey(port.name, port.protocol));
  }
  if (spec.affinity !== undefined && !(spec.affinity > 0 && spec.affinity <= 86_400)) {
    throw new TopologyError(`${path}.affinity`, `got ${spec.affinity}, want 1 to 86400 seconds`);
  }
  const clusterIPs = spec.clusterIPs.map((ip, i) =>
    ip === 'None' || ip === '' ? ip : requireIp(ip, `${path}.clusterIPs[${i}]`),
  );
  return { ...spec, clusterIPs };
}
