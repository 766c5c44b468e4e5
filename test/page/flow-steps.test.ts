import { expect, it } from 'vitest';
import type { FlowView, LookupAnswer } from '../../src/lab/web/api.js';
import { frameOfFlow } from '../../src/page/flow-steps.js';
import { framesOf } from '../../src/page/frames.js';

const POD = 'pod/default/curl-pod';
const DNS = 'service/kube-system/kube-dns';
const CORE = 'pod/kube-system/coredns';
const OUT = 'host/resolver';
const query = (type: string, started: number): LookupAnswer['steps'][number]['queries'][number] => ({
  type,
  protocol: 'udp',
  server: '10.96.0.10',
  result: 'NOERROR',
  started,
  time: 10,
  text: '',
  aliases: [],
  reasons: [],
  hops: [
    { kind: 'translation', depth: 0, at: DNS, text: '' },
    { kind: 'visit', depth: 0, at: CORE, cache: 'miss', text: '' },
    { kind: 'visit', depth: 1, at: OUT, cache: 'none', text: '' },
  ],
});
const STORY = {
  at: 1000,
  pod: { id: POD, namespace: 'default', name: 'curl-pod', ip: '10.0.0.1', node: 'n' },
  asked: 'a.b',
  servers: [],
  search: [],
  steps: [
    { name: 'a.b.x.', why: '', queries: [query('A', 0), query('AAAA', 0)] },
    { name: 'a.b.', why: '', queries: [query('A', 20), query('AAAA', 20)] },
  ],
  cost: { queries: 4, packets: 0, sockets: 0, visits: 0, time: 30 },
} as unknown as LookupAnswer;
const FRAMES = framesOf(STORY);

const flow = (time: number, from: string, to: string, dns?: FlowView['dns']): FlowView =>
  ({
    time,
    source: { ip: '', port: 0, name: '', part: from },
    destination: { ip: '', port: 0, name: '', part: to },
    ...(dns && { dns }),
  }) as FlowView;
const asks = (name: string, type = 'A'): FlowView['dns'] => ({ name, type });
const answers = (name: string, type = 'A'): FlowView['dns'] => ({ name, type, result: 'NOERROR' });

it.each<{ name: string; of: FlowView; want: string | undefined }>([
  { name: 'a query of the pod', of: flow(1001, POD, CORE, asks('a.b.x.')), want: 'visit 0 1' },
  { name: 'its type counts', of: flow(1001, POD, CORE, asks('a.b.x.', 'AAAA')), want: 'visit 1 1' },
  { name: 'letters of either case are the same', of: flow(1001, POD, CORE, asks('A.b.X.')), want: 'visit 0 1' },
  { name: "a server's query to its upstream", of: flow(1022, CORE, OUT, asks('a.b.')), want: 'visit 2 2' },
  { name: "its upstream's reply", of: flow(1024, OUT, CORE, answers('a.b.')), want: 'visit 2 2' },
  { name: 'the reply to the pod', of: flow(1029, CORE, POD, answers('a.b.')), want: 'reply 2 3' },
  {
    name: 'a query on its way, through what is no hop',
    of: flow(1022, CORE, 'node/n', asks('a.b.')),
    want: 'translation 2 0',
  },
  { name: 'a query told as early as may be', of: flow(998, POD, CORE, asks('a.b.x.')), want: 'visit 0 1' },
  { name: 'a query told too early', of: flow(997, POD, CORE, asks('a.b.x.')), want: undefined },
  { name: 'a reply told as late as may be', of: flow(1080, CORE, POD, answers('a.b.')), want: 'reply 2 3' },
  { name: 'a reply told too late', of: flow(1081, CORE, POD, answers('a.b.')), want: undefined },
  { name: 'the same question later, of somebody else', of: flow(1100, POD, CORE, asks('a.b.')), want: undefined },
  { name: 'another name', of: flow(1001, POD, CORE, asks('c.')), want: undefined },
  { name: 'no DNS', of: flow(1001, POD, CORE), want: undefined },
])('$name', ({ of, want }) => {
  const found = frameOfFlow(of, STORY, FRAMES);
  const frame = found === undefined ? undefined : FRAMES[found];
  expect(frame && `${frame.kind} ${frame.query} ${frame.hop}`).toBe(want);
});
