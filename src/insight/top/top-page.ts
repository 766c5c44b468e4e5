import type { TopReport, TopRow } from '../../top/report.js';
import type { UpstreamLoad } from '../../top/upstreams.js';

/** The lists of a report, by their keys on a terminal. */
export const LISTS = ['clients', 'names', 'types', 'suffixes', 'searches', 'upstreams'] as const;
export type List = (typeof LISTS)[number];

/** What stands above the keys of each list. */
const HEADS: Readonly<Record<List, string>> = {
  clients: 'CLIENT',
  names: 'NAME',
  types: 'TYPE',
  suffixes: 'END OF NAMES WITH NXDOMAIN',
  searches: 'SEARCH DOMAIN THAT LEADS NOWHERE',
  upstreams: 'UPSTREAM',
};

interface Column<Row> {
  readonly head: string;
  readonly text: (row: Row) => string;
}

const RATE: Column<TopRow> = { head: 'A SECOND', text: ({ rate }) => short(rate) };
const ASKED: readonly Column<TopRow>[] = [
  RATE,
  { head: 'SHARE', text: ({ share }) => percent(share) },
  { head: 'NXDOMAIN', text: ({ nxdomain = 0 }) => percent(nxdomain) },
  { head: 'MS/S', text: ({ time = 0 }) => short(time * 1000) },
];
const ENDS: readonly Column<TopRow>[] = [RATE, { head: 'OF NXDOMAIN', text: ({ share }) => percent(share) }];
const UPSTREAMS: readonly Column<UpstreamLoad>[] = [
  { head: 'A SECOND', text: ({ rate }) => short(rate) },
  { head: 'LATENCY', text: ({ latency }) => (latency === undefined ? '-' : `${short(latency * 1000)} ms`) },
  { head: 'UNANSWERED', text: ({ unanswered }) => short(unanswered) },
];

/** The first lines: how much is asked, and what becomes of it. */
export const topHead = (report: TopReport): string[] => [
  `${short(report.rate)} queries a second: ${percent(report.nxdomain)} NXDOMAIN, ` +
    `${percent(report.searched)} made by search paths, ${percent(report.withoutChain)} answered without the chain; ` +
    `${short(report.time * 1000)} ms a second spent on answers`,
];

/** One list as lines of at most `width` characters: a head, and a line for each row, `rows` at most. */
export function listLines(report: TopReport, list: List, rows: number, width: number): string[] {
  if (list === 'upstreams') {
    const shown = report.upstreams.slice(0, rows);
    return table(
      HEADS[list],
      shown.map(({ to }) => to),
      UPSTREAMS,
      shown,
      width,
    );
  }
  const shown = report[list].slice(0, rows);
  const keys = shown.map(({ key, pod }) => (pod === undefined ? key : `${key} ${pod}`));
  return table(HEADS[list], keys, list === 'suffixes' || list === 'searches' ? ENDS : ASKED, shown, width);
}

/** All of a report, for where there is no terminal; lists without rows are left out. */
export const topText = (report: TopReport, rows: number): string =>
  [topHead(report), ...LISTS.map((list) => listLines(report, list, rows, Infinity)).filter(({ length }) => length > 1)]
    .map((lines) => lines.map((line) => `${line}\n`).join(''))
    .join('\n');

function table<Row>(
  head: string,
  keys: readonly string[],
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): string[] {
  const cells = columns.map((column) => [column.head, ...rows.map((row) => column.text(row))]);
  const widths = cells.map((texts) => Math.max(...texts.map(({ length }) => length)));
  const room = width - widths.reduce((all, one) => all + 2 + one, 0);
  const longest = Math.min(room, Math.max(head.length, ...keys.map(({ length }) => length)));
  return [head, ...keys].map((key, i) =>
    [cut(key, longest).padEnd(longest), ...cells.map((texts, k) => texts[i]!.padStart(widths[k]!))].join('  '),
  );
}

/** The end of a name says more than its beginning. */
const cut = (text: string, width: number): string =>
  text.length <= width ? text : `...${text.slice(text.length - Math.max(0, width - 3))}`;

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** Three digits, or as many as stand before the point. */
function short(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value.toFixed(value >= 9.995 ? 1 : 2);
}
