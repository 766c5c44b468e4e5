import { h } from 'preact';
import { describe, expect, it, vi } from 'vitest';
import type uPlot from 'uplot';
import type { LiveSample } from '../../../../src/lab/web/api.js';
import { doing, mount, observers, textOf, textsOf, unmount } from '../browser.js';
import { CORE, UPSTREAM, pod, view } from '../given.js';
import type { Plot } from '../plots.js';

const figures = (queries: number, hits: number, misses: number, time: number) => ({ queries, hits, misses, time });
/** Two seconds a sample: one server that works, one that does nothing in the second. */
const SAMPLES: readonly LiveSample[] = [
  { time: 10_000, period: 2000, packets: 30, cpu: 500, servers: { [CORE]: figures(4, 1, 3, 6) } },
  {
    time: 12_000,
    period: 2000,
    packets: 5,
    cpu: 40,
    servers: { [CORE]: figures(0, 0, 0, 0), [UPSTREAM]: figures(300, 0, 0, 150) },
  },
];

export function chartParts(): void {
  describe('charts', () => {
    let plots: Plot[];
    /** With the colours of a style sheet. */
    const shown = async (samples: readonly LiveSample[], pods = view().pods) => {
      vi.resetModules();
      ({ plots } = (await import('uplot')) as unknown as { readonly plots: Plot[] });
      plots.length = 0;
      const state = await import('../../../../src/page/state.js');
      const { Charts } = await import('../../../../src/page/charts.js');
      const theme = await import('../../../../src/page/theme.js');
      state.cluster.value = view({ pods });
      state.samples.value = samples;
      vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(321);
      const colours = { '--muted': 'rgb(1, 1, 1)', '--line': 'rgb(2, 2, 2)', '--series-0': 'rgb(3, 3, 3)' };
      for (const [name, colour] of Object.entries(colours)) document.documentElement.style.setProperty(name, colour);
      const root = mount(h(Charts, {}));
      return { root, state, theme };
    };
    const titles = (root: HTMLElement) => textsOf(root, 'figcaption');
    const labels = (root: HTMLElement) =>
      [...root.querySelectorAll('[role=img]')].map((one) => one.getAttribute('aria-label'));
    const rows = (root: HTMLElement) => [...root.querySelectorAll('tbody tr')].map((row) => textsOf(row, 'th, td'));

    it('hand each server on as a line: hit ratio, queries a second, time a query', async () => {
      const { root } = await shown(SAMPLES);
      expect(plots.map(({ data }) => data)).toEqual([
        [
          [10, 12],
          [null, null],
          [25, null],
        ],
        [
          [10, 12],
          [0, 150],
          [2, 0],
        ],
        [
          [10, 12],
          [null, 0.5],
          [1.5, null],
        ],
        [
          [10, 12],
          [15, 2.5],
        ],
        [
          [10, 12],
          [25, 2],
        ],
      ]);
      expect(plots.map(({ options }) => options.series.map(({ label }) => label))).toEqual([
        ...Array.from({ length: 3 }, () => [undefined, 'resolver', 'coredns-abcde']),
        [undefined, 'Whole lab: packets a second'],
        [undefined, 'Whole lab: % of a core'],
      ]);
      expect(titles(root)).toEqual([
        'Cache hit ratio, %',
        'Queries a second',
        'Time a query, ms',
        'Whole lab: packets a second',
        'Whole lab: % of a core',
      ]);
    });

    it('say the newest figures in words', async () => {
      const { root } = await shown(SAMPLES);
      expect(labels(root)).toEqual([
        'Cache hit ratio, %: resolver –, coredns-abcde 25 %',
        'Queries a second: resolver 150 a second, coredns-abcde 0 a second',
        'Time a query, ms: resolver 0.5 ms, coredns-abcde 1.5 ms',
        'Whole lab: packets a second: 2.5',
        'Whole lab: % of a core: 2 %',
      ]);
    });

    it('say where there is nothing yet', async () => {
      const { root } = await shown([]);
      expect(titles(root)).toEqual([
        'Cache hit ratio, %: nothing yet',
        'Queries a second: nothing yet',
        'Time a query, ms: nothing yet',
        'Whole lab: packets a second: nothing yet',
        'Whole lab: % of a core: nothing yet',
      ]);
      expect([labels(root)[0], labels(root)[4], rows(root)]).toEqual([
        'Cache hit ratio, %: nothing yet',
        'Whole lab: % of a core: nothing yet',
        [],
      ]);
      expect(textOf(root.querySelector('.note'))).toMatch(/whole lab alone\. Packets/);
    });

    it('say of one server that nothing is known, as of none', async () => {
      const { root } = await shown([{ ...SAMPLES[0]!, servers: { [CORE]: figures(3, 0, 0, 3) } }]);
      expect(titles(root).slice(0, 3)).toEqual([
        'Cache hit ratio, %: nothing yet',
        'Queries a second',
        'Time a query, ms',
      ]);
    });

    it.each([
      { time: 99.96, want: '100.0 ms' },
      { time: 100.4, want: '100 ms' },
      { time: 3, want: '3 ms' },
      { time: 3.14, want: '3.1 ms' },
    ])('write $time ms as $want', async ({ time, want }) => {
      const { root } = await shown([{ ...SAMPLES[0]!, servers: { [CORE]: figures(1, 0, 1, time) } }]);
      expect(rows(root)[0]!.at(-1)).toBe(want);
    });

    it('list all servers with their sums, those with a line first', async () => {
      const { root } = await shown(SAMPLES);
      expect(rows(root)).toEqual([
        ['resolver', '300', '0', '–', '0.5 ms'],
        ['coredns-abcde', '4', '1', '25 %', '1.5 ms'],
      ]);
      const dots = [...root.querySelectorAll<HTMLElement>('.dot')].map(({ style }) => style.background);
      expect(dots).toEqual(['var(--series-0)', 'var(--series-1)']);
      expect(textOf(root.querySelector('.note'))).toMatch(/whole lab alone: 2 % of a core\. Packets/);
      expect((root.querySelector('.scroll') as HTMLElement).tabIndex).toBe(0);
    });

    it('have no figures for a server without queries', async () => {
      const { root } = await shown([{ ...SAMPLES[0]!, servers: { [CORE]: figures(0, 0, 0, 0) } }]);
      expect(rows(root)).toEqual([['coredns-abcde', '0', '0', '–', '–']]);
    });

    it('draw the eight busiest that are there, in the order of their names', async () => {
      const ids = Array.from({ length: 10 }, (_, i) => `pod/kube-system/s${i}`);
      const servers = Object.fromEntries(ids.map((id, i) => [id, figures(i === 3 ? 0 : i + 1, 1, 1, 1)]));
      const gone = { 'pod/kube-system/gone': figures(999, 1, 1, 1) };
      const { root } = await shown(
        [{ ...SAMPLES[0]!, servers: { ...servers, ...gone } }],
        [...ids].reverse().map((id) => pod(id, { kind: 'dns' })),
      );
      const drawn = ['s1', 's2', 's4', 's5', 's6', 's7', 's8', 's9'];
      expect(plots[0]!.options.series.slice(1).map(({ label }) => label)).toEqual(drawn);
      expect(rows(root).map(([name]) => name)).toEqual([...drawn, 's0', 's3']);
      const dots = [...root.querySelectorAll<HTMLElement>('.dot')].map(({ style }) => style.background);
      expect(dots.slice(7).map((colour) => colour.split(' ')[0])).toEqual(['var(--series-7)', 'none', 'none']);
    });

    it('look as the style sheet says', async () => {
      const { root } = await shown(SAMPLES);
      const { options, element } = plots[0]!;
      expect(root.contains(element)).toBe(true);
      const axis = {
        stroke: 'rgb(1, 1, 1)',
        grid: { stroke: 'rgb(2, 2, 2)', width: 1 },
        ticks: { show: false },
        font: '11px system-ui, sans-serif',
      };
      expect(options).toMatchObject({
        width: 321,
        height: 150,
        legend: { show: false },
        cursor: { y: false, points: { size: 5 } },
        padding: [8, 8, 0, 0],
        axes: [
          { ...axis, size: 24, space: 70 },
          { ...axis, size: 40, space: 28 },
        ],
        series: [{}, { stroke: 'rgb(3, 3, 3)', width: 1.75, spanGaps: true, points: { size: 4 } }, {}],
      });
    });

    type Range = (plot: unknown, min: number, max: number) => readonly [number, number];
    const rangesOf = ({ options }: Plot) => ['x', 'y'].map((name) => options.scales![name]!.range as unknown as Range);

    it('reach from nothing to the highest and a tenth, at least over a minute', async () => {
      await shown(SAMPLES);
      const [[x, ratio], [, many]] = [rangesOf(plots[0]!), rangesOf(plots[1]!)];
      expect([x!(0, 100, 110), x!(0, 100, 400)]).toEqual([
        [50, 110],
        [100, 400],
      ]);
      expect(ratio!(0, 20, 30)).toEqual([0, 100]);
      expect([many!(0, 20, 200), many!(0, 0, 0.5), many!(0, 0, null as unknown as number)]).toEqual([
        [0, expect.closeTo(220)],
        [0, 1],
        [0, 1],
      ]);
    });

    it('tell the time of day', async () => {
      await shown(SAMPLES);
      const values = plots[0]!.options.axes![0]!.values as (plot: unknown, values: readonly number[]) => string[];
      expect(values(0, [new Date(2026, 0, 2, 3, 4, 5).getTime() / 1000])).toEqual(['03:04:05']);
    });

    it('go on with new samples, and are drawn anew with other servers, in another theme, and in another width', async () => {
      const { state, theme } = await shown(SAMPLES.slice(0, 1));
      const first = plots[0]!;
      await doing(() => (state.samples.value = [SAMPLES[0]!, { ...SAMPLES[0]!, time: 14_000 }]));
      expect([plots.length, (first.handed.at(-1) as uPlot.AlignedData)[0]]).toEqual([5, [10, 14]]);
      observers.filter(({ targets }) => targets.includes(first.element)).forEach(({ changed }) => changed());
      expect(first.sizes).toEqual([{ width: 321, height: 150 }]);
      await doing(() => theme.repainted.value++);
      expect([plots.length, first.gone]).toEqual([10, true]);
      await doing(() => (state.samples.value = SAMPLES));
      expect(plots.length).toBe(13);
      unmount();
      expect([plots.every(({ gone }) => gone), observers.every(({ ended }) => ended)]).toEqual([true, true]);
    });
  });
}
