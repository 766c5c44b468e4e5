import { objectAt, textAt, textMapAt } from '../../../../kube/objects/raw.js';
import { layOut } from '../../../../observe/table.js';

const EVENT_COLUMNS = ['Type', 'Reason', 'Age', 'From', 'Message'];
/** How kubectl describe lays out its lines. */
const STYLE = { minWidth: 0, padding: 2 };

/**
 * The lines of one description; a tab stands between a name and its value, and those of a block are brought into
 * line.
 */
export class Sheet {
  private readonly lines: string[] = [];

  /** A line by itself. `level` steps of two blanks stand before it. */
  add(level: number, ...cells: readonly string[]): void {
    this.lines.push('  '.repeat(level) + cells.join('\t'));
  }

  /** Labels, annotations, selectors: one on a line, `<none>` for none. */
  map(level: number, name: string, values: Readonly<Record<string, string>> | undefined, sign = '='): void {
    const entries = { ...values };
    const keys = Object.keys(entries).sort();
    this.list(
      level,
      name,
      keys.map((key) => `${key}${sign}${entries[key]!}`),
    );
  }

  list(level: number, name: string, values: readonly string[]): void {
    const [first = '<none>', ...more] = values;
    this.add(level, `${name}:`, first);
    for (const value of more) this.add(level, '', value);
  }

  /** Name, namespace, labels and annotations, as most descriptions begin. */
  head(object: unknown): void {
    const metadata = objectAt(object, 'metadata');
    this.add(0, 'Name:', textAt(metadata, 'name'));
    if (textAt(metadata, 'namespace') !== '') this.add(0, 'Namespace:', textAt(metadata, 'namespace'));
    this.labels(object);
  }

  labels(object: unknown): void {
    const metadata = objectAt(object, 'metadata');
    this.map(0, 'Labels', textMapAt(metadata, 'labels'));
    this.map(0, 'Annotations', textMapAt(metadata, 'annotations'), ': ');
  }

  /** @param rows type, reason, age, source and message of each */
  events(rows: readonly (readonly string[])[] = []): void {
    if (rows.length === 0) return this.add(0, 'Events:', '<none>');
    this.add(0, 'Events:');
    for (const row of [EVENT_COLUMNS, EVENT_COLUMNS.map((name) => '-'.repeat(name.length)), ...rows])
      this.add(1, ...row);
  }

  text(): string {
    return layOut(
      this.lines.map((line) => line.split('\t')),
      STYLE,
    )
      .map((line) => `${line}\n`)
      .join('');
  }
}

/** A time as descriptions have it (RFC 1123 with a numeric zone). */
export function longTime(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '<unset>' : date.toUTCString().replace('GMT', '+0000');
}
