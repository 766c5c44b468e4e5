import { describe, expect, it } from 'vitest';
import type { ProvidesMetadata, ProvidesSearchPaths } from '../../../src/chain/index.js';
import { query, type QuestionOptions } from '../../support/dns.js';
import { namespace, pod, service } from '../../support/kube.js';
import { clusterOf } from './cluster-of.js';

const OBJECTS = [namespace('default'), namespace('prod'), service('web'), pod('client', '10.0.0.7', {}, { metadata: { namespace: 'prod' } })]; // prettier-ignore
const handlerOf = async (options = 'pods verified'): Promise<ProvidesMetadata & ProvidesSearchPaths> =>
  (await clusterOf(OBJECTS, { options })).handler as unknown as ProvidesMetadata & ProvidesSearchPaths;

describe('metadata', () => {
  const told = async (qname: string, options: QuestionOptions = {}): Promise<Record<string, string>> => {
    const asked = query(qname, 'A', options);
    return Object.fromEntries(
      Object.entries((await handlerOf()).metadata())
        .map(([label, value]): [string, string | undefined] => [label.replace('kubernetes/', ''), value(asked, label)])
        .filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  };
  const parts = (named: Record<string, string>): Record<string, string> => ({
    endpoint: '',
    kind: '',
    namespace: '',
    'port-name': '',
    protocol: '',
    service: '',
    ...named,
  });

  it.each([
    { qname: 'web.default.svc.cluster.local.', want: parts({ kind: 'svc', namespace: 'default', service: 'web' }) },
    { qname: 'Ep.web.default.svc.cluster.local.', want: parts({ kind: 'svc', namespace: 'default', service: 'web', endpoint: 'ep' }) },
    { qname: '_http._tcp.web.default.svc.cluster.local.', want: parts({ kind: 'svc', namespace: 'default', service: 'web', 'port-name': 'http', protocol: 'tcp' }) },
    { qname: '10-0-0-7.prod.pod.cluster.local.', want: parts({ kind: 'pod', namespace: 'prod', service: '10-0-0-7' }) },
    { qname: 'cluster.local.', want: parts({}) },
    { qname: 'svc.cluster.local.', want: parts({}) },
    { qname: 'a.b.cluster.local.', want: { 'parse-error': 'invalid query name' } },
    { qname: 'example.org.', want: {} },
    { qname: 'example.org.', options: { remote: '10.0.0.7' }, want: { 'client-namespace': 'prod', 'client-pod-name': 'client' } },
    { qname: 'example.org.', options: { remote: '::ffff:10.0.0.7' }, want: { 'client-namespace': 'prod', 'client-pod-name': 'client' } },
  ])('of $qname $options', async ({ qname, options, want }) => expect(await told(qname, options)).toEqual(want)); // prettier-ignore
});

describe('search paths', () => {
  it.each([
    {
      name: 'a pod',
      remote: '10.0.0.7',
      qname: 'a.prod.svc.cluster.local.',
      want: ['prod.svc.cluster.local.', 'svc.cluster.local.', 'cluster.local.'],
    },
    { name: 'no pod', remote: '10.0.0.8', qname: 'a.prod.svc.cluster.local.', want: undefined },
    { name: 'a name outside', remote: '10.0.0.7', qname: 'example.org.', want: undefined },
  ])('of $name', async ({ remote, qname, want }) =>
    expect((await handlerOf()).searchPath(query(qname, 'A', { remote }))).toEqual(want),
  );
});
