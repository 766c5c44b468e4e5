import { describe, expect, it } from 'vitest';
import { mapFrontend } from '../../src/lrp/mapping.js';
import type { CandidateFrontend, CandidatePod, MappingRules } from '../../src/lrp/mapping.js';
import type { LocalRedirectPolicy, PortInfo } from '../../src/lrp/policy.js';
import { checkUnique } from '../../src/lrp/unique.js';

const dns: PortInfo = { port: 53, protocol: 'UDP', name: 'dns' };
const dnsTcp: PortInfo = { port: 53, protocol: 'TCP', name: 'dns-tcp' };
const frontends: Record<string, CandidateFrontend> = {
  dns: { ip: '10.96.0.10', port: 53, protocol: 'UDP', portName: 'dns' },
  dnsTcp: { ip: '10.96.0.10', port: 53, protocol: 'TCP', portName: 'dns-tcp' },
  metrics: { ip: '10.96.0.10', port: 9153, protocol: 'TCP', portName: 'metrics' },
  six: { ip: 'fd00::10', port: 53, protocol: 'UDP', portName: 'dns' },
};
const cache: CandidatePod = {
  namespace: 'kube-system',
  name: 'cache',
  labels: { app: 'cache' },
  ready: true,
  ips: ['172.20.0.211'],
  ports: [dns, dnsTcp],
  netns: 'pod/kube-system/cache',
};

const policy = (
  listed: readonly PortInfo[],
  backendPorts: readonly PortInfo[],
  kind: 'service' | 'address' = 'service',
): LocalRedirectPolicy => ({
  namespace: 'kube-system',
  name: 'p',
  frontend:
    kind === 'service'
      ? { kind, namespace: 'kube-system', name: 'kube-dns', ports: listed }
      : { kind, ip: '10.96.0.10', ports: listed },
  selector: [{ key: 'app', operator: 'In', values: ['cache'] }],
  backendPorts,
  skipRedirectFromBackend: false,
  description: '',
});

interface Row {
  readonly name: string;
  readonly policy: LocalRedirectPolicy;
  readonly frontend?: keyof typeof frontends;
  readonly total?: number;
  readonly pods?: readonly CandidatePod[];
  readonly rules?: MappingRules;
  readonly want: string;
}

const both = policy([], [dns, dnsTcp]);
const one = policy([], [dns]);
const rows: Row[] = [
  { name: 'all ports, by name', policy: both, want: '172.20.0.211:53/UDP' },
  { name: 'the other protocol', policy: both, frontend: 'dnsTcp', want: '172.20.0.211:53/TCP' },
  {
    name: 'a port without a backend of its name',
    policy: both,
    frontend: 'metrics',
    want: 'no backend port named metrics',
  },
  {
    name: 'a port that the policy does not list',
    policy: policy([dns], [dns]),
    frontend: 'dnsTcp',
    want: "port 53/TCP is not listed in the policy's frontend",
  },
  {
    name: 'a listed port under another name',
    policy: policy([{ ...dns, name: 'other' }], [dns]),
    want: '172.20.0.211:53/UDP',
  },
  {
    name: 'one TCP backend port takes the metrics port too',
    policy: policy([], [dnsTcp]),
    frontend: 'metrics',
    want: '172.20.0.211:53/TCP',
  },
  {
    name: 'one backend port of the other protocol',
    policy: one,
    frontend: 'metrics',
    want: 'backend port 53 is UDP, the frontend is TCP',
  },
  { name: 'no pod', policy: both, pods: [], want: 'no local pod is selected' },
  { name: 'another label', policy: both, pods: [{ ...cache, labels: { app: 'x' } }], want: 'no local pod is selected' },
  {
    name: 'another namespace',
    policy: both,
    pods: [{ ...cache, namespace: 'default' }],
    want: 'no local pod is selected',
  },
  { name: 'not ready', policy: both, pods: [{ ...cache, ready: false }], want: 'no selected local pod is ready' },
  {
    name: '1.18 wants the port declared',
    policy: one,
    pods: [{ ...cache, ports: [] }],
    want: 'no ready local pod declares the port 53/UDP',
  },
  {
    name: '1.18 wants the name too',
    policy: both,
    pods: [{ ...cache, ports: [{ ...dns, name: 'x' }] }],
    want: 'no ready local pod declares the port 53/UDP as dns',
  },
  {
    name: '1.18 wants the number too',
    policy: both,
    pods: [{ ...cache, ports: [{ ...dns, port: 5353 }] }],
    want: 'no ready local pod declares the port 53/UDP as dns',
  },
  {
    name: '1.17 with one port asks for no declaration',
    policy: one,
    total: 1,
    rules: '1.17',
    pods: [{ ...cache, ports: [] }],
    want: '172.20.0.211:53/UDP',
  },
  {
    name: '1.17 takes the policy number',
    policy: both,
    rules: '1.17',
    pods: [{ ...cache, ports: [{ ...dns, port: 5353 }] }],
    want: '172.20.0.211:53/UDP',
  },
  {
    name: '1.17 wants the name on the pod',
    policy: both,
    rules: '1.17',
    pods: [{ ...cache, ports: [] }],
    want: 'no ready local pod declares the port dns',
  },
  {
    name: '1.17 with several service ports goes by name',
    policy: one,
    frontend: 'metrics',
    rules: '1.17',
    want: 'no backend port named metrics',
  },
  {
    name: '1.17 goes by the name in the policy',
    policy: policy([dns, { ...dnsTcp, name: 'x' }], [dns, dnsTcp]),
    frontend: 'dnsTcp',
    rules: '1.17',
    want: 'no backend port named x',
  },
  {
    name: 'an address goes by the name in the policy',
    policy: policy([{ ...dns, name: 'x' }, dnsTcp], [dns, dnsTcp], 'address'),
    want: 'no backend port named x',
  },
  { name: 'no address of the family', policy: both, frontend: 'six', want: 'no ready local pod has an IPv6 address' },
];

describe('mapFrontend', () => {
  it.each(rows)('$name', ({ policy: given, frontend = 'dns', total = 3, pods = [cache], rules = '1.18', want }) => {
    const status = mapFrontend(given, frontends[frontend]!, total, pods, rules);
    const got = status.redirected
      ? status.backends.map((b) => `${b.ip}:${b.port}/${b.protocol}`).join(' ')
      : status.reason;
    expect(got).toBe(want);
  });

  it('lists several backends by name of the pod', () => {
    const status = mapFrontend(
      both,
      frontends['dns']!,
      3,
      [
        { ...cache, name: 'b', ips: ['172.20.0.1'] },
        { ...cache, name: 'a', ips: ['172.20.0.2'] },
      ],
      '1.18',
    );
    expect(status.backends.map((backend) => backend.pod)).toEqual(['kube-system/a', 'kube-system/b']);
  });
});

describe('by 1.17 rules there is one policy', () => {
  const at = (ip: string, ...ports: readonly PortInfo[]): LocalRedirectPolicy => ({
    ...one,
    frontend: { kind: 'address', ip, ports },
  });
  const of = (name: string, namespace = 'kube-system'): LocalRedirectPolicy => ({
    ...one,
    namespace,
    frontend: { kind: 'service', namespace, name, ports: [] },
  });
  const SERVICE = 'a policy for service dns already exists in namespace kube-system: p';
  const ADDRESS = '192.0.2.1:53/UDP is already redirected by policy kube-system/p';
  it.each([
    { name: 'for a service', policies: [of('dns'), of('dns')], error: SERVICE },
    { name: 'for each service', policies: [of('dns'), of('web')], error: undefined },
    { name: 'for a service in each namespace', policies: [of('dns'), of('dns', 'shop')], error: undefined },
    {
      name: 'for an address and a port',
      policies: [at('192.0.2.1', dnsTcp, dns), at('192.0.2.1', dns)],
      error: ADDRESS,
    },
    { name: 'for each protocol', policies: [at('192.0.2.1', dns), at('192.0.2.1', dnsTcp)], error: undefined },
    {
      name: 'for each port',
      policies: [at('192.0.2.1', dns), at('192.0.2.1', { ...dns, port: 54 })],
      error: undefined,
    },
    { name: 'for each address', policies: [at('192.0.2.1', dns), at('192.0.2.2', dns)], error: undefined },
    { name: 'for a service and an address', policies: [of('dns'), at('192.0.2.1', dns)], error: undefined },
    { name: 'for an address and a service', policies: [at('192.0.2.1', dns), of('dns')], error: undefined },
  ])('$name', ({ policies: [policy, other], error }) => {
    const check = () => checkUnique(policy!, [of('other'), other!]);
    if (error === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(error);
  });
});
