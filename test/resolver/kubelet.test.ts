import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/lib/random.js';
import { kubeletResolvConf, type PodDnsInput } from '../../src/resolver/index.js';

const POD: PodDnsInput = {
  dnsPolicy: 'ClusterFirst',
  hostNetwork: false,
  clusterDNS: ['10.96.0.10'],
  clusterDomain: 'cluster.local',
  namespace: 'default',
  podName: 'curl-pod',
  hostResolvConf:
    '# host\nnameserver 10.0.2.3\nnameserver 10.0.2.4\nsearch old\nsearch Davolink lan.\noptions edns0 trust-ad\n',
};
const LIMIT = 'Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ';

describe('kubeletResolvConf', () => {
  it.each([
    {
      name: 'ClusterFirst',
      input: {},
      text: 'search default.svc.cluster.local svc.cluster.local cluster.local Davolink lan\nnameserver 10.96.0.10\noptions ndots:5\n',
    },
    {
      name: 'ClusterFirst as on the transcripts',
      input: { hostResolvConf: 'search Davolink\n' },
      text: 'search default.svc.cluster.local svc.cluster.local cluster.local Davolink\nnameserver 10.96.0.10\noptions ndots:5\n',
    },
    {
      name: 'ClusterFirst in the host network is Default',
      input: { hostNetwork: true },
      text: 'search Davolink lan\nnameserver 10.0.2.3\nnameserver 10.0.2.4\noptions edns0 trust-ad\n',
    },
    {
      name: 'ClusterFirstWithHostNet',
      input: { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true },
      text: 'search default.svc.cluster.local svc.cluster.local cluster.local Davolink lan\nnameserver 10.96.0.10\noptions ndots:5\n',
    },
    {
      name: 'Default',
      input: { dnsPolicy: 'Default' },
      text: 'search Davolink lan\nnameserver 10.0.2.3\nnameserver 10.0.2.4\noptions edns0 trust-ad\n',
    },
    {
      name: 'Default without a host file',
      input: { dnsPolicy: 'Default', hostResolvConf: undefined },
      text: 'search .\nnameserver 127.0.0.1\n',
    },
    {
      name: 'None',
      input: {
        dnsPolicy: 'None',
        dnsConfig: {
          nameservers: ['1.2.3.4'],
          searches: ['my.search'],
          options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
        },
      },
      text: 'search my.search\nnameserver 1.2.3.4\noptions ndots:2 edns0\n',
    },
    {
      name: 'a dnsConfig on top',
      input: {
        dnsConfig: {
          nameservers: ['1.2.3.4', '10.96.0.10'],
          searches: ['lan', 'more'],
          options: [{ name: 'ndots', value: '2' }, { name: 'rotate' }],
        },
      },
      text: 'search default.svc.cluster.local svc.cluster.local cluster.local Davolink lan more\nnameserver 10.96.0.10\nnameserver 1.2.3.4\noptions ndots:2 rotate\n',
    },
    {
      name: "a host domain that is the cluster's is named once",
      input: { hostResolvConf: 'search cluster.local' },
      text: 'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
    },
    {
      name: 'no cluster domain',
      input: { clusterDomain: '' },
      text: 'search Davolink lan\nnameserver 10.96.0.10\noptions ndots:5\n',
    },
    {
      name: 'a host file that says little',
      input: { dnsPolicy: 'Default', hostResolvConf: 'nameserver\nsearch .\n' },
      text: 'search .\n',
    },
  ] as { name: string; input: Partial<PodDnsInput>; text: string }[])('$name', ({ input, text }) =>
    expect(kubeletResolvConf({ ...POD, ...input })).toMatchObject({ text, events: [] }),
  );

  it('no cluster DNS: as Default, with a warning', () => {
    const got = kubeletResolvConf({ ...POD, clusterDNS: [] });
    expect(got.servers).toEqual(['10.0.2.3', '10.0.2.4']);
    expect(got.events).toEqual([
      {
        type: 'Warning',
        reason: 'MissingClusterDNS',
        message:
          'pod: "curl-pod_default". kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.',
      },
    ]);
  });

  it.each([
    {
      name: 'four servers',
      input: { dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3'] } },
      message:
        'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 10.96.0.10 1.1.1.1 1.1.1.2',
    },
    {
      name: '33 domains',
      input: { hostResolvConf: `search ${Array.from({ length: 30 }, (_, i) => `d${i}`).join(' ')}` },
      message: `${LIMIT}default.svc.cluster.local svc.cluster.local cluster.local ${Array.from({ length: 29 }, (_, i) => `d${i}`).join(' ')}`,
    },
    {
      name: 'a domain of 254 characters',
      input: { dnsConfig: { searches: ['x'.repeat(254), 'y'] } },
      message: `${LIMIT}default.svc.cluster.local svc.cluster.local cluster.local Davolink lan y`,
    },
    {
      name: '2,049 characters',
      input: {
        dnsPolicy: 'None',
        dnsConfig: { searches: [...Array.from({ length: 8 }, (_, i) => `${i}${'z'.repeat(226)}`), 'a'.repeat(225)] },
      },
      message: `${LIMIT}${Array.from({ length: 8 }, (_, i) => `${i}${'z'.repeat(226)}`).join(' ')}`,
    },
  ] as { name: string; input: Partial<PodDnsInput>; message: string }[])('warns of $name', ({ input, message }) => {
    expect(kubeletResolvConf({ ...POD, ...input }).events).toEqual([
      { type: 'Warning', reason: 'DNSConfigForming', message },
    ]);
  });

  it('2,048 characters fit', () => {
    const searches = [...Array.from({ length: 8 }, (_, i) => `${i}${'z'.repeat(226)}`), 'a'.repeat(224)];
    expect(kubeletResolvConf({ ...POD, dnsPolicy: 'None', dnsConfig: { searches } })).toMatchObject({
      searches,
      events: [],
    });
  });

  it('the order of options is drawn where there is a dnsConfig', () => {
    const options = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name }));
    const orders = new Set(
      Array.from({ length: 20 }, (_, seed) =>
        kubeletResolvConf({ ...POD, dnsConfig: { options }, random: seededRandom(seed) }).options.join(' '),
      ),
    );
    expect(orders.size).toBeGreaterThan(5);
    expect([...orders].map((order) => order.split(' ').sort().join(' '))).toEqual(
      Array.from(orders, () => 'a b c d e ndots:5'),
    );
  });
});
