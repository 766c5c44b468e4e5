import { h } from 'preact';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HostView, PodView, ServiceView } from '../../../../src/lab/web/api.js';
import { opened, toggle } from '../../../../src/page/picture/opened.js';
import {
  AgentBox,
  HostBox,
  NodeTile,
  PodBox,
  PodGroupBox,
  ServiceBox,
  ServiceGroupBox,
} from '../../../../src/page/picture/part-box.js';
import * as player from '../../../../src/page/player.js';
import { samples, selected } from '../../../../src/page/state.js';
import { click, find, mount, textOf, textsOf } from '../browser.js';
import { CORE, CURL, DNS, UPSTREAM, pod, story, view } from '../given.js';

const sample = (time: number, id: string, queries: number, hits: number, misses: number) => ({
  time,
  period: 2000,
  packets: 0,
  cpu: 0,
  servers: { [id]: { queries, hits, misses, time: 0 } },
});

export function boxParts(): void {
  beforeEach(() => void (opened.value = new Set()));

  describe('the box of a pod', () => {
    const box = (one: PodView) => find(mount(h(PodBox, { pod: one })), '.box');

    it.each([
      {
        name: 'a client',
        one: pod(CURL, { ip: '10.0.0.7' }),
        want: ['pod default/curl-pod, client, 10.0.0.7.', 'curl-pod', '10.0.0.7'],
        look: ['idle', undefined],
      },
      {
        name: 'a replica of CoreDNS',
        one: pod(CORE, { kind: 'dns', workload: 'coredns-674b8bbfcf' }),
        want: ['pod kube-system/coredns-674b8bbfcf-abcde, CoreDNS, 10.0.0.1.', 'corednsabcde', '10.0.0.1'],
        look: ['dns', undefined],
      },
      {
        name: 'one that is not ready',
        one: pod(CURL, { kind: 'other', ready: false }),
        want: ['pod default/curl-pod, other, 10.0.0.1, Running.', 'curl-pod', '10.0.0.1 · Running'],
        look: ['other', 'true'],
      },
      {
        name: 'one that crashed, and more',
        one: pod(CURL, { kind: 'web', state: 'Crashed', faults: ['hangs', 'drops packets'] }),
        want: [
          'pod default/curl-pod, web, 10.0.0.1, Crashed, hangs, drops packets.',
          'curl-pod',
          '10.0.0.1 · Crashed · hangs · drops packets',
        ],
        look: ['web', 'true'],
      },
    ])('tells $name', ({ one, want, look }) => {
      const made = box(one);
      expect(['.sr', '.name', '.sub'].map((part) => textOf(made.querySelector(part)))).toEqual(want);
      expect([made.dataset.kind, made.dataset.warning, made.dataset.part]).toEqual([...look, one.id]);
    });

    it('shows its details at a click', async () => {
      await click(box(pod(CURL)));
      expect(selected.value).toBe(CURL);
    });

    it.each([
      { name: 'nothing yet', list: [], want: 'no queries yet' },
      { name: 'no queries', list: [sample(1, CORE, 0, 0, 0)], want: 'no queries yet' },
      { name: 'queries past its cache', list: [sample(1, CORE, 7, 0, 0)], want: '7 queries / 30 s' },
      { name: 'hits', list: [sample(1, CORE, 3, 2, 1), sample(2, CORE, 5, 2, 3)], want: '50 % hits of 8' },
      { name: 'hits alone', list: [sample(1, CORE, 3, 3, 0)], want: '100 % hits of 3' },
      {
        name: 'what is older than 30 s no more',
        list: [sample(10_000, CORE, 9, 9, 0), sample(10_001, CORE, 4, 1, 3), sample(40_000, CORE, 0, 0, 0)],
        want: '25 % hits of 4',
      },
    ])('of a server tells $name', ({ list, want }) => {
      samples.value = list;
      const made = box(pod(CORE, { kind: 'dns' }));
      expect(textOf(find(made, '.load'))).toBe(want);
      const meter = made.querySelector('meter');
      const bar = ['min', 'max', 'value'].map((name) => meter?.getAttribute(name));
      expect(bar).toEqual(want.includes('%') ? ['0', '100', want.split(' ')[0]] : [undefined, undefined, undefined]);
    });

    it.each([
      { kind: 'node-cache', want: 1 },
      { kind: 'web', want: 0 },
    ])('of a $kind has $want figures', ({ kind, want }) =>
      expect(box(pod(CORE, { kind })).querySelectorAll('.load')).toHaveLength(want),
    );
  });

  describe('other boxes', () => {
    const HOST: HostView = { id: UPSTREAM, name: 'resolver', addresses: ['127.0.0.1', '9.9.9.9'], dns: true };
    const SERVICE: ServiceView = view().services[0]!;
    const redirects = [{ node: 'one', policy: 'kube-system/nodelocaldns', to: [] }];
    it.each([
      {
        name: 'an agent',
        box: h(AgentBox, { pod: pod('pod/kube-system/cilium-x', { workload: 'cilium' }) }),
        want: ["pod kube-system/cilium-x, agent in the node's network.", 'cilium'],
      },
      {
        name: 'a host',
        box: h(HostBox, { host: HOST }),
        want: ['host resolver outside the cluster, 127.0.0.1, 9.9.9.9.', 'resolver', '9.9.9.9 …', 'no queries yet'],
      },
      {
        name: 'a host that is no server, with one address',
        box: h(HostBox, { host: { ...HOST, dns: false, addresses: ['9.9.9.9'] } }),
        want: ['host resolver outside the cluster, 9.9.9.9.', 'resolver', '9.9.9.9'],
      },
      {
        name: 'a service',
        box: h(ServiceBox, { service: SERVICE }),
        want: ['service kube-system/kube-dns, 10.96.0.10, fd00::a.', 'kube-dns', '10.96.0.10'],
      },
      {
        name: 'a service with a redirect policy',
        box: h(ServiceBox, { service: { ...SERVICE, redirects } }),
        want: [
          'service kube-system/kube-dns, 10.96.0.10, fd00::a, redirected by kube-system/nodelocaldns.',
          'kube-dns',
          '10.96.0.10',
          'redirect',
        ],
      },
    ])('tell $name', ({ box, want }) => expect(textsOf(mount(box), '.box > *')).toEqual(want));

    it('of a host tell its queries, and no hits', () => {
      samples.value = [sample(1, UPSTREAM, 4, 2, 2)];
      expect(textOf(find(mount(h(HostBox, { host: HOST })), '.load'))).toBe('4 queries / 30 s');
    });
  });

  describe('what is lit', () => {
    const NOTHING = [false, false, undefined];
    it.each([
      { name: 'nothing without a lookup', at: -1, curl: NOTHING, dns: NOTHING, core: NOTHING },
      { name: 'the pod at first', at: 0, curl: [true, false, 'asks'], dns: NOTHING, core: NOTHING },
      {
        name: 'both ends of the first hop',
        at: 1,
        curl: [true, false, undefined],
        dns: [true, true, undefined],
        core: NOTHING,
      },
      {
        name: 'all of the way so far',
        at: 2,
        curl: [true, false, undefined],
        dns: [true, false, undefined],
        core: [true, true, 'kubernetes: NXDOMAIN'],
      },
      {
        name: 'all of the way at the reply, with the result',
        at: 3,
        curl: [true, false, 'NXDOMAIN'],
        dns: [true, false, undefined],
        core: [true, false, 'kubernetes: NXDOMAIN'],
      },
    ])('is $name', ({ at, curl, dns, core }) => {
      if (at >= 0) player.show(story());
      player.goTo(at);
      const root = mount(
        h(PodBox, { pod: pod(CURL) }),
        h(ServiceBox, { service: view().services[0]! }),
        h(PodBox, { pod: pod(CORE) }),
        h(PodBox, { pod: pod('pod/default/other') }),
      );
      const seen = [...root.querySelectorAll<HTMLElement>('.box')].map((box) => [
        box.dataset.lit === 'true',
        box.dataset.here === 'true',
        box.querySelector('.mark')?.textContent,
      ]);
      expect(seen).toEqual([curl, dns, core, NOTHING]);
      expect([CURL, DNS, CORE]).toEqual(
        [...root.querySelectorAll<HTMLElement>('.box')].slice(0, 3).map((one) => one.dataset.part),
      );
    });

    it('has the tone of what was found', () => {
      player.show(story());
      player.goTo(9);
      expect(find(mount(h(PodBox, { pod: pod(CURL) })), '.mark').dataset.tone).toBe('good');
    });
  });

  describe('what is folded', () => {
    const items = [pod('pod/a/x-1', { kind: 'web' }), pod('pod/a/x-2', { kind: 'web' })];
    const group = { kind: 'group', id: 'g', name: 'x', what: 'replicas', items, open: false } as const;
    it.each([
      { name: 'replicas', box: h(PodGroupBox, { group }), want: ['x ×2 replicas on one ▸', 'web', 'false'] },
      {
        name: 'a namespace of several kinds, opened',
        box: h(PodGroupBox, { group: { ...group, what: 'namespace', open: true, items: [...items, pod(CURL)] } }),
        want: ['x 3 pods on one ▾', 'mixed', 'true'],
      },
      {
        name: 'a namespace of one pod',
        box: h(PodGroupBox, { group: { ...group, what: 'namespace', items: items.slice(1) } }),
        want: ['x 1 pods on one ▸', 'web', 'false'],
      },
      {
        name: 'services',
        box: h(ServiceGroupBox, { group: { ...group, what: 'namespace', items: view().services } }),
        want: ['x 1 services ▸', 'service', 'false'],
      },
      {
        name: 'a node whose pods are well',
        box: h(NodeTile, { node: { id: 'node/n', name: 'n', ip: '', addresses: [], pods: items } }),
        want: ['n 2 pods ▸', 'mixed', 'false'],
      },
      {
        name: 'a node with one pod that is not',
        box: h(NodeTile, {
          node: { id: 'node/n', name: 'n', ip: '', addresses: [], pods: [...items, pod(CURL, { ready: false })] },
        }),
        want: ['n 3 pods 1 not well ▸', 'mixed', 'false'],
      },
    ])('tells of $name', ({ box, want }) => {
      const made = find(mount(box), '.fold');
      expect([textOf(made), made.dataset.kind, made.getAttribute('aria-expanded')]).toEqual(want);
    });

    it('is opened by a click, and folded by the next', async () => {
      const button = find(mount(h(PodGroupBox, { group })), '.fold');
      toggle('other');
      await click(button);
      expect([...opened.value]).toEqual(['other', 'g']);
      await click(button);
      expect([...opened.value]).toEqual(['other']);
    });
  });
}
