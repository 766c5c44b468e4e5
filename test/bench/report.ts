export interface Row {
  readonly scenario: string;
  readonly peer: string;
  /** CPU time of the server per query, in microseconds. */
  readonly cpu: number;
  readonly perSecond: number;
  /** Latencies under that load, in milliseconds, as a client sees them that asks 200 times a second. */
  readonly p50: number;
  readonly p99: number;
  readonly lost: number;
  /** Resident memory at the end, after a scrape of the metrics where there are any, in MB (10^6 octets). */
  readonly memory: number;
  /** Time from the start of the process to the first right answer, in milliseconds. */
  readonly start: number;
  /** Services of the cluster, and threads of a server that shares its cores with the load. */
  readonly services?: number | undefined;
  readonly threads?: number | undefined;
}

export const OWN = 'nodens';
/** What a peer is compared in where it cannot do a scenario. */
export const MEASURE = 'cache hit, 1,000 names';

/** CPU time of our own server in a scenario, as a multiple of a peer's in the same run. */
export interface Ratio {
  readonly scenario: string;
  readonly peer: string;
  /** In the scenario itself, or in a cache hit where the peer cannot do that. */
  readonly against: string;
  readonly ratio: number;
}

export function ratios(rows: readonly Row[]): Ratio[] {
  const peers = [...new Set(rows.map(({ peer }) => peer))].filter((peer) => peer !== OWN);
  // Where the cores are shared, a peer with a core to itself is no measure.
  return rows
    .filter(({ peer, threads }) => peer === OWN && threads === undefined)
    .flatMap(({ scenario, cpu }) =>
      peers.flatMap((peer) => {
        const of = (name: string): Row | undefined => rows.find((row) => row.scenario === name && row.peer === peer);
        const other = of(scenario) ?? of(MEASURE);
        return other === undefined ? [] : [{ scenario, peer, against: other.scenario, ratio: cpu / other.cpu }];
      }),
    );
}

/** What the rows say together. */
export interface Summary {
  /** What a query takes of the one core that a server and its client share, both together, in microseconds. */
  readonly oneCore?: readonly { readonly peer: string; readonly perQuery: number }[];
  /** CPU time of a hot name of the large zone, as a multiple of a cache hit's in the same run. */
  readonly zoneToCacheHit?: number;
  /** MB of memory for each 1,000 services more, each with a slice. */
  readonly memoryPerThousandServices?: number;
  /** CPU time per query and queries a second with several threads on as many cores, as multiples of those with one. */
  readonly threads?: { readonly count: number; readonly cpu: number; readonly perSecond: number };
}

export function summary(rows: readonly Row[]): Summary {
  const own = rows.filter(({ peer }) => peer === OWN);
  const clusters = own
    .filter(({ scenario, services }) => services !== undefined && scenario.startsWith('cluster names'))
    .sort((a, b) => a.services! - b.services!);
  const [small, large] = [clusters[0], clusters.at(-1)];
  const [one, many] = [own.find(({ threads }) => threads === 1), own.find(({ threads }) => (threads ?? 1) > 1)];
  const zone = own.find(({ scenario }) => scenario.startsWith('zone of'));
  const hit = own.find(({ scenario }) => scenario === MEASURE);
  const oneCore = rows.filter(({ threads }) => threads === 1);
  return {
    ...(oneCore.length > 0 && {
      oneCore: oneCore.map(({ peer, perSecond }) => ({ peer, perQuery: 1e6 / perSecond })),
    }),
    ...(zone && hit && { zoneToCacheHit: zone.cpu / hit.cpu }),
    ...(small &&
      large &&
      large.services! > small.services! && {
        memoryPerThousandServices: (large.memory - small.memory) / ((large.services! - small.services!) / 1000),
      }),
    ...(one &&
      many && {
        threads: { count: many.threads!, cpu: many.cpu / one.cpu, perSecond: many.perSecond / one.perSecond },
      }),
  };
}

const HEAD = ['scenario', 'server', 'CPU us/query', 'queries/s', 'p50 ms', 'p99 ms', 'lost', 'RSS MB', 'start ms'];

/** All rows with what they say, for people. */
export function table(rows: readonly Row[]): string {
  const all = ratios(rows);
  const peers = [...new Set(all.map(({ peer }) => peer))];
  const body = rows.map((row) => [
    row.scenario,
    row.peer,
    row.cpu.toFixed(1),
    row.perSecond.toFixed(0),
    row.p50.toFixed(2),
    row.p99.toFixed(1),
    String(row.lost),
    row.memory.toFixed(0),
    row.start.toFixed(0),
    ...peers.map((peer) => {
      const found =
        row.peer === OWN ? all.find((ratio) => ratio.scenario === row.scenario && ratio.peer === peer) : undefined;
      return found === undefined ? '' : `${found.ratio.toFixed(2)}${found.against === row.scenario ? ' ' : '*'}`;
    }),
  ]);
  const head = [...HEAD, ...peers.map((peer) => `of ${peer}`)];
  const lines = aligned([head, ...body]);
  if (all.some(({ scenario, against }) => scenario !== against)) lines.push('', `* of its CPU time for: ${MEASURE}`);
  const { memoryPerThousandServices: memory, oneCore, threads, zoneToCacheHit } = summary(rows);
  if (oneCore !== undefined)
    lines.push(
      '',
      `client and server on one core, us per query: ${oneCore.map(({ peer, perQuery }) => `${peer} ${perQuery.toFixed(1)}`).join(', ')}`,
    );
  if (zoneToCacheHit !== undefined)
    lines.push('', `a hot name of the large zone: ${zoneToCacheHit.toFixed(2)} times a cache hit`);
  if (memory !== undefined) lines.push('', `memory for each 1,000 services more: ${memory.toFixed(2)} MB`);
  if (threads !== undefined)
    lines.push(
      '',
      `${threads.count} threads on as many cores, shared with the load: CPU time per query ` +
        `${threads.cpu.toFixed(2)} times that of one, queries per second ` +
        `${threads.perSecond.toFixed(2)} times`,
    );
  return lines.join('\n');
}

/** How long a program took to start: the middle one of several. */
export interface Start {
  readonly scenario: string;
  readonly peer: string;
  /** From the start to the end of a program that ends, to the first right answer of a server; in milliseconds. */
  readonly ms: number;
  /** Resident memory of a server shortly after, in MB (10^6 bytes). */
  readonly memory?: number | undefined;
  /** Processor time of a server until then, of all its threads, in milliseconds. */
  readonly cpu?: number | undefined;
}

/** Starts for people, each with how many times as long as the first of its scenario it took. */
export function startTable(starts: readonly Start[]): string {
  const rows = starts.map(({ scenario, peer, ms, memory, cpu }) => {
    const first = starts.find((other) => other.scenario === scenario)!;
    return [scenario, peer, ms.toFixed(0), (ms / first.ms).toFixed(2), cpu?.toFixed(0) ?? '', memory?.toFixed(0) ?? ''];
  });
  return aligned([['scenario', 'program', 'ms', 'times', 'CPU ms', 'RSS MB'], ...rows]).join('\n');
}

/** CPU time of a hit in microseconds, without and with counting for `nodens top`, and the median of their ratios. */
export interface TopCost {
  readonly scenario: string;
  readonly without: number;
  readonly counted: number;
  readonly ratio: number;
}

export const topTable = (costs: readonly TopCost[]): string =>
  aligned([
    ['scenario', '', 'us without', 'us with', 'times'],
    ...costs.map(({ scenario, without, counted, ratio }) => [
      scenario,
      '',
      without.toFixed(2),
      counted.toFixed(2),
      ratio.toFixed(3),
    ]),
  ]).join('\n');

/** Columns one below the other: the first two begin at the left, figures end at the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((cells) => cells[i]!.length)));
  return rows.map((cells) =>
    cells
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
