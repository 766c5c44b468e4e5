// OpenMetrics 1.0 (prometheus.io/docs/specs/om/open_metrics_spec), made of the text exposition format: most is the same.

export const OPEN_METRICS = 'application/openmetrics-text';

/** A scrape in OpenMetrics: counters without `_total` are of a type that is not known there. */
export function toOpenMetrics(text: string): string {
  const lines = text.split('\n');
  const counters = new Map<string, string>();
  for (const line of lines) {
    const [, name] = /^# TYPE (\S+) counter$/.exec(line) ?? [];
    if (name !== undefined) counters.set(name, name.endsWith('_total') ? name.slice(0, -'_total'.length) : name);
  }
  const made = lines.flatMap((line) => {
    if (line === '') return [];
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    const family = counters.get(name) ?? name;
    if (keyword === 'HELP') return [`# HELP ${family} ${rest.replaceAll('"', '\\"')}`];
    if (keyword === 'TYPE') return [`# TYPE ${family} ${rest === 'counter' && family === name ? 'unknown' : rest}`];
    // Bounds are written as decimal fractions, whole ones too.
    return [line.replace(/([{,]le=")(\d+)"/, '$1$2.0"')];
  });
  return [...made, '# EOF', ''].join('\n');
}

/** Whether an Accept field wants OpenMetrics at least as much as the text format. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  let [open, plain] = [0, 0];
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const weight = Number(/^q=(.*)$/.exec(parameters.find((part) => part.startsWith('q=')) ?? '')?.[1] ?? 1) || 0;
    const version = /^version=(.*)$/.exec(parameters.find((part) => part.startsWith('version=')) ?? '')?.[1] ?? '1.0.0';
    if (type === OPEN_METRICS && version === '1.0.0') open = Math.max(open, weight);
    else if (type === 'text/plain') plain = Math.max(plain, weight);
  }
  return open > 0 && open >= plain;
}
