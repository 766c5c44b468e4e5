import { describe, expect, it } from 'vitest';
import { kubernetes } from '../../../src/plugins/kubernetes/setup.js';
import { readOptions } from '../../../src/plugins/kubernetes/options.js';
import { TestBlock, directives, setup } from '../../support/block.js';

const read = (inside: string, args = 'cluster.local') => {
  const block = new TestBlock();
  const [directive] = directives(`kubernetes ${args} {\n${inside}\n}`, 'kubernetes');
  return { options: readOptions(directive, block), warnings: block.log.lines };
};

describe('readOptions', () => {
  it('has defaults', () => {
    const { options, warnings } = read('');
    expect(options).toMatchObject({
      primaryZone: 'cluster.local.',
      origin: { kind: 'service-account' },
      namespaces: undefined,
      labels: undefined,
      namespaceLabels: undefined,
      pods: 'disabled',
      endpointPodNames: false,
      ttl: 5,
      endpoints: true,
      ignoreEmpty: false,
      startupTimeout: 5000,
      limits: { qps: 5, burst: 10 },
    });
    expect(options.through.contains('a.')).toBe(false);
    expect(warnings).toEqual([]);
  });

  it.each([
    {
      text: 'endpoint https://192.0.2.1:6443',
      want: { origin: { kind: 'endpoint', url: 'https://192.0.2.1:6443', tls: undefined } },
    },
    {
      text: 'endpoint https://h\ntls c k a',
      want: { origin: { kind: 'endpoint', url: 'https://h', tls: { cert: 'c', key: 'k', ca: 'a' } } },
    },
    {
      text: 'kubeconfig /etc/kube/config admin',
      want: { origin: { kind: 'kubeconfig', path: '/etc/kube/config', context: 'admin' } },
    },
    {
      text: 'kubeconfig /etc/kube/config',
      want: { origin: { kind: 'kubeconfig', path: '/etc/kube/config', context: undefined } },
    },
    { text: 'manifests a.yaml b', want: { origin: { kind: 'manifests', paths: ['a.yaml', 'b'] } } },
    { text: 'manifests "" b', want: { origin: { kind: 'manifests', paths: ['b'] } } },
    { text: 'manifests ""', want: { origin: { kind: 'service-account' } } },
    { text: 'namespaces a b\nnamespaces c', want: { namespaces: new Set(['a', 'b', 'c']) } },
    { text: 'pods verified', want: { pods: 'verified' } },
    { text: 'endpoint_pod_names', want: { endpointPodNames: true } },
    { text: 'ttl 0', want: { ttl: 0 } },
    { text: 'ttl 3600', want: { ttl: 3600 } },
    { text: 'noendpoints', want: { endpoints: false } },
    { text: 'ignore empty_service', want: { ignoreEmpty: true } },
    { text: 'zonal', want: { zonal: true } },
    { text: 'startup_timeout 1m30s', want: { startupTimeout: 90_000 } },
    {
      text: 'apiserver_qps 2.5\napiserver_burst 7\napiserver_max_inflight 3',
      want: { limits: { qps: 2.5, burst: 7, maxInFlight: 3 } },
    },
  ])('$text', ({ text, want }) => {
    expect(read(text).options).toMatchObject(want);
  });

  it('reads selectors from several words', () => {
    const { options } = read(
      'labels environment in (staging, qa),application=nginx\nnamespace_labels istio-injection=enabled',
    );
    expect(options.labels!.matches({ environment: 'qa', application: 'nginx' })).toBe(true);
    expect(options.labels!.matches({ environment: 'prod', application: 'nginx' })).toBe(false);
    expect(options.namespaceLabels!.text).toBe('istio-injection=enabled');
  });

  it.each([
    { text: 'fallthrough', name: 'a.cluster.local.', want: true },
    { text: 'fallthrough in-addr.arpa', name: 'a.cluster.local.', want: false },
    { text: 'fallthrough in-addr.arpa', name: '1.in-addr.arpa.', want: true },
  ])('$text for $name', ({ text, name, want }) => {
    expect(read(text).options.through.contains(name)).toBe(want);
  });

  it('takes the first zone that is no reverse zone for names of addresses', () => {
    expect(read('', 'in-addr.arpa 10.96.0.0/16 fd00::/8 a.test b.test').options.primaryZone).toBe('a.test.');
  });

  it.each([
    { text: 'endpoint http://a http://b', want: 'only the first endpoint is used: http://a' },
    { text: 'tls a b c', want: 'tls is ignored without endpoint' },
    { text: 'endpoint http://a\nkubeconfig b', want: 'kubeconfig names the API, endpoint and tls are ignored' },
  ])('warns about $text', ({ text, want }) => {
    expect(read(text).warnings).toEqual([`[WARNING] plugin/kubernetes: ${want}`]);
  });
});

describe('a Corefile that cannot be used', () => {
  const LINE = 'Corefile:3: kubernetes: ';
  it.each([
    { text: 'pods sometimes', error: `${LINE}pods: got 'sometimes', allowed: disabled, verified, insecure` },
    { text: 'pods', error: `${LINE}pods: got no argument, allowed: 1 argument; usage: pods MODE` },
    { text: 'ttl 3601', error: `${LINE}ttl: got '3601', allowed: a whole number from 0 to 3600` },
    { text: 'zonal x', error: `${LINE}zonal: got 1 argument ('x'), allowed: no argument` },
    {
      text: 'zonal\nnoendpoints',
      error: 'Corefile:2: kubernetes: got both zonal and noendpoints, allowed: one of them',
    },
    { text: 'ttl', error: `${LINE}ttl: got no argument, allowed: 1 argument; usage: ttl SECONDS` },
    { text: 'ignore everything', error: `${LINE}ignore: got 'everything', allowed: empty_service` },
    { text: 'ignore', error: `${LINE}ignore: got no argument, allowed: 1 argument; usage: ignore empty_service` },
    { text: 'noendpoints x', error: `${LINE}noendpoints: got 1 argument ('x'), allowed: no argument` },
    { text: 'endpoint_pod_names x', error: `${LINE}endpoint_pod_names: got 1 argument ('x'), allowed: no argument` },
    { text: 'endpoint', error: `${LINE}endpoint: got no argument, allowed: at least 1 argument; usage: endpoint URL` },
    {
      text: 'tls a b',
      error: `${LINE}tls: got 2 arguments ('a' 'b'), allowed: 3 arguments; usage: tls CERT KEY CACERT`,
    },
    {
      text: 'kubeconfig',
      error: `${LINE}kubeconfig: got no argument, allowed: 1 to 2 arguments; usage: kubeconfig KUBECONFIG [CONTEXT]`,
    },
    {
      text: 'manifests',
      error: `${LINE}manifests: got no argument, allowed: at least 1 argument; usage: manifests PATH...`,
    },
    {
      text: 'namespaces',
      error: `${LINE}namespaces: got no argument, allowed: at least 1 argument; usage: namespaces NAMESPACE...`,
    },
    { text: 'labels', error: `${LINE}labels: got no argument, allowed: at least 1 argument; usage: labels EXPRESSION` },
    { text: 'labels a=(', error: `${LINE}labels: label selector "a=(": got "(", want a label value` },
    {
      text: 'namespace_labels',
      error: `${LINE}namespace_labels: got no argument, allowed: at least 1 argument; usage: namespace_labels EXPRESSION`,
    },
    { text: 'namespace_labels =', error: `${LINE}namespace_labels: label selector "=": got "=", want a label key` },
    {
      text: 'startup_timeout soon',
      error: `${LINE}startup_timeout: got 'soon', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s`,
    },
    { text: 'apiserver_qps 0', error: `${LINE}apiserver_qps: got '0', allowed: a number, at least 0.01` },
    { text: 'apiserver_burst 0', error: `${LINE}apiserver_burst: got '0', allowed: a whole number, at least 1` },
    {
      text: 'apiserver_max_inflight x',
      error: `${LINE}apiserver_max_inflight: got 'x', allowed: a whole number, at least 1`,
    },
    {
      text: 'multicluster clusterset.local',
      error: `Corefile:2: kubernetes: got multicluster zone 'clusterset.local.', allowed: 'cluster.local.'`,
    },
    { text: 'fallthrough {\n}', error: `${LINE}fallthrough: got a block in { }, allowed: none` },
    {
      text: 'manifests a\nendpoint http://b',
      error: 'Corefile:4: kubernetes: endpoint: got it together with manifests, allowed: an API or files',
    },
    {
      text: 'manifests a\ntls a b c',
      error: 'Corefile:4: kubernetes: tls: got it together with manifests, allowed: an API or files',
    },
    {
      text: 'manifests a\nsnapshot /b',
      error:
        'Corefile:2: kubernetes: got both manifests and snapshot, allowed: one of them; files are there from the start',
    },
    {
      text: 'namespaces a\nnamespace_labels b',
      error: 'Corefile:2: kubernetes: got both namespaces and namespace_labels, allowed: one of them',
    },
    { text: 'endpoint ftp://a', error: 'Corefile:2: kubernetes: API endpoint "ftp://a" is no http or https URL' },
    {
      text: 'pods disabled',
      error:
        'Corefile:2: kubernetes: not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set',
    },
  ])('$text', ({ text, error }) => {
    expect(() => setup(kubernetes, `kubernetes cluster.local {\n${text}\n}`)).toThrow(
      expect.objectContaining({ name: 'CorefileError', message: error }) as Error,
    );
  });

  it('an unknown option', () => {
    expect(() => setup(kubernetes, 'kubernetes cluster.local {\nnamespace a\n}')).toThrow(
      /^Corefile:3: kubernetes: unknown option 'namespace'; allowed: endpoint, tls, .*namespaces/,
    );
  });

  it('a kubeconfig that is not there', () => {
    expect(() => setup(kubernetes, 'kubernetes cluster.local {\nkubeconfig /nowhere/config\n}')).toThrow(
      /^Corefile:2: kubernetes: kubeconfig \/nowhere\/config: /,
    );
  });

  it('reverse zones only', () => {
    expect(() => setup(kubernetes, 'kubernetes in-addr.arpa ip6.arpa')).toThrow(
      "Corefile:2: kubernetes: got 'in-addr.arpa.' 'ip6.arpa.', allowed: at least one zone that is no reverse zone",
    );
  });

  it('a second one in a block', () => {
    expect(() => setup(kubernetes, 'kubernetes cluster.local {\nendpoint http://a\n}\nkubernetes b.test')).toThrow(
      /^Corefile:5: kubernetes: got it a second time/,
    );
  });
});
