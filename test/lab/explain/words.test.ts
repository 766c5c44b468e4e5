import { describe, expect, it } from 'vitest';
import type { Node } from '../../../src/datapath/cluster/node.js';
import type { Frontend } from '../../../src/datapath/loadbalancer/service.js';
import { spanText, translationText } from '../../../src/lab/explain/words.js';
import type { Lab } from '../../../src/lab/lab.js';
import type { InnerQuestion, ServerSpan } from '../../../src/lab/trace/tracer.js';

const OWN = '10.0.0.1';
const node = { name: 'w1', netns: { hasAddress: (address: string) => address === OWN } } as unknown as Node;
const frontend = (ips: readonly string[], policy?: string): Frontend =>
  ({
    owner: 'default/web',
    backends: ips.map((ip) => ({ ip })),
    redirect: policy === undefined ? undefined : { policy },
  }) as unknown as Frontend;

describe('what a node makes of an address', () => {
  const passedBy = '; w1 has the address itself and is passed by: sockets are translated before a packet is sent';
  it.each([
    { name: 'no service', address: '10.0.0.9', of: undefined, want: 'no service, straight to the address' },
    { name: 'its own', address: OWN, of: undefined, want: 'an address of w1 itself' },
    { name: 'a service', address: '10.0.0.9', of: frontend(['1', '2']), want: 'service default/web: to 1 or 2' },
    {
      name: 'a service without endpoints',
      address: '10.0.0.9',
      of: frontend([]),
      want: 'service default/web: to nobody, it has no endpoints',
    },
    {
      name: 'a service that is its own',
      address: OWN,
      of: frontend(['1']),
      want: `service default/web: to 1${passedBy}`,
    },
    {
      name: 'a redirect',
      address: OWN,
      of: frontend(['1', '2'], 'p'),
      want: 'redirect p on w1: to 1 or 2 in place of service default/web',
    },
    {
      name: 'a redirect to nobody',
      address: '10.0.0.9',
      of: frontend([], 'p'),
      want: 'redirect p on w1: to nobody in place of service default/web',
    },
  ])('$name', ({ address, of, want }) => expect(translationText(address, node, of)).toBe(want));
});

describe('what a server did with a query', () => {
  const lab = {
    kubelet: {
      get: (namespace: string, name: string) =>
        `${namespace}/${name}` === 'kube-system/coredns' ? { model: { spec: { node: 'w1' } } } : undefined,
    },
  } as unknown as Lab;
  const asked = (name: string, type = 'A'): InnerQuestion => ({ name, type, from: 'x', rcode: 'NXDOMAIN' });
  const visit = (more: Partial<ServerSpan>): ServerSpan => ({
    server: 'kube-system/coredns',
    name: 'a.default.',
    type: 'A',
    transport: 'udp',
    remote: { address: '10.0.0.1', port: 1000 },
    local: { address: '10.0.0.2', port: 53 },
    depth: 0,
    started: 10,
    plugins: ['cache', 'kubernetes'],
    notes: [],
    questions: [],
    answeredBy: 'kubernetes',
    rcode: 'NOERROR',
    ended: 12.5,
    ...more,
  });
  const BEGINNING = 'kube-system/coredns on w1 by UDP from 10.0.0.1: ';

  it.each<{ name: string; of: Partial<ServerSpan>; want: string }>([
    {
      name: 'it answers after a miss',
      of: {},
      want: `${BEGINNING}cache miss, plugin kubernetes answered: NOERROR, 2.5 ms`,
    },
    {
      name: 'it asks upstream, and has no cache',
      of: { plugins: ['forward'], answeredBy: 'forward' },
      want: `${BEGINNING}no cache, plugin forward asked upstream: NOERROR, 2.5 ms`,
    },
    { name: 'its cache has it', of: { answeredBy: 'cache' }, want: `${BEGINNING}cache hit: NOERROR, 2.5 ms` },
    {
      name: 'it is not done',
      of: { answeredBy: undefined, rcode: undefined, ended: undefined },
      want: `${BEGINNING}cache miss, nobody answered: no answer, not done yet`,
    },
    {
      name: 'it is none of the cluster',
      of: { server: 'resolver', transport: 'tcp' },
      want: 'resolver outside the cluster by TCP from 10.0.0.1: cache miss, plugin kubernetes answered: NOERROR, 2.5 ms',
    },
    {
      name: 'it asks for the target of an alias',
      of: { questions: [asked('a.default.'), asked('b.test.')] },
      want: `${BEGINNING}cache miss, plugin kubernetes answered: NOERROR, 2.5 ms; asks for b.test. A: NXDOMAIN`,
    },
    {
      name: 'autopath walks the search list, and what is of another type or label is a question of its own',
      of: {
        plugins: ['autopath', 'cache'],
        answeredBy: 'autopath',
        questions: [asked('a.default.'), asked('A.x.'), asked('a.y.', 'AAAA'), asked('ab.z.')],
      },
      want:
        `${BEGINNING}cache miss, plugin autopath answered: NOERROR, 2.5 ms; asks for a.y. AAAA: NXDOMAIN; ` +
        "asks for ab.z. A: NXDOMAIN; autopath walked the pod's search list in its place: A.x. NXDOMAIN",
    },
    {
      name: 'without autopath the same are questions of its own',
      of: { questions: [asked('a.x.')] },
      want: `${BEGINNING}cache miss, plugin kubernetes answered: NOERROR, 2.5 ms; asks for a.x. A: NXDOMAIN`,
    },
  ])('$name', ({ of, want }) => expect(spanText(visit(of), lab)).toBe(want));

  it.each([
    { state: 'miss', want: 'cache miss, ' },
    { state: 'disabled', want: 'cache disabled for denials of this name, ' },
  ] as const)('its cache says $state', ({ state, want }) => {
    const note = { kind: 'cache', state } as unknown as ServerSpan['notes'][number];
    expect(spanText(visit({ notes: [note] }), lab)).toContain(BEGINNING + want);
  });
});
