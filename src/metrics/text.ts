// Prometheus' text exposition format 0.0.4.

/** One line: a value under its name and labels. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A name with what stands above its samples. */
export interface FamilyHead {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
}

/** A family: two comments and a line for each sample. */
export function familyText({ name, help, type }: FamilyHead, samples: readonly Sample[]): string {
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${samples.map(sampleText).join('')}`;
}

function sampleText({ name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${valueText(value)}\n`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const valueText = (value: number): string =>
  value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
