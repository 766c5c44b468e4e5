import { describe, expect, it } from 'vitest';
import { rcodeName } from '../../../src/wire/index.js';
import { namespace, pod, service } from '../../support/kube.js';
import { pageExamples } from '../../support/manual-pages.js';
import { podsWorld } from '../autopath/pods-world.js';

const OBJECTS = [
  ...['red', 'blue', 'shared'].map((name) => namespace(name)),
  ...['red', 'blue', 'shared'].map((of) => service('api', {}, { namespace: of })),
  pod('client', '10.244.0.5', {}, { metadata: { namespace: 'red' }, spec: { nodeName: 'k8s-w1' } }),
];

describe('the policy on the manual page', () => {
  it.each([
    { who: 'a pod', from: '10.244.0.5', name: 'api.red.svc.cluster.local.', want: 'NOERROR' },
    { who: 'a pod', from: '10.244.0.5', name: 'api.shared.svc.cluster.local.', want: 'NOERROR' },
    { who: 'a pod', from: '10.244.0.5', name: 'api.blue.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'somebody else', from: '10.244.0.6', name: 'api.red.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'somebody else', from: '10.244.0.6', name: 'api.shared.svc.cluster.local.', want: 'NOERROR' },
  ])('$who gets $want for $name', async ({ from, name, want }) => {
    const [, , policy] = pageExamples('node');
    const { server } = await podsWorld(policy!.text, OBJECTS, { '/etc/resolv.conf': '' });
    const answer = await server.inject({ name, type: 1 }, { remote: { address: from, port: 4000 } });
    expect(rcodeName(answer!.rcode)).toBe(want);
  });
});
