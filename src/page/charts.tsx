import { useComputed } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { EntityId, LiveSample, ServerSample } from '../lab/web/api.js';
import { cluster, samples, shortName, totals } from './state.js';
import { colourOf, repainted } from './theme.js';

/** One chart: a figure of each server, or of the whole lab, over time. */
interface ChartSpec {
  readonly title: string;
  readonly unit: string;
  readonly of: (server: ServerSample, sample: LiveSample) => number | null;
  readonly top?: number;
}

const CHARTS: readonly ChartSpec[] = [
  {
    title: 'Cache hit ratio, %',
    unit: ' %',
    top: 100,
    of: ({ hits, misses }) => (hits + misses === 0 ? null : (100 * hits) / (hits + misses)),
  },
  { title: 'Queries a second', unit: ' a second', of: ({ queries }, { period }) => (1000 * queries) / period },
  { title: 'Time a query, ms', unit: ' ms', of: ({ queries, time }) => (queries === 0 ? null : time / queries) },
];
/** Figures that no server has for itself. */
const WHOLE: readonly {
  readonly title: string;
  readonly unit: string;
  readonly colour: string;
  readonly of: (sample: LiveSample) => number;
}[] = [
  {
    title: 'Whole lab: packets a second',
    unit: '',
    colour: '--muted',
    of: ({ packets, period }) => (1000 * packets) / period,
  },
  {
    title: 'Whole lab: % of a core',
    unit: ' %',
    colour: '--muted',
    of: ({ cpu, period }) => (100 * cpu) / period,
  },
];
const NOTHING: ServerSample = { queries: 0, hits: 0, misses: 0, time: 0 };
const COLOURS = 8;
const HEIGHT = 150;
/** Seconds that a chart shows at least. */
const LEAST_SPAN = 60;

const seriesColour = (i: number): string => `--series-${i % COLOURS}`;
const shown = (value: number | null, unit: string): string =>
  value === null ? '–' : `${value.toFixed(value >= 100 || Number.isInteger(value) ? 0 : 1)}${unit}`;

interface ChartProps {
  readonly title: string;
  readonly label: string;
  readonly series: readonly { readonly name: string; readonly colour: string }[];
  readonly data: uPlot.AlignedData;
  readonly top?: number;
}

/** Lines over time, drawn by uPlot. */
function Chart({ title, label, series, data, top }: ChartProps) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const key = series.map(({ name }) => name).join();
  useEffect(() => {
    const element = root.current!;
    const axis = {
      stroke: colourOf('--muted', element),
      grid: { stroke: colourOf('--line', element), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
    };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, points: { size: 5 } },
        padding: [8, 8, 0, 0],
        scales: {
          x: { range: (_plot, min, max) => [Math.min(min, max - LEAST_SPAN), max] },
          y: { range: (_plot, _min, max) => [0, top ?? Math.max(1, (max ?? 0) * 1.1)] },
        },
        axes: [
          {
            ...axis,
            size: 24,
            space: 70,
            values: (_plot, values) => values.map((value) => new Date(1000 * value).toTimeString().slice(0, 8)),
          },
          { ...axis, size: 40, space: 28 },
        ],
        series: [
          {},
          ...series.map(({ name, colour }): uPlot.Series => ({
            label: name,
            stroke: colourOf(colour, element),
            width: 1.75,
            spanGaps: true,
            points: { size: 4 },
          })),
        ],
      },
      data,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [key, repainted.value]);
  useEffect(() => plot.current?.setData(data), [data]);
  return (
    <figure class="chart">
      <figcaption>
        {title}
        {data.slice(1).every((column) => Array.from<unknown>(column).every((value) => value === null)) &&
          ': nothing yet'}
      </figcaption>
      <div ref={root} role="img" aria-label={label} />
    </figure>
  );
}

/** What servers did in the last minutes. */
export function Charts() {
  // Those that are gone have no figures any more; lines are drawn for the busiest.
  const servers = useComputed(() => {
    const there = new Set([...(cluster.value?.pods ?? []), ...(cluster.value?.hosts ?? [])].map(({ id }) => id));
    return [...totals.value.keys()].filter((id) => there.has(id)).sort();
  });
  const list = samples.value;
  const all = servers.value;
  const busy = [...all].sort((a, b) => totals.value.get(b)!.queries - totals.value.get(a)!.queries);
  const ids = all.filter((id) => busy.indexOf(id) < COLOURS);
  const times = list.map(({ time }) => time / 1000);
  const series = ids.map((id, i) => ({ name: shortName(id), colour: seriesColour(i) }));
  const last = list.at(-1);
  return (
    <>
      <div class="charts">
        {CHARTS.map(({ title, unit, of, top }) => {
          const columns = ids.map((id) => list.map((sample) => of(sample.servers[id] ?? NOTHING, sample)));
          const newest = (i: number): string => shown(columns[i]!.findLast((value) => value !== null) ?? null, unit);
          const label = `${title}: ${ids.map((id, i) => `${shortName(id)} ${newest(i)}`).join(', ') || 'nothing yet'}`;
          return <Chart key={title} title={title} label={label} top={top} series={series} data={[times, ...columns]} />;
        })}
        {WHOLE.map(({ title, unit, colour, of }) => (
          <Chart
            key={title}
            title={title}
            label={`${title}: ${last ? shown(of(last), unit) : 'nothing yet'}`}
            series={[{ name: title, colour }]}
            data={[times, list.map(of)]}
          />
        ))}
      </div>
      <Servers ids={[...ids, ...all.filter((id) => !ids.includes(id))]} drawn={ids.length} last={last} />
    </>
  );
}

interface ServersProps {
  readonly ids: readonly EntityId[];
  /** So many of them have a line in the charts. */
  readonly drawn: number;
  readonly last: LiveSample | undefined;
}

function Servers({ ids, drawn, last }: ServersProps) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Figures of each server">
      <table class="servers">
        <thead>
          <tr>
            <th scope="col">Server</th>
            <th scope="col">Queries</th>
            <th scope="col" class="more">
              Hits
            </th>
            <th scope="col">Hit ratio</th>
            <th scope="col">Time a query</th>
          </tr>
        </thead>
        <tbody>
          {ids.map((id, i) => {
            const { queries, hits, misses, time } = totals.value.get(id)!;
            return (
              <tr key={id}>
                <th scope="row">
                  <span class="dot" style={{ background: i < drawn ? `var(${seriesColour(i)})` : 'none' }} />
                  {shortName(id)}
                </th>
                <td>{queries}</td>
                <td class="more">{hits}</td>
                <td>{shown(hits + misses === 0 ? null : (100 * hits) / (hits + misses), ' %')}</td>
                <td>{shown(queries === 0 ? null : time / queries, ' ms')}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="note">
        The last ten minutes. All servers share one process, so processor time is told for the whole lab alone
        {last ? `: ${shown((100 * last.cpu) / last.period, ' % of a core')}` : ''}. Packets go while nobody asks, too:
        servers look whether their upstreams are well.
      </p>
    </div>
  );
}
