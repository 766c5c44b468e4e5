import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALL_FIELDS, DNS_FIELDS, KUBE_KINDS } from '../../src/kube/objects/objects.js';
import type { KubeKind } from '../../src/kube/objects/objects.js';
import { Trimmer } from '../../src/kube/intake/trim.js';
import { collectGarbage } from '../support/garbage.js';
import { RecordedLog, pod, service, slice } from '../support/kube.js';

function trim(kind: KubeKind, raw: unknown, fields = ALL_FIELDS) {
  const log = new RecordedLog();
  return { object: new Trimmer(fields, log).trim(kind, raw), log: log.lines };
}

const spec = (rest: Record<string, unknown>) => ({ metadata: { name: 'web' }, spec: rest });
const endpoints = (...list: unknown[]) => ({
  metadata: { name: 'web-a', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: list,
});

describe('services', () => {
  it.each([
    {
      name: 'one without anything',
      raw: { metadata: { name: 'web' } },
      want: {
        namespace: 'default',
        type: 'ClusterIP',
        headless: false,
        clusterIps: [],
        externalName: '',
        ports: [],
        publishNotReadyAddresses: false,
        ipFamilies: [],
      },
    },
    {
      name: 'a single old-style address',
      raw: spec({ clusterIP: '10.96.0.1' }),
      want: { clusterIps: ['10.96.0.1'], ipFamilies: ['IPv4'] },
    },
    {
      name: 'two families',
      raw: spec({ clusterIPs: ['fd96:0::0030', '10.96.0.1'] }),
      want: { clusterIps: ['fd96::30', '10.96.0.1'], ipFamilies: ['IPv6', 'IPv4'] },
    },
    {
      name: 'headless',
      raw: spec({ clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv6'] }),
      want: { headless: true, clusterIps: [], ipFamilies: ['IPv6'] },
    },
    {
      name: 'ExternalName, with a leftover address',
      raw: spec({ type: 'ExternalName', externalName: 'www.example.org', clusterIP: '10.96.0.1' }),
      want: { type: 'ExternalName', headless: false, externalName: 'www.example.org', clusterIps: [] },
    },
    {
      name: 'an external name without the type',
      raw: spec({ externalName: 'www.example.org' }),
      want: { type: 'ClusterIP', externalName: '' },
    },
    {
      name: 'ports',
      raw: spec({
        ports: [{ port: 80 }, { name: 'dns', port: 53, protocol: 'UDP', targetPort: 'dns', nodePort: 30053 }],
      }),
      want: {
        ports: [
          { name: '', port: 80, protocol: 'TCP' },
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 'dns', nodePort: 30053 },
        ],
      },
    },
    {
      name: 'selector and labels',
      raw: { metadata: { name: 'web', labels: { a: 'b', n: 7 } }, spec: { selector: { app: 'web' } } },
      want: { selector: { app: 'web' }, labels: { a: 'b' } },
    },
    {
      name: 'outside addresses',
      raw: {
        ...spec({ externalIPs: ['192.0.2.1'] }),
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }, { hostname: 'x' }] } },
      },
      want: { externalIps: ['192.0.2.1', '192.0.2.2'] },
    },
    {
      name: 'as many outside addresses of its own as of load balancers',
      raw: {
        ...spec({ externalIPs: ['192.0.2.1'] }),
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } },
      },
      want: { externalIps: ['192.0.2.1', '192.0.2.2'] },
    },
    {
      name: 'publishNotReadyAddresses',
      raw: spec({ publishNotReadyAddresses: true }),
      want: { publishNotReadyAddresses: true },
    },
  ])('reads $name', ({ raw, want }) => {
    const { object, log } = trim('Service', raw);
    expect(object).toMatchObject(want);
    expect(log).toEqual([]);
  });

  it.each([
    {
      name: 'an invalid address',
      raw: spec({ clusterIPs: ['10.96.0.300', '10.96.0.1'] }),
      want: { clusterIps: ['10.96.0.1'] },
      message: 'debug Service default/web: invalid cluster address "10.96.0.300" left out',
    },
    {
      name: 'a port out of range',
      raw: spec({ ports: [{ port: 70000 }, { port: 1 }] }),
      want: { ports: [{ port: 1 }] },
      message: 'debug Service default/web: invalid port {"port":70000} left out',
    },
    {
      name: 'an unknown protocol',
      raw: spec({ ports: [{ port: 1, protocol: 'ICMP' }] }),
      want: { ports: [] },
      message: 'debug Service default/web: invalid port {"port":1,"protocol":"ICMP"} left out',
    },
  ])('drops $name', ({ raw, want, message }) => {
    const { object, log } = trim('Service', raw);
    expect(object).toMatchObject(want);
    expect(log).toEqual([message]);
  });

  it('leaves out for DNS what DNS does not need', () => {
    expect(
      trim(
        'Service',
        service(
          'web',
          {
            selector: { a: 'b' },
            externalIPs: ['192.0.2.1'],
            ports: [{ port: 80, targetPort: 8080, nodePort: 30000 }],
          },
          { labels: { a: 'b' } },
        ),
        DNS_FIELDS,
      ).object,
    ).toEqual({
      kind: 'Service',
      namespace: 'default',
      name: 'web',
      type: 'ClusterIP',
      headless: false,
      clusterIps: ['10.96.0.1'],
      externalName: '',
      ports: [{ name: '', port: 80, protocol: 'TCP' }],
      publishNotReadyAddresses: false,
      ipFamilies: ['IPv4'],
      externalIps: ['192.0.2.1'],
      loadBalancerNames: [],
    });
  });

  it('shares what repeats', () => {
    const trimmer = new Trimmer(ALL_FIELDS, new RecordedLog());
    const [a, b] = ['a', 'b'].map((name) => trimmer.trim('Service', service(name, { selector: { x: 'y' } })));
    expect(a).toHaveProperty('ports');
    expect((a as { ports: unknown }).ports).toBe((b as { ports: unknown }).ports);
    expect((a as { selector: unknown }).selector).toBe((b as { selector: unknown }).selector);
  });
});

describe('endpoint slices', () => {
  it.each([
    {
      name: 'no conditions as ready',
      raw: endpoints({ addresses: ['10.0.0.1'] }),
      want: [{ addresses: ['10.0.0.1'], ready: true, serving: true, terminating: false }],
    },
    {
      name: 'null conditions as unknown',
      raw: endpoints({ addresses: ['10.0.0.1'], conditions: { ready: null, serving: null } }),
      want: [{ ready: true, serving: true }],
    },
    {
      name: 'not ready',
      raw: endpoints({ addresses: ['10.0.0.1'], conditions: { ready: false } }),
      want: [{ ready: false, serving: false }],
    },
    {
      name: 'terminating, still serving',
      raw: endpoints({ addresses: ['10.0.0.1'], conditions: { ready: false, serving: true, terminating: true } }),
      want: [{ ready: false, serving: true, terminating: true }],
    },
    {
      name: 'names and places',
      raw: endpoints({
        addresses: ['10.0.0.1'],
        hostname: 'db-0',
        nodeName: 'n',
        zone: 'z',
        targetRef: { kind: 'Pod', name: 'db-0' },
      }),
      want: [{ hostname: 'db-0', target: 'db-0', node: 'n', zone: 'z' }],
    },
    { name: 'no pod', raw: endpoints({ addresses: ['10.0.0.1'] }), want: [{ target: undefined }] },
    {
      name: 'the longest pod name that is a label',
      raw: endpoints({ addresses: ['10.0.0.1'], targetRef: { name: 'x'.repeat(63) } }),
      want: [{ target: 'x'.repeat(63) }],
    },
    {
      name: 'a pod name too long for a label',
      raw: endpoints({ addresses: ['10.0.0.1'], targetRef: { name: 'x'.repeat(64) } }),
      want: [{ target: undefined }],
    },
  ])('reads $name', ({ raw, want }) => {
    const { object, log } = trim('EndpointSlice', raw);
    expect(object).toMatchObject({ service: 'web', endpoints: want });
    expect(log).toEqual([]);
  });

  it.each([
    {
      name: 'an invalid address',
      raw: endpoints({ addresses: ['x', '10.0.0.1'] }),
      want: [{ addresses: ['10.0.0.1'] }],
      message: 'debug EndpointSlice default/web-a: invalid endpoint address "x" left out',
    },
    {
      name: 'an endpoint without a usable address',
      raw: endpoints({ addresses: [7] }),
      want: [],
      message: 'debug EndpointSlice default/web-a: invalid endpoint address 7 left out',
    },
    {
      name: 'a hostname that is no label',
      raw: endpoints({ addresses: ['10.0.0.1'], hostname: 'a.b' }),
      want: [{ hostname: undefined }],
      message: 'debug EndpointSlice default/web-a: invalid hostname "a.b" left out',
    },
  ])('drops $name', ({ raw, want, message }) => {
    const { object, log } = trim('EndpointSlice', raw);
    expect(object).toMatchObject({ endpoints: want });
    expect(log).toEqual([message]);
  });

  it('tells a port for all from a port that is none', () => {
    const { object, log } = trim('EndpointSlice', {
      ...slice('web', []),
      ports: [{ name: 'any', port: null }, {}, { port: 'x' }],
    });
    expect(object).toMatchObject({
      ports: [
        { name: 'any', port: undefined },
        { name: '', port: undefined },
      ],
    });
    expect(log).toEqual(['debug EndpointSlice default/web-a: invalid port {"port":"x"} left out']);
  });

  it('takes slices of names', () => {
    const { object, log } = trim('EndpointSlice', slice('web', ['a.test', 'A b', '10.0.0.1'], { addressType: 'FQDN' }));
    expect(object).toMatchObject({ addressType: 'FQDN', endpoints: [{ addresses: ['a.test'] }] });
    expect(log).toEqual([
      'debug EndpointSlice default/web-a: invalid endpoint address "A b" left out',
      'debug EndpointSlice default/web-a: invalid endpoint address "10.0.0.1" left out',
    ]);
  });

  it('passes over slices of unknown addresses', () => {
    const { object, log } = trim('EndpointSlice', slice('web', [], { addressType: 'IPv5' }));
    expect(object).toBeUndefined();
    expect(log).toEqual(['debug EndpointSlice default/web-a left out: addresses of type "IPv5" cannot be answered']);
  });

  it('leaves out for DNS what DNS does not need', () => {
    const { object } = trim(
      'EndpointSlice',
      endpoints({ addresses: ['10.0.0.1'], hostname: 'h', nodeName: 'n', zone: 'z', targetRef: { name: 'p' } }),
      DNS_FIELDS,
    );
    expect(object).toMatchObject({
      endpoints: [{ hostname: 'h', node: undefined, zone: undefined, target: undefined }],
    });
  });
});

describe('pods, namespaces and nodes', () => {
  it('reads a pod', () => {
    const raw = pod(
      'p',
      '10.0.0.1',
      { app: 'x' },
      {
        metadata: { deletionTimestamp: '2025-07-30T00:00:00Z' },
        spec: {
          hostNetwork: true,
          hostname: 'h',
          subdomain: 's',
          dnsPolicy: 'None',
          dnsConfig: { searches: ['a.test', 7], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
          containers: [{ ports: [{ name: 'http', containerPort: 80 }] }, {}],
        },
        status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
      },
    );
    expect(trim('Pod', raw).object).toEqual({
      kind: 'Pod',
      namespace: 'default',
      name: 'p',
      ips: ['10.0.0.1', 'fd00::1'],
      phase: 'Running',
      ready: true,
      terminating: true,
      hostNetwork: true,
      node: 'node-1',
      labels: { app: 'x' },
      hostname: 'h',
      subdomain: 's',
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      dns: { policy: 'None', searches: ['a.test'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
    });
  });

  it.each([
    { name: 'the one address', status: { podIP: '10.0.0.1' }, want: ['10.0.0.1'] },
    { name: 'that of no list', status: { podIP: '10.0.0.1', podIPs: [] }, want: ['10.0.0.1'] },
    { name: 'the list before it', status: { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.2' }] }, want: ['10.0.0.2'] },
  ])('reads of a pod $name', ({ status, want }) =>
    expect(trim('Pod', { metadata: { name: 'p' }, status }).object).toMatchObject({ ips: want }),
  );

  it('reads a pod that has nothing yet', () => {
    expect(trim('Pod', { metadata: { name: 'p' } }).object).toMatchObject({
      ips: [],
      phase: 'Pending',
      ready: false,
      terminating: false,
      hostNetwork: false,
      ports: [],
      dns: { policy: 'ClusterFirst', searches: [], options: [] },
    });
  });

  it('leaves out for DNS what DNS does not need of a pod', () => {
    const spec = { dnsPolicy: 'None', containers: [{ ports: [{ containerPort: 80 }] }] };
    const { object } = trim('Pod', { metadata: { name: 'p' }, spec }, DNS_FIELDS);
    expect(object).toMatchObject({ ports: [], dns: undefined });
  });

  it('reads a namespace and a node', () => {
    expect(trim('Namespace', { metadata: { name: 'n', labels: { a: 'b' } } }).object).toEqual({
      kind: 'Namespace',
      name: 'n',
      labels: { a: 'b' },
    });
    const node = {
      metadata: { name: 'k8s-w1' },
      spec: { podCIDR: '10.244.1.0/24' },
      status: { addresses: [{ type: 'InternalIP', address: '192.168.10.101' }, { type: 'Hostname' }] },
    };
    expect(trim('Node', node).object).toEqual({
      kind: 'Node',
      name: 'k8s-w1',
      addresses: [{ type: 'InternalIP', address: '192.168.10.101' }],
      podCidrs: ['10.244.1.0/24'],
      labels: undefined,
    });
  });
});

describe('what cannot be used', () => {
  it.each([
    {
      name: 'no name',
      kind: 'Service',
      raw: {},
      message: 'debug Service default/"" left out: its name is no DNS name',
    },
    {
      name: 'an upper-case name',
      kind: 'Service',
      raw: { metadata: { name: 'Web' } },
      message: 'debug Service default/"Web" left out: its name is no DNS name',
    },
    {
      name: 'a dotted service name',
      kind: 'Service',
      raw: { metadata: { name: 'a.b' } },
      message: 'debug Service default/"a.b" left out: its name is no DNS name',
    },
    {
      name: 'a name of 64 octets',
      kind: 'Namespace',
      raw: { metadata: { name: 'x'.repeat(64) } },
      message: `debug Namespace "${'x'.repeat(64)}" left out: its name is no DNS name`,
    },
    {
      name: 'an invalid namespace',
      kind: 'Pod',
      raw: { metadata: { name: 'p', namespace: 'a.b' } },
      message: 'debug Pod a.b/"p" left out: its namespace is no DNS name',
    },
    {
      name: 'an unknown service type',
      kind: 'Service',
      raw: spec({ type: 'Odd' }),
      message: 'debug Service default/web left out: type "Odd" is unknown',
    },
  ] as const)('leaves out $name', ({ kind, raw, message }) => {
    const { object, log } = trim(kind, raw);
    expect(object).toBeUndefined();
    expect(log).toEqual([message]);
  });

  it('takes dotted names where Kubernetes does', () => {
    expect(trim('Pod', { metadata: { name: 'coredns-1.13.2' } }).object).toBeDefined();
    expect(trim('Node', { metadata: { name: 'n1.example.org' } }).object).toBeDefined();
  });

  it('never throws', () => {
    const shapes = {
      metadata: { name: 'x', namespace: 'y' },
      spec: { ports: [{ port: 1 }], clusterIPs: ['1.1.1.1'] },
      status: { podIPs: [{}] },
      endpoints: [{ addresses: ['1.1.1.1'], conditions: {} }],
      ports: [{}],
    };
    const keys = fc.constantFrom('metadata', 'spec', 'status', 'endpoints', 'ports', 'addressType');
    fc.assert(
      fc.property(fc.constantFrom(...KUBE_KINDS), keys, fc.anything(), (kind, key, value) => {
        trim(kind, { ...shapes, [key]: value });
        trim(kind, value);
      }),
    );
  });
});

describe('memory', () => {
  const used = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const COUNT = 5000;

  // Of which 16 are the list's that holds them, and some 150 the names and addresses.
  it.each([
    {
      name: 'a service',
      kind: 'Service' as const,
      most: 330,
      raw: (i: number) => ({
        metadata: { name: `web-${i}` },
        spec: { clusterIPs: [`10.96.${i >> 8}.${i & 255}`], ports: [{ name: 'http', port: 80 }] },
      }),
    },
    {
      name: 'a slice of one endpoint',
      kind: 'EndpointSlice' as const,
      most: 430,
      raw: (i: number) => ({
        metadata: { name: `web-${i}-x7k2p`, labels: { 'kubernetes.io/service-name': `web-${i}` } },
        endpoints: [{ addresses: [`172.20.${i >> 8}.${i & 255}`] }],
        ports: [{ name: 'http', port: 80 }],
      }),
    },
  ])('$name takes at most $most bytes', ({ kind, raw, most }) => {
    const trimmer = new Trimmer(DNS_FIELDS, new RecordedLog());
    const make = (i: number) => trimmer.trim(kind, JSON.parse(JSON.stringify(raw(i))));
    Array.from({ length: 100 }, (_, i) => make(i));
    const measured = (): number => {
      const before = used();
      const kept = Array.from({ length: COUNT }, (_, i) => make(i));
      return (used() - before) / kept.length;
    };
    // What other tests of this process have left behind may go at any time: the middle one of three.
    const [, each] = [measured(), measured(), measured()].sort((a, b) => a - b);
    expect(each).toBeGreaterThan(100);
    expect(each).toBeLessThan(most);
  });
});
