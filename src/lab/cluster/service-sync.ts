import type { BackendSpec, L4Protocol } from '../../datapath/loadbalancer/service.js';
import type { World } from '../../datapath/world.js';
import type { EndpointSlice, Service } from '../../kube/objects/objects.js';
import type { KubeStore } from '../../kube/store/store.js';
import type { ServicePin } from '../topology/topology.js';

/**
 * Does what the agents do with services and endpoint slices: keeps the datapath's tables in step with the store.
 * Returns the function that ends it.
 */
export function followServices(store: KubeStore, world: World, pins: readonly ServicePin[]): () => void {
  return store.changes.subscribe((change) => {
    if (change.kind === 'Service') {
      const { old, new: next } = change;
      if (next) setService(next);
      else world.removeService(old!.namespace, old!.name);
    } else if (change.kind === 'EndpointSlice') {
      const slice = (change.new ?? change.old)!;
      setBackends(slice.namespace, slice.service);
    }
  });

  function setService(service: Service): void {
    const { namespace, name } = service;
    const first = pins.find((pin) => pin.namespace === namespace && pin.name === name)?.firstId;
    world.setService({
      namespace,
      name,
      type: service.type,
      clusterIPs: service.headless ? ['None'] : service.clusterIps,
      ports: service.ports.flatMap((port, i) =>
        isL4(port.protocol)
          ? [
              {
                name: port.name,
                port: port.port,
                protocol: port.protocol,
                ...(port.nodePort !== undefined && { nodePort: port.nodePort }),
                ...(first !== undefined && { id: first + i }),
              },
            ]
          : [],
      ),
    });
    setBackends(namespace, name);
  }

  function setBackends(namespace: string, name: string): void {
    const service = store.service(namespace, name);
    if (!service || !hasFrontend(service)) return;
    world.setBackends(namespace, name, store.slicesOf(namespace, name).flatMap(backendsOf));
  }
}

const isL4 = (protocol: string): protocol is L4Protocol => protocol === 'UDP' || protocol === 'TCP';

/** Headless and ExternalName services are names only. */
const hasFrontend = (service: Service): boolean => service.clusterIps.length > 0 && service.type !== 'ExternalName';

function backendsOf(slice: EndpointSlice): BackendSpec[] {
  if (slice.addressType === 'FQDN') return [];
  return slice.endpoints.flatMap(({ addresses, ready, serving, terminating, node }) => {
    if (!ready && !(serving && terminating)) return [];
    return slice.ports.flatMap(({ name, port, protocol }): BackendSpec[] => {
      if (port === undefined || !isL4(protocol)) return [];
      return addresses.slice(0, 1).map((ip) => ({
        portName: name,
        ip,
        port,
        protocol,
        state: ready ? 'active' : 'terminating',
        ...(node !== undefined && { node }),
      }));
    });
  });
}
