import { describe, expect, it } from 'vitest';
import { renderCorefile, serviceVariable, type TemplateValues } from '../../src/nodelocal/corefile-template.js';
import { Server } from '../../src/server/server.js';
import { TestLog } from '../support/block.js';
import { RENDERED, TEMPLATE } from './recorded.js';

const values = (own: Partial<TemplateValues> = {}): TemplateValues => ({
  localIps: ['169.254.20.10', '10.96.0.10'],
  dnsPort: 53,
  clusterDns: '10.96.31.170',
  domain: 'cluster.local',
  prometheus: ':9253',
  kubeDns: { stubDomains: new Map(), upstreamNameservers: [] },
  ...own,
});
const upstreams = (...upstreamNameservers: string[]): Partial<TemplateValues> => ({
  kubeDns: { stubDomains: new Map(), upstreamNameservers },
});
const stubs = (...stubDomains: [string, string[]][]): Partial<TemplateValues> => ({
  kubeDns: { stubDomains: new Map(stubDomains), upstreamNameservers: [] },
});

const NOT_TCP = 'Did not find TCP upstream block to replace, assuming upstreams already use UDP.';

describe('renderCorefile', () => {
  it('renders what node-cache rendered', () => {
    expect(renderCorefile(TEMPLATE, values())).toEqual({ text: RENDERED, upstreams: '/etc/resolv.conf', warnings: [] });
  });

  it.each<{ name: string; template: string; values?: Partial<TemplateValues>; want: string; warnings?: string[] }>([
    { name: 'the address of metrics', template: 'prometheus __PROMETHEUS__ENDPOINT__', want: 'prometheus :9253' },
    {
      name: 'another address of metrics',
      template: 'prometheus __PROMETHEUS__ENDPOINT__',
      values: { prometheus: '192.0.2.1:9253' },
      want: 'prometheus 192.0.2.1:9253',
    },
    { name: 'all addresses', template: 'bind __PILLAR__LOCAL__DNS__', want: 'bind 169.254.20.10 10.96.0.10' },
    {
      name: 'an address with a port: the first one',
      template: 'health __PILLAR__LOCAL__DNS__:8080',
      want: 'health 169.254.20.10:8080',
    },
    {
      name: 'an IPv6 address with a port',
      template: 'health __PILLAR__LOCAL__DNS__:8080',
      values: { localIps: ['fd00::10'] },
      want: 'health [fd00::10]:8080',
    },
    {
      name: 'a left-over server variable',
      template: 'bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__',
      want: 'bind 169.254.20.10 10.96.0.10 ',
    },
    {
      name: 'the domain',
      template: '__PILLAR__DNS__DOMAIN__:53 {\n}',
      values: { domain: 'cluster.test' },
      want: 'cluster.test:53 {\n}',
    },
    {
      name: 'the cluster DNS',
      template: 'forward . __PILLAR__CLUSTER__DNS__',
      values: { clusterDns: 'fd00::a' },
      want: 'forward . fd00::a',
    },
    {
      name: 'the walk of search lists, in the block of the cluster',
      template: '__PILLAR__DNS__DOMAIN__:53 {\n    cache 30\n}\n.:53 {\n}\n',
      values: { autopath: { node: 'w1' } },
      want: 'cluster.local:53 {\n    node cluster.local {\n        name w1\n    }\n    autopath @node\n    cache 30\n}\n.:53 {\n}\n',
    },
    {
      name: 'the walk, in the block for all names where there is no other',
      template: 'dns://.:53 {\n    cache 30\n}\nexample.org {\n}\n',
      values: { autopath: { node: '' } },
      want: 'dns://.:53 {\n    node cluster.local\n    autopath @node\n    cache 30\n}\nexample.org {\n}\n',
    },
    {
      name: 'the walk, beside a node of its own',
      template: 'a.test Cluster.Local.:53 {\n    node k8s.test\n}\n',
      values: { autopath: { node: 'w1' } },
      want: 'a.test Cluster.Local.:53 {\n    autopath @node\n    node k8s.test\n}\n',
    },
    {
      name: 'no second walk',
      template: 'cluster.local {\n    node\n    autopath /etc/resolv.conf\n}\n',
      values: { autopath: { node: 'w1' } },
      want: 'cluster.local {\n    node\n    autopath /etc/resolv.conf\n}\n',
    },
    {
      name: 'no block for the walk',
      template: 'example.org {\n}\n',
      values: { autopath: { node: 'w1' } },
      want: 'example.org {\n}\n',
      warnings: ['No server block for cluster.local or all names: autopath is left out.'],
    },
    {
      name: 'own upstreams',
      template: 'forward . __PILLAR__UPSTREAM__SERVERS__',
      values: upstreams('192.0.2.1', '192.0.2.2:5353'),
      want: 'forward . 192.0.2.1 192.0.2.2:5353',
      warnings: [NOT_TCP],
    },
    {
      name: 'own upstreams without the TCP of the found ones',
      template: '    forward . __PILLAR__UPSTREAM__SERVERS__ {\n            force_tcp\n    }\n',
      values: upstreams('192.0.2.1'),
      want: '    forward . 192.0.2.1\n',
    },
    {
      name: 'own upstreams in a block with other options',
      template: 'forward . __PILLAR__UPSTREAM__SERVERS__ {\n    max_fails 0\n}',
      values: upstreams('192.0.2.1'),
      want: 'forward . 192.0.2.1 {\n    max_fails 0\n}',
      warnings: [NOT_TCP],
    },
    {
      name: 'found upstreams with TCP',
      template: 'forward . __PILLAR__UPSTREAM__SERVERS__ {\n    force_tcp\n}',
      want: 'forward . /etc/resolv.conf {\n    force_tcp\n}',
    },
    {
      name: 'stub domains in order, where the template listens',
      template: '.:53 {\n    bind 0.0.0.0\n}\n',
      values: stubs(['b.test', ['192.0.2.2:1053', '192.0.2.3']], ['a.test', ['192.0.2.1']]),
      want: '.:53 {\n    bind 0.0.0.0\n}\n\na.test:53 {\n    errors\n    cache 30\n    bind 0.0.0.0\n    forward . 192.0.2.1\n}\n\nb.test:53 {\n    errors\n    cache 30\n    bind 0.0.0.0\n    forward . 192.0.2.2:1053 192.0.2.3\n}\n',
    },
    {
      name: 'stub domains where the template says nothing of where',
      template: '',
      values: { ...stubs(['a.test', ['192.0.2.1']]), dnsPort: 1053 },
      want: '\na.test:1053 {\n    errors\n    cache 30\n    bind 169.254.20.10 10.96.0.10\n    forward . 192.0.2.1\n}\n',
    },
    {
      name: 'no cluster DNS where none is asked for',
      template: 'forward . 192.0.2.1\nhealth',
      values: { clusterDns: undefined },
      want: 'forward . 192.0.2.1\nhealth',
    },
  ])('fills in $name', ({ template, values: own, want, warnings }) => {
    const rendered = renderCorefile(template, values(own));
    expect(rendered.text).toBe(want);
    expect(rendered.warnings).toEqual(warnings ?? []);
  });

  it('tells where the rest is forwarded to', () => {
    expect(renderCorefile('', values(upstreams('192.0.2.1', '192.0.2.2'))).upstreams).toBe('192.0.2.1 192.0.2.2');
  });

  describe('without a cluster DNS', () => {
    const rendered = renderCorefile(
      TEMPLATE.replace(/^( *)forward/gm, '$1subscribe {\n$1    settle 2s\n$1}\n$1forward'),
      values({ clusterDns: undefined }),
    );

    it('warns and serves no health', () => {
      expect(rendered.warnings).toEqual([
        'Without an upstream service, names of the cluster are answered with SERVFAIL and health is not served; the address is in the environment of a container that starts after the service was created.',
      ]);
      expect(rendered.text).not.toContain('health');
      expect(rendered.text).not.toContain('PILLAR');
    });

    it('answers names of the cluster with SERVFAIL', async () => {
      const text = rendered.text
        .replaceAll(/^.*bind .*$/gm, '')
        .replaceAll('/etc/resolv.conf', '127.0.0.1')
        .replaceAll(/^ *(loop|reload|prometheus.*)$/gm, '');
      const server = await Server.create({ corefile: text, log: new TestLog() });
      expect((await server.inject({ name: 'web.default.svc.cluster.local.', type: 1 }))?.rcode).toBe(2);
      await server.stop();
    });
  });
});

describe('serviceVariable', () => {
  it.each([
    { service: 'kube-dns', want: 'KUBE_DNS_SERVICE_HOST' },
    { service: 'kube-dns-upstream', want: 'KUBE_DNS_UPSTREAM_SERVICE_HOST' },
  ])('$service', ({ service, want }) => expect(serviceVariable(service)).toBe(want));
});
