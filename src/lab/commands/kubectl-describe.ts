import { objectAt, textAt } from '../../kube/raw.js';
import { loadYaml } from '../../kube/yaml.js';
import { labelsOf } from '../cluster/cluster-api.js';
import { CommandError } from '../session/command.js';
import type { CommandIo } from '../session/command.js';
import { parseOptions } from '../session/options.js';
import { dataOf } from '../pods/pod-files.js';
import { kindNamed, namespaceOf } from './kinds.js';
import { podNamed } from './spots.js';

const listed = (labels: Readonly<Record<string, string>>): string => Object.entries(labels).map(([key, value]) => `${key}=${value}`).join('\n              ') || '<none>';

/** `kubectl describe` of a ConfigMap, Pod or Service; other kinds are told to use `get -o yaml`. */
export function describe(args: readonly string[], io: CommandIo): number {
  const options = parseOptions('kubectl describe', args, [{ name: '--namespace', short: '-n', value: true }]);
  const [word = '', given] = options.words;
  const [kind = '', inline] = word.split('/', 2);
  const resource = kindNamed(kind);
  const name = inline ?? given;
  const namespace = resource.namespaced ? namespaceOf(options) : '';
  if (name === undefined) throw new CommandError('error: kubectl describe needs a name: kubectl describe KIND NAME');
  const object = io.lab.api.get(resource.kind, namespace, name);
  if (!object) throw new CommandError(`Error from server (NotFound): ${resource.plural} "${name}" not found`);
  const head = [`Name:         ${name}`, ...(namespace === '' ? [] : [`Namespace:    ${namespace}`]), `Labels:       ${listed(labelsOf(object.raw))}`];
  if (resource.kind === 'ConfigMap') {
    const data = Object.entries(dataOf(object.raw)).flatMap(([key, text]) => [`${key}:`, '----', text]);
    return print([...head, 'Annotations:  <none>', '', 'Data', '====', ...data, '', 'BinaryData', '====', '', 'Events:  <none>'], io);
  }
  const spec = objectAt(object.raw, 'spec');
  if (resource.kind === 'Service') {
    const slices = io.lab.store.slicesOf(namespace, name);
    const endpoints = slices.flatMap((slice) => slice.ports.map((port) => `${port.name || '<unset>'} ${slice.endpoints.flatMap((endpoint) => endpoint.addresses.map((address) => `${address}:${port.port ?? ''}${endpoint.ready ? '' : ' (not ready)'}`)).join(',')}`));
    return print([...head, `Selector:     ${listed(objectAt(spec, 'selector') as Record<string, string>)}`, `Type:         ${textAt(spec, 'type') || 'ClusterIP'}`, `IP:           ${textAt(spec, 'clusterIP')}`, ...endpoints.map((line) => `Endpoints:    ${line}`)], io);
  }
  if (resource.kind === 'Pod') {
    const pod = podNamed(io.lab, name, namespace);
    const { endpoint } = pod.model;
    return print([
      ...head, `Node:         ${pod.model.spec.node}/${pod.model.node.internalIp}`, `Status:       ${pod.state}`, `IP:           ${pod.model.ip}`, `Ready:        ${pod.model.ready ? 'True' : 'False'}`,
      `Program:      ${pod.program.kind}`, ...(endpoint ? [`Endpoint:     ${endpoint.id} identity ${endpoint.identity} device ${endpoint.device}`] : [pod.model.unmanaged ? 'Endpoint:     none: the agent does not manage this address any more' : 'Endpoint:     none (host network)']),
      'resolv.conf:', ...(pod.files.read('/etc/resolv.conf') ?? '').trimEnd().split('\n').map((line) => `  ${line}`),
    ], io);
  }
  return print([...head, ...loadYaml().stringify({ Spec: spec }).trimEnd().split('\n')], io);
}

function print(lines: readonly string[], io: CommandIo): number {
  io.write(`${lines.join('\n')}\n`);
  return 0;
}
