import { serviceVariable, variablePrefix } from '../../nodelocal/corefile-template.js';
import type { KubeStore } from '../../kube/store/store.js';
import { arrayAt, asObject, objectAt, textAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import { containersOf } from '../cluster/cluster-api.js';
import type { Service } from '../../kube/objects/objects.js';

type Env = Record<string, string>;

/** The container's own variables, and where the services of its namespace are. */
export function environmentOf(store: KubeStore, namespace: string, raw: RawObject, node: string): Env {
  const env = serviceEnv(store, namespace);
  const [container = {}] = containersOf(raw);
  for (const variable of arrayAt(container, 'env').map(asObject)) {
    const name = textAt(variable, 'name');
    const field = textAt(objectAt(objectAt(variable, 'valueFrom'), 'fieldRef'), 'fieldPath');
    if (typeof variable['value'] === 'string') env[name] = variable['value'];
    else if (field === 'spec.nodeName') env[name] = node;
  }
  return env;
}

/** The service that every pod is told of, whatever its namespace. */
const API = { namespace: 'default', name: 'kubernetes' };

/**
 * Variables in which kubelets tell a container where services are: those of its namespace with an address, and the
 * API, as they were when it started. Names and values: Kubernetes, "Accessing the Service", environment variables.
 */
export function serviceEnv(store: KubeStore, namespace: string): Env {
  const own = [...store.in('Service', namespace)];
  const api = [...store.in('Service', API.namespace)].filter(({ name }) => name === API.name);
  const all = namespace === API.namespace ? own : [...api, ...own];
  return Object.assign({}, ...all.map(variablesOf)) as Record<string, string>;
}

/** Of services that are as they were: each pod of a namespace is told of all of them. */
const known = new WeakMap<Service, Record<string, string>>();

function variablesOf(service: Service): Record<string, string> {
  const before = known.get(service);
  if (before) return before;
  const vars = madeOf(service);
  known.set(service, vars);
  return vars;
}

function madeOf(service: Service): Record<string, string> {
  const [ip] = service.clusterIps;
  if (ip === undefined || ip === 'None') return {};
  const prefix = variablePrefix(service.name);
  const vars: Record<string, string> = { [serviceVariable(service.name)]: ip };
  service.ports.forEach(({ name, port, protocol }, i) => {
    const url = `${protocol.toLowerCase()}://${ip}:${port}`;
    if (i === 0) Object.assign(vars, { [`${prefix}_SERVICE_PORT`]: String(port), [`${prefix}_PORT`]: url });
    if (name !== '') vars[`${prefix}_SERVICE_PORT_${variablePrefix(name)}`] = String(port);
    const link = `${prefix}_PORT_${port}_${protocol}`;
    Object.assign(vars, {
      [link]: url,
      [`${link}_PROTO`]: protocol.toLowerCase(),
      [`${link}_PORT`]: String(port),
      [`${link}_ADDR`]: ip,
    });
  });
  return vars;
}
