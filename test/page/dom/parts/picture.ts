import { h } from 'preact';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClusterView, LinkView } from '../../../../src/lab/web/api.js';
import { opened } from '../../../../src/page/picture/opened.js';
import { Picture } from '../../../../src/page/picture/picture.js';
import { pulseVisits } from '../../../../src/page/picture/pulses.js';
import * as player from '../../../../src/page/player.js';
import { cluster, selected } from '../../../../src/page/state.js';
import { button, click, doing, find, media, mount, observers, textOf, textsOf } from '../browser.js';
import { CORE, CURL, DNS, pod, story, view } from '../given.js';

const nodes = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `node/n${i}`, name: `n${i}`, ip: `10.0.0.${i}`, addresses: [] }));

/** Where boxes are: left, top, width, height. */
type Places = Record<string, readonly [number, number, number, number]>;
const PLACES: Places = { [CURL]: [100, 50, 100, 40], [DNS]: [300, 150, 100, 40], [CORE]: [500, 50, 100, 40] };
function placed(places: Places): void {
  vi.spyOn(HTMLElement.prototype, 'getBoundingClientRect').mockImplementation(function (this: HTMLElement) {
    const [left, top, width, height] = places[this.dataset.part ?? 'root'] ?? [100, 50, 600, 300];
    return { left, top, width, height, right: left + width, bottom: top + height } as DOMRect;
  });
}
/** First and last point of a path. */
const ends = (path: Element | null | undefined): readonly (readonly number[])[] | undefined => {
  const numbers = [...(path?.getAttribute('d') ?? '').matchAll(/-?[\d.]+/g)].map(Number);
  return path ? [numbers.slice(0, 2), numbers.slice(-2)] : undefined;
};
const TO_DNS = [
  [103, 20],
  [197, 120],
];
const TO_CORE = [
  [303, 120],
  [397, 20],
];

export function pictureParts(): void {
  const shown = (more: Partial<ClusterView> = {}) => {
    cluster.value = view(more);
    return mount(h(Picture, { view: cluster.value, children: 'the key' }));
  };
  beforeEach(() => void (opened.value = new Set()));

  describe('the picture', () => {
    const cells = (root: ParentNode, selector: string) =>
      [...root.querySelectorAll(`${selector} .cell`)].map((cell) => textsOf(cell, '.name, .fold'));
    it('has a lane a node, services between them, and the world outside beside them', () => {
      const far = { id: 'host/near', name: 'near', addresses: ['1.1.1.1'], dns: false, node: 'two' };
      const root = shown({ hosts: [...view().hosts, far] });
      expect(cells(root, '.lane')).toEqual([['curl-pod'], [], [], ['webpodx2x3x'], [], ['corednsabcde']]);
      expect(cells(root, '.band')).toEqual([[], ['kube-dns'], []]);
      expect(cells(root, '.outside')).toEqual([[], ['near'], ['resolver']]);
      expect(textsOf(root, '.node')).toEqual([
        "one 192.168.0.1pod kube-system/agent, agent in the node's network. agent",
        'two 192.168.0.2',
      ]);
      const lanes = [...root.querySelectorAll<HTMLElement>('.lane')];
      expect(lanes.map(({ dataset, style }) => [dataset.above, style.getPropertyValue('--lane')])).toEqual([
        ['true', '0'],
        [undefined, '1'],
      ]);
      const all = find(root, '.lanes');
      expect(['--nodes', '--rows'].map((name) => all.style.getPropertyValue(name))).toEqual(['2', '3']);
      expect([textOf(find(root, '.foot')), root.querySelector('.more-nodes')]).toEqual(['the keySave as SVG', null]);
      expect([...all.children].map((one) => one.getAttribute('class'))).toEqual([
        'lane',
        'band',
        'lane',
        'outside',
        'lines',
      ]);
    });

    it.each([
      { name: 'no caches', more: {}, want: 'none' },
      { name: 'a cache', more: { pods: [pod('pod/x/c', { kind: 'node-cache', node: 'two' })] }, want: 'some' },
    ])('knows of $name', ({ more, want }) => expect(find(shown(more), '.lanes').dataset.caches).toBe(want));

    it.each([
      { count: 3, many: undefined },
      { count: 4, many: 'true' },
    ])('is low with many nodes: $count', ({ count, many }) =>
      expect(find(shown({ nodes: nodes(count) }), '.lanes').dataset.many).toBe(many),
    );

    it('of a cluster without nodes has no lane', () =>
      expect(shown({ nodes: [], pods: [] }).querySelectorAll('.lane')).toHaveLength(0));

    it('shows a node at a click', async () => {
      await click(button(shown(), 'node two, 192.168.0.2'));
      expect(selected.value).toBe('node/two');
    });

    it('folds nodes of a large cluster, and opens one at a click', async () => {
      const root = shown({ nodes: nodes(8), pods: [pod('pod/x/last', { node: 'n7', kind: 'web' })] });
      const lanes = () => textsOf(root, '.node-name b');
      expect(lanes()).toEqual(['n0', 'n1', 'n2', 'n7']);
      expect(textOf(find(root, '.more-nodes h3'))).toBe('4 more nodes, with the number of their pods');
      expect([textsOf(root, '.more-nodes b'), root.querySelector('.close-lane')]).toEqual([
        ['n3', 'n4', 'n5', 'n6'],
        null,
      ]);
      await click(find(root, '[data-part="node/n5"]'));
      expect(lanes()).toEqual(['n0', 'n1', 'n2', 'n5', 'n7']);
      await click(button(root, 'Fold node n5'));
      expect(lanes()).toEqual(['n0', 'n1', 'n2', 'n7']);
    });

    const crowd = (namespaces: readonly string[]) =>
      namespaces.flatMap((namespace) =>
        Array.from({ length: 7 }, (_, i) => pod(`pod/${namespace}/w${i}-x`, { kind: 'web', workload: `w${i}` })),
      );
    it('folds namespaces into the row of the node, and replicas into their cell', async () => {
      const replicas = Array.from({ length: 9 }, (_, i) =>
        pod(`pod/a/r-${i}`, { kind: 'dns', workload: 'r', node: 'two' }),
      );
      const root = shown({ pods: [...crowd(['a', 'b']), ...replicas] });
      expect([textsOf(root, '.node .fold b'), textsOf(root, '.lane .cell .fold b')]).toEqual([['a', 'b'], ['r']]);
      await click(find(root, '.node .fold'));
      expect(textsOf(root, '.lane .cell .name b')).toContain('w0');
      expect(textsOf(root, '.node .fold b')).toEqual(['a', 'b']);
    });

    it('folds services by their namespace', async () => {
      const services = Array.from({ length: 8 }, (_, i) => ({
        ...view().services[0]!,
        id: `service/s/s${i}`,
        namespace: 's',
        name: `s${i}`,
      }));
      const root = shown({ services });
      expect([textsOf(root, '.band .heading .fold b'), textsOf(root, '.band .cell .name')]).toEqual([['s'], []]);
      await click(find(root, '.band .fold'));
      expect(textsOf(root, '.band .cell .name')).toHaveLength(8);
    });

    it('never folds the pod that asks, nor what its lookup passes', async () => {
      const pods = [...crowd(['a', 'b']), pod(CURL), pod('pod/c/other')];
      const root = shown({ pods });
      const boxes = () => [...root.querySelectorAll<HTMLElement>('.box')].map(({ dataset }) => dataset.part);
      expect(boxes()).toContain(CURL);
      expect(boxes()).not.toContain('pod/a/w3-x');
      const one = story();
      const hops = [{ kind: 'visit', depth: 0, at: 'pod/a/w3-x', text: '' }] as const;
      const [step] = one.steps;
      await doing(() =>
        player.show({
          ...one,
          pod: { ...one.pod, id: 'pod/c/other' },
          steps: [{ ...step!, queries: [{ ...step!.queries[0]!, hops }] }],
        }),
      );
      expect(boxes()).toEqual(expect.arrayContaining([CURL, 'pod/a/w3-x', 'pod/c/other']));
    });
  });

  describe('its lines', () => {
    const path = (root: HTMLElement, selector: string) => root.querySelector(`.lines path.${selector}`);

    it('lead from those who ask to those who are asked', () => {
      placed(PLACES);
      const links: LinkView[] = [
        { from: CURL, to: DNS, kind: 'asks' },
        { from: DNS, to: CORE, kind: 'backend' },
        { from: DNS, to: CURL, kind: 'redirect' },
        { from: CORE, to: CURL, kind: 'backend' },
        { from: CORE, to: 'host/nobody', kind: 'forwards' },
        { from: 'host/nobody', to: CORE, kind: 'forwards' },
      ];
      const root = shown({ links });
      const lines = [...root.querySelectorAll<SVGPathElement>('.lines path.may')];
      expect(lines.map((line) => [line.dataset.kind, line.dataset.aside, ends(line)])).toEqual([
        ['asks', undefined, TO_DNS],
        ['backend', 'true', TO_CORE],
        ['redirect', undefined, [...TO_DNS].reverse()],
        ['backend', undefined, expect.anything()],
      ]);
      expect(find(root, '.lines').dataset.busy).toBeUndefined();
    });

    it('show the way of the lookup, and where it is now', async () => {
      placed(PLACES);
      player.show(story());
      const root = shown({ links: [] });
      const svg = find(root, '.lines');
      const at = async (moment: number) => {
        await doing(() => player.goTo(moment));
        return [ends(path(root, 'trail')), ends(path(root, 'now')), svg.dataset.found];
      };
      expect(await at(0)).toEqual([undefined, undefined, undefined]);
      expect(svg.dataset.busy).toBe('true');
      expect(await at(1)).toEqual([undefined, TO_DNS, undefined]);
      expect(path(root, 'now')!.getAttribute('pathLength')).toBe('1');
      expect(await at(2)).toEqual([TO_DNS, TO_CORE, undefined]);
      expect(await at(3)).toEqual([TO_DNS, undefined, 'plain']);
      expect(root.querySelectorAll('.lines path.trail')).toHaveLength(2);
      expect(await at(13)).toEqual([TO_DNS, undefined, 'good']);
    });

    it('follow the boxes', async () => {
      placed(PLACES);
      const root = shown({ links: [{ from: CURL, to: DNS, kind: 'asks' }] });
      expect(ends(path(root, 'may'))).toEqual(TO_DNS);
      vi.restoreAllMocks();
      placed({ ...PLACES, [DNS]: [400, 150, 100, 40] });
      const [observer] = observers.filter(({ targets }) => targets.includes(find(root, '.lanes')));
      await doing(() => observer!.changed());
      expect(ends(path(root, 'may'))).toEqual([
        [103, 20],
        [297, 120],
      ]);
    });

    const dotted = (places = PLACES, more: Partial<ClusterView> = {}) => {
      const ran: { element: Element; frames: unknown; options: unknown; animation: { onfinish?: () => void } }[] = [];
      vi.spyOn(Element.prototype, 'animate').mockImplementation(function (this: Element, frames, options) {
        const animation: { onfinish?: () => void } = {};
        ran.push({ element: this, frames, options, animation });
        return animation as unknown as Animation;
      });
      media.clear();
      placed(places);
      const root = shown(more);
      return { root, ran, dots: () => [...root.querySelectorAll<SVGElement>('.lines circle')] };
    };
    const asked = (more = {}) =>
      pulseVisits([
        {
          server: CORE,
          from: CURL,
          by: DNS,
          name: 'a.',
          type: 'A',
          transport: 'udp',
          hit: true,
          result: 'NOERROR',
          ...more,
        },
      ]);

    it('let a dot run for each query, one line after the other', () => {
      const { ran, dots } = dotted();
      asked();
      expect(
        dots().map((dot) => [dot.getAttribute('r'), dot.getAttribute('class'), dot.dataset.tone, dot.style.opacity]),
      ).toEqual([
        ['4', 'dot', 'hit', '0'],
        ['4', 'dot', 'hit', '0'],
      ]);
      const way = [
        { offsetDistance: '0%', opacity: 1 },
        { offsetDistance: '100%', opacity: 1 },
      ];
      expect(ran.map(({ frames, options }) => [frames, options])).toEqual([
        [way, { duration: 650, delay: 0, easing: 'ease-in-out' }],
        [way, { duration: 650, delay: 650, easing: 'ease-in-out' }],
      ]);
      expect(dots()[0]!.style.offsetPath).toMatch(/^path\("M103,20.*197,120"\)$/);
      ran[0]!.animation.onfinish!();
      expect(dots()).toEqual([ran[1]!.element]);
    });

    it.each([
      { name: 'of what is not drawn', more: { server: 'pod/x/y', by: undefined }, media: '', hidden: false },
      { name: 'where no motion is wanted', more: {}, media: 'prefers-reduced-motion: reduce', hidden: false },
      { name: 'while nobody looks', more: {}, media: '', hidden: true },
    ])('run no dot $name', ({ more, media: query, hidden }) => {
      const { dots } = dotted();
      if (query !== '') media.add(query);
      vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
      asked(more);
      expect(dots()).toEqual([]);
    });

    it('run to the node that a folded pod is on, and not within it', () => {
      const far = [1, 2].map((i) => pod(`pod/x/p${i}`, { node: 'n5', kind: 'web' }));
      const { dots } = dotted(
        { ...PLACES, 'node/n5': PLACES[DNS]! },
        { nodes: nodes(8), services: [], pods: [pod(CURL, { node: 'n0' }), ...far] },
      );
      asked({ from: 'pod/x/p2', server: 'pod/x/p1', by: undefined });
      expect(dots()).toEqual([]);
      asked({ server: 'pod/x/p1', by: undefined });
      expect(dots().map((dot) => dot.style.offsetPath)).toEqual([
        expect.stringMatching(/^path\("M103,20.*197,120"\)$/),
      ]);
    });

    it('run forty dots at a time', () => {
      const { dots } = dotted();
      for (let i = 0; i < 50; i++) asked({ by: undefined });
      expect(dots()).toHaveLength(40);
    });
  });
}
