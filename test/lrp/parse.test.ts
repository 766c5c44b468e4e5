import { describe, expect, it } from 'vitest';
import { assertUpdatable, parsePolicy } from '../../src/lrp/parse.js';
import { LrpError, frontendTypeText } from '../../src/lrp/policy.js';

const dns = { port: '53', protocol: 'UDP', name: 'dns' };
const dnsTcp = { port: '53', protocol: 'TCP', name: 'dns-tcp' };
const service = { serviceMatcher: { serviceName: 'kube-dns', namespace: 'kube-system' } };
const backend = { localEndpointSelector: { matchLabels: { 'k8s-app': 'node-local-dns' } }, toPorts: [dns, dnsTcp] };

const manifest = (spec: object, metadata: object = { name: 'nodelocaldns', namespace: 'kube-system' }): object => ({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumLocalRedirectPolicy',
  metadata,
  spec,
});

/** A manifest with some parts of the frontend or backend replaced. */
const withFrontend = (redirectFrontend: object): object => manifest({ redirectFrontend, redirectBackend: backend });
const withBackend = (change: object): object =>
  manifest({ redirectFrontend: service, redirectBackend: { ...backend, ...change } });
const address = (change: object): object =>
  withFrontend({ addressMatcher: { ip: '169.254.20.10', toPorts: [dns, dnsTcp], ...change } });

describe('parsePolicy', () => {
  it('reads the policy of the node cache', () => {
    expect(parsePolicy(manifest({ redirectFrontend: service, redirectBackend: backend }))).toEqual({
      namespace: 'kube-system',
      name: 'nodelocaldns',
      frontend: { kind: 'service', namespace: 'kube-system', name: 'kube-dns', ports: [] },
      selector: [{ key: 'k8s-app', operator: 'In', values: ['node-local-dns'] }],
      backendPorts: [
        { port: 53, protocol: 'UDP', name: 'dns' },
        { port: 53, protocol: 'TCP', name: 'dns-tcp' },
      ],
      skipRedirectFromBackend: false,
      description: '',
    });
  });

  it('lowers port names and canonicalises addresses', () => {
    const policy = parsePolicy(address({ ip: '2001:DB8:0::1', toPorts: [{ ...dns, name: 'DNS' }, dnsTcp] }));
    expect(policy.frontend).toMatchObject({ ip: '2001:db8::1', ports: [{ name: 'dns' }, { name: 'dns-tcp' }] });
  });

  it('reads match expressions and drops the source of a key', () => {
    const policy = parsePolicy(
      withBackend({
        localEndpointSelector: {
          matchLabels: { 'k8s:app': 'a' },
          matchExpressions: [
            { key: 'any:tier', operator: 'NotIn', values: ['x'] },
            { key: 'old', operator: 'DoesNotExist' },
          ],
        },
      }),
    );
    expect(policy.selector).toEqual([
      { key: 'app', operator: 'In', values: ['a'] },
      { key: 'tier', operator: 'NotIn', values: ['x'] },
      { key: 'old', operator: 'DoesNotExist', values: [] },
    ]);
  });

  it.each([
    { name: 'service, all ports', frontend: service, text: 'clusterIP + all svc ports' },
    {
      name: 'service, one port',
      frontend: { serviceMatcher: { ...service.serviceMatcher, toPorts: [dns] } },
      text: 'clusterIP + port',
    },
    {
      name: 'service, one port without a name',
      frontend: { serviceMatcher: { ...service.serviceMatcher, toPorts: [{ port: '53', protocol: 'UDP' }] } },
      text: 'clusterIP + port',
    },
    {
      name: 'service, two ports',
      frontend: { serviceMatcher: { ...service.serviceMatcher, toPorts: [dns, dnsTcp] } },
      text: 'clusterIP + named ports',
    },
    { name: 'address, one port', frontend: { addressMatcher: { ip: '10.0.0.1', toPorts: [dns] } }, text: 'IP + port' },
    {
      name: 'address, two ports',
      frontend: { addressMatcher: { ip: '10.0.0.1', toPorts: [dns, dnsTcp] } },
      text: 'IP + named ports',
    },
  ])('names the frontend type: $name', ({ frontend, text }) => {
    expect(frontendTypeText(parsePolicy(withFrontend(frontend)).frontend)).toBe(text);
  });

  it.each([
    { name: 'no object', input: 'x', error: ': got string "x", want an object' },
    {
      name: 'wrong kind',
      input: { ...manifest({}), kind: 'Service' },
      error: 'kind: got "Service", want CiliumLocalRedirectPolicy',
    },
    {
      name: 'wrong version',
      input: { ...manifest({}), apiVersion: 'cilium.io/v1' },
      error: 'apiVersion: got "cilium.io/v1", want cilium.io/v2',
    },
    { name: 'no name', input: manifest({}, { namespace: 'a' }), error: 'metadata.name: the name is empty' },
    { name: 'no namespace', input: manifest({}, { name: 'a' }), error: 'metadata.namespace: the namespace is empty' },
    { name: 'no spec', input: manifest(undefined as never), error: 'spec: got nothing, want an object' },
    {
      name: 'unknown field',
      input: manifest({ redirectFronted: {} }),
      error:
        'spec.redirectFronted: unknown field, want one of redirectFrontend, redirectBackend, skipRedirectFromBackend, description',
    },
    {
      name: 'no matcher',
      input: withFrontend({}),
      error: 'spec.redirectFrontend: both addressMatcher and serviceMatcher are empty, want one',
    },
    {
      name: 'both matchers',
      input: withFrontend({ ...service, addressMatcher: { ip: '10.0.0.1', toPorts: [dns] } }),
      error: 'spec.redirectFrontend: both addressMatcher and serviceMatcher are given, want one',
    },
    {
      name: 'bad address',
      input: address({ ip: '10.0.0.256' }),
      error: 'spec.redirectFrontend.addressMatcher.ip: invalid address matcher IP "10.0.0.256"',
    },
    {
      name: 'address without ports',
      input: address({ toPorts: [] }),
      error:
        'spec.redirectFrontend.addressMatcher.toPorts: invalid local redirect policy: an address needs at least one port',
    },
    {
      name: 'no service name',
      input: withFrontend({ serviceMatcher: { namespace: 'kube-system' } }),
      error: 'spec.redirectFrontend.serviceMatcher.serviceName: the service name is empty',
    },
    {
      name: 'foreign namespace',
      input: withFrontend({ serviceMatcher: { serviceName: 'a', namespace: 'b' } }),
      error:
        'spec.redirectFrontend.serviceMatcher.namespace: service namespace "b" differs from the policy\'s namespace "kube-system"',
    },
    {
      name: 'port missing',
      input: address({ toPorts: [{ protocol: 'UDP' }] }),
      error: 'spec.redirectFrontend.addressMatcher.toPorts[0].port: port must be specified',
    },
    {
      name: 'port as a number',
      input: withBackend({ toPorts: [{ ...dns, port: 53 }] }),
      error: 'spec.redirectBackend.toPorts[0].port: got number 53, want a string',
    },
    {
      name: 'port zero',
      input: withBackend({ toPorts: [{ ...dns, port: '0' }] }),
      error: 'spec.redirectBackend.toPorts[0].port: port cannot be 0',
    },
    {
      name: 'port too large',
      input: withBackend({ toPorts: [{ ...dns, port: '65536' }] }),
      error: 'spec.redirectBackend.toPorts[0].port: unable to parse port "65536", want 1 to 65535',
    },
    {
      name: 'unknown protocol',
      input: withBackend({ toPorts: [{ ...dns, protocol: 'SCTP' }] }),
      error: 'spec.redirectBackend.toPorts[0].protocol: got "SCTP", want TCP or UDP',
    },
    {
      name: 'unnamed among several',
      input: withBackend({ toPorts: [dns, { ...dnsTcp, name: undefined }] }),
      error: 'spec.redirectBackend.toPorts[1].name: port must have a valid IANA_SVC_NAME as there are multiple ports',
    },
    {
      name: 'unnamed backend of several frontends',
      input: manifest({
        redirectFrontend: { serviceMatcher: { ...service.serviceMatcher, toPorts: [dns, dnsTcp] } },
        redirectBackend: { ...backend, toPorts: [{ port: '53', protocol: 'UDP' }] },
      }),
      error: 'spec.redirectBackend.toPorts[0].name: port must have a valid IANA_SVC_NAME as there are multiple ports',
    },
    {
      name: 'bad name',
      input: withBackend({ toPorts: [{ ...dns, name: 'dns--1' }] }),
      error:
        'spec.redirectBackend.toPorts[0].name: "dns--1" isn\'t a valid IANA_SVC_NAME: 1 to 15 letters, digits and single hyphens, with a letter',
    },
    {
      name: 'a name twice',
      input: withBackend({ toPorts: [dns, { ...dnsTcp, name: 'dns' }] }),
      error: 'spec.redirectBackend.toPorts[1].name: there are two ports named dns',
    },
    {
      name: 'no backend port',
      input: withBackend({ toPorts: [] }),
      error: 'spec.redirectBackend.toPorts: invalid local redirect policy: there must be at least one backend port',
    },
    {
      name: 'other protocol behind one port',
      input: manifest({
        redirectFrontend: { serviceMatcher: { ...service.serviceMatcher, toPorts: [dns] } },
        redirectBackend: { ...backend, toPorts: [dnsTcp] },
      }),
      error:
        'spec.redirectBackend.toPorts[0].protocol: backend protocol must match frontend protocol: got TCP, want UDP',
    },
    {
      name: 'no selector',
      input: withBackend({ localEndpointSelector: undefined }),
      error: 'spec.redirectBackend.localEndpointSelector: the selector of the backends is missing',
    },
    {
      name: 'operator without values',
      input: withBackend({ localEndpointSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }),
      error: 'spec.redirectBackend.localEndpointSelector.matchExpressions[0].values: In needs values',
    },
    {
      name: 'values without need',
      input: withBackend({
        localEndpointSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
      }),
      error: 'spec.redirectBackend.localEndpointSelector.matchExpressions[0].values: Exists takes no values',
    },
    {
      name: 'unknown operator',
      input: withBackend({ localEndpointSelector: { matchExpressions: [{ key: 'a', operator: 'Like' }] } }),
      error:
        'spec.redirectBackend.localEndpointSelector.matchExpressions[0].operator: got "Like", want In or NotIn or Exists or DoesNotExist',
    },
    {
      name: 'labels as a list',
      input: withBackend({ localEndpointSelector: { matchLabels: ['a'] } }),
      error: 'spec.redirectBackend.localEndpointSelector.matchLabels: got a list, want an object',
    },
    {
      name: 'ports as an object',
      input: withBackend({ toPorts: { port: '53' } }),
      error: 'spec.redirectBackend.toPorts: got an object, want a list',
    },
    {
      name: 'skip as a string',
      input: manifest({ redirectFrontend: service, redirectBackend: backend, skipRedirectFromBackend: 'yes' }),
      error: 'spec.skipRedirectFromBackend: got string "yes", want true or false',
    },
  ])('refuses: $name', ({ input, error }) => {
    expect(() => parsePolicy(input)).toThrow(LrpError);
    expect(() => parsePolicy(input)).toThrow(error);
  });
});

describe('assertUpdatable', () => {
  const old = parsePolicy(manifest({ redirectFrontend: service, redirectBackend: backend, description: 'a' }));

  it('lets the description change', () => {
    expect(() => assertUpdatable(old, { ...old, description: 'b' })).not.toThrow();
  });

  it.each([
    {
      name: 'frontend',
      next: { ...old, frontend: { ...old.frontend, ports: [{ port: 53, protocol: 'UDP' as const, name: '' }] } },
      error: 'spec.redirectFrontend: redirectFrontend is immutable',
    },
    { name: 'backend', next: { ...old, selector: [] }, error: 'spec.redirectBackend: redirectBackend is immutable' },
    {
      name: 'skip',
      next: { ...old, skipRedirectFromBackend: true },
      error: 'spec.skipRedirectFromBackend: skipRedirectFromBackend is immutable',
    },
  ])('refuses another $name', ({ next, error }) => {
    expect(() => assertUpdatable(old, next)).toThrow(error);
  });
});
