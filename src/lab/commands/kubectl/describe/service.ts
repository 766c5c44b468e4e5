import { arrayAt, asObject, flagAt, objectAt, textAt, textMapAt } from '../../../../kube/objects/raw.js';
import type { RawObject } from '../../../../kube/objects/raw.js';
import { labelsOf } from '../../../cluster/cluster-api.js';
import { nameIn, namespaceIn } from '../metadata.js';
import { Sheet } from './sheet.js';

/** Addresses that are spelled out; the rest is counted. */
const SHOWN = 3;

export function describeService(service: RawObject, slices: readonly RawObject[]): string {
  const sheet = new Sheet();
  const spec = objectAt(service, 'spec');
  sheet.head(service);
  const selector = Object.entries(textMapAt(spec, 'selector') ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  sheet.add(0, 'Selector:', selector || '<none>');
  sheet.add(0, 'Type:', textAt(spec, 'type'));
  if (textAt(spec, 'ipFamilyPolicy') !== '') sheet.add(0, 'IP Family Policy:', textAt(spec, 'ipFamilyPolicy'));
  sheet.add(0, 'IP Families:', arrayAt(spec, 'ipFamilies').join(',') || '<none>');
  sheet.add(0, 'IP:', textAt(spec, 'clusterIP'));
  sheet.add(0, 'IPs:', arrayAt(spec, 'clusterIPs').join(',') || '<none>');
  if (textAt(spec, 'externalName') !== '') sheet.add(0, 'External Name:', textAt(spec, 'externalName'));
  const own = slices.filter(
    (slice) =>
      namespaceIn(slice) === namespaceIn(service) && labelsOf(slice)['kubernetes.io/service-name'] === nameIn(service),
  );
  for (const port of arrayAt(spec, 'ports').map(asObject)) {
    const name = textAt(port, 'name') || '<unset>';
    sheet.add(0, 'Port:', name, `${String(port['port'])}/${textAt(port, 'protocol')}`);
    sheet.add(0, 'TargetPort:', `${String(port['targetPort'])}/${textAt(port, 'protocol')}`);
    if (port['nodePort'] !== undefined)
      sheet.add(0, 'NodePort:', name, `${Number(port['nodePort'])}/${textAt(port, 'protocol')}`);
    sheet.add(0, 'Endpoints:', endpointsText(own, textAt(port, 'name')));
  }
  sheet.add(0, 'Session Affinity:', textAt(spec, 'sessionAffinity'));
  if (textAt(spec, 'externalTrafficPolicy') !== '')
    sheet.add(0, 'External Traffic Policy:', textAt(spec, 'externalTrafficPolicy'));
  if (textAt(spec, 'internalTrafficPolicy') !== '')
    sheet.add(0, 'Internal Traffic Policy:', textAt(spec, 'internalTrafficPolicy'));
  sheet.events();
  return sheet.text();
}

/** Ready addresses with the port of a name: the first three, and how many more. */
function endpointsText(slices: readonly RawObject[], portName: string): string {
  const all = slices.flatMap((slice) =>
    arrayAt(slice, 'ports')
      .filter((port) => textAt(port, 'name') === portName)
      .flatMap((port) =>
        arrayAt(slice, 'endpoints')
          .filter((one) => flagAt(objectAt(one, 'conditions'), 'ready') !== false)
          .map((one) => {
            const ip = String(arrayAt(one, 'addresses')[0]);
            return `${ip.includes(':') ? `[${ip}]` : ip}:${String(asObject(port)['port'])}`;
          }),
      ),
  );
  return all.slice(0, SHOWN).join(',') + (all.length > SHOWN ? ` + ${all.length - SHOWN} more...` : '');
}

export function describeSlice(slice: RawObject): string {
  const sheet = new Sheet();
  sheet.head(slice);
  sheet.add(0, 'AddressType:', textAt(slice, 'addressType'));
  ports(sheet, 0, arrayAt(slice, 'ports'));
  const endpoints = arrayAt(slice, 'endpoints');
  if (endpoints.length === 0) sheet.add(0, 'Endpoints:', '<none>');
  else {
    sheet.add(0, 'Endpoints:');
    for (const endpoint of endpoints) describeEndpoint(sheet, asObject(endpoint));
  }
  sheet.events();
  return sheet.text();
}

function ports(sheet: Sheet, level: number, list: readonly unknown[]): void {
  if (list.length === 0) return sheet.add(level, 'Ports:', '<unset>');
  sheet.add(level, 'Ports:');
  sheet.add(level + 1, 'Name', 'Port', 'Protocol');
  sheet.add(level + 1, '----', '----', '--------');
  for (const port of list)
    sheet.add(
      level + 1,
      textAt(port, 'name') || '<unset>',
      asObject(port)['port'] === undefined ? '<unset>' : String(Number(asObject(port)['port'])),
      textAt(port, 'protocol'),
    );
}

function describeEndpoint(sheet: Sheet, endpoint: RawObject): void {
  const target = objectAt(endpoint, 'targetRef');
  sheet.add(1, '- Addresses:', arrayAt(endpoint, 'addresses').join(', '));
  sheet.add(2, 'Conditions:');
  sheet.add(3, 'Ready:', String(flagAt(objectAt(endpoint, 'conditions'), 'ready') ?? '<unset>'));
  sheet.add(2, 'Hostname:', textAt(endpoint, 'hostname') || '<unset>');
  if (textAt(target, 'name') !== '') sheet.add(2, 'TargetRef:', `${textAt(target, 'kind')}/${textAt(target, 'name')}`);
  sheet.add(2, 'NodeName:', textAt(endpoint, 'nodeName') || '<unset>');
  sheet.add(2, 'Zone:', textAt(endpoint, 'zone') || '<unset>');
}

export function describeEndpoints(endpoints: RawObject): string {
  const sheet = new Sheet();
  sheet.head(endpoints);
  sheet.add(0, 'Subsets:');
  for (const subset of arrayAt(endpoints, 'subsets')) {
    const list = (key: string): string =>
      arrayAt(subset, key)
        .map((one) => textAt(one, 'ip'))
        .join(',') || '<none>';
    sheet.add(1, 'Addresses:', list('addresses'));
    sheet.add(1, 'NotReadyAddresses:', list('notReadyAddresses'));
    ports(sheet, 1, arrayAt(subset, 'ports'));
    sheet.add(0, '');
  }
  sheet.events();
  return sheet.text();
}
