import { canonicalIp } from '../lib/cidr.js';
import { ManifestField } from './field.js';
import { LrpError } from './policy.js';
import type { LocalRedirectPolicy, PortInfo, RedirectFrontend } from './policy.js';
import { withoutSource } from './selector.js';
import type { Requirement, Selector } from './selector.js';

export const API_VERSION = 'cilium.io/v2';
export const KIND = 'CiliumLocalRedirectPolicy';

/** Service names of RFC 6335 section 5.1: letters, digits and single hyphens inside, with a letter among them. */
const IANA_SERVICE_NAME = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/;
const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** Reads a manifest, an object as YAML or JSON gives it. Throws an LrpError that names the field. */
export function parsePolicy(manifest: unknown): LocalRedirectPolicy {
  const root = new ManifestField(manifest, '').object('apiVersion', 'kind', 'metadata', 'spec', 'status');
  root('apiVersion').oneOf(API_VERSION);
  root('kind').oneOf(KIND);
  const metadata = root('metadata').object();
  const name = metadata('name').required('the name');
  const namespace = metadata('namespace').required('the namespace');
  const spec = root('spec').object('redirectFrontend', 'redirectBackend', 'skipRedirectFromBackend', 'description');
  const frontend = parseFrontend(spec('redirectFrontend'), namespace);
  const backend = spec('redirectBackend').object('localEndpointSelector', 'toPorts');
  const selector = parseSelector(backend('localEndpointSelector'));
  const toPorts = backend('toPorts');
  // With several frontend ports the backend's must be named too, even a single one.
  const backendPorts = parsePorts(toPorts, frontend.ports.length > 1);
  if (backendPorts.length === 0) toPorts.fail('invalid local redirect policy: there must be at least one backend port');
  if (frontend.ports.length === 1 && frontend.ports[0]!.protocol !== backendPorts[0]!.protocol) {
    throw new LrpError(
      `${toPorts.path}[0].protocol`,
      `backend protocol must match frontend protocol: got ${backendPorts[0]!.protocol}, want ${frontend.ports[0]!.protocol}`,
    );
  }
  return {
    namespace,
    name,
    frontend,
    selector,
    backendPorts,
    skipRedirectFromBackend: spec('skipRedirectFromBackend').boolean(false),
    description: spec('description').present ? spec('description').string() : '',
  };
}

function parseFrontend(field: ManifestField, policyNamespace: string): RedirectFrontend {
  const frontend = field.object('addressMatcher', 'serviceMatcher');
  const address = frontend('addressMatcher');
  const service = frontend('serviceMatcher');
  if (address.present && service.present) field.fail('both addressMatcher and serviceMatcher are given, want one');
  if (!address.present && !service.present) field.fail('both addressMatcher and serviceMatcher are empty, want one');
  if (address.present) {
    const matcher = address.object('ip', 'toPorts');
    const text = matcher('ip').required('the address');
    const ip = canonicalIp(text) ?? matcher('ip').fail(`invalid address matcher IP "${text}"`);
    const ports = parsePorts(matcher('toPorts'), false);
    if (ports.length === 0)
      matcher('toPorts').fail('invalid local redirect policy: an address needs at least one port');
    return { kind: 'address', ip, ports };
  }
  const matcher = service.object('serviceName', 'namespace', 'toPorts');
  const name = matcher('serviceName').required('the service name');
  const namespace = matcher('namespace').required('the service namespace');
  if (namespace !== policyNamespace)
    matcher('namespace').fail(
      `service namespace "${namespace}" differs from the policy's namespace "${policyNamespace}"`,
    );
  return {
    kind: 'service',
    namespace,
    name,
    ports: matcher('toPorts').present ? parsePorts(matcher('toPorts'), false) : [],
  };
}

function parsePorts(field: ManifestField, named: boolean): readonly PortInfo[] {
  if (!field.present) return [];
  const entries = field.list();
  const mustName = named || entries.length > 1;
  const seen = new Set<string>();
  return entries.map((entry) => {
    const port = entry.object('port', 'protocol', 'name');
    const name = port('name').present ? port('name').string().toLowerCase() : '';
    if (mustName && name === '') port('name').fail('port must have a valid IANA_SVC_NAME as there are multiple ports');
    if (name !== '' && !IANA_SERVICE_NAME.test(name))
      port('name').fail(
        `"${name}" isn't a valid IANA_SVC_NAME: 1 to 15 letters, digits and single hyphens, with a letter`,
      );
    if (name !== '' && seen.has(name)) port('name').fail(`there are two ports named ${name}`);
    seen.add(name);
    return { port: parsePort(port('port')), protocol: port('protocol').oneOf('TCP', 'UDP'), name };
  });
}

/** The API has ports as strings. */
function parsePort(field: ManifestField): number {
  const text = field.present ? field.string() : '';
  if (text === '') field.fail('port must be specified');
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) field.fail(`unable to parse port "${text}", want 1 to 65535`);
  if (Number(text) === 0) field.fail('port cannot be 0');
  return Number(text);
}

function parseSelector(field: ManifestField): Selector {
  if (!field.present) field.fail('the selector of the backends is missing');
  const selector = field.object('matchLabels', 'matchExpressions');
  const labels = selector('matchLabels');
  const requirements: Requirement[] = labels.present
    ? labels.strings().map(([key, value]) => ({ key: withoutSource(key), operator: 'In', values: [value] }))
    : [];
  const expressions = selector('matchExpressions');
  for (const entry of expressions.present ? expressions.list() : []) {
    const expression = entry.object('key', 'operator', 'values');
    const operator = expression('operator').oneOf(...OPERATORS);
    const values = expression('values').present
      ? expression('values')
          .list()
          .map((value) => value.string())
      : [];
    const needsValues = operator === 'In' || operator === 'NotIn';
    if (needsValues !== values.length > 0)
      expression('values').fail(needsValues ? `${operator} needs values` : `${operator} takes no values`);
    requirements.push({ key: withoutSource(expression('key').required('the key')), operator, values });
  }
  return requirements;
}

const IMMUTABLE = [
  { field: 'redirectFrontend', of: (policy: LocalRedirectPolicy) => policy.frontend },
  { field: 'redirectBackend', of: (policy: LocalRedirectPolicy) => [policy.selector, policy.backendPorts] },
  { field: 'skipRedirectFromBackend', of: (policy: LocalRedirectPolicy) => policy.skipRedirectFromBackend },
] as const;

/** What the API server refuses to change in a policy that exists: all but the description. Throws an LrpError. */
export function assertUpdatable(old: LocalRedirectPolicy, next: LocalRedirectPolicy): void {
  for (const { field, of } of IMMUTABLE) {
    if (JSON.stringify(of(old)) !== JSON.stringify(of(next)))
      throw new LrpError(`spec.${field}`, `${field} is immutable`);
  }
}
