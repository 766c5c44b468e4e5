import { AwkRecord } from './record.js';
import { num, str } from './values.js';
import type { AwkValue } from './values.js';

/** What a program of awk remembers: variables, arrays and the fields of the line; NF follows the fields. */
export class AwkMemory {
  readonly arrays = new Map<string, Map<string, AwkValue>>();
  readonly record = new AwkRecord(() => ({ fs: this.text('FS'), ofs: this.text('OFS') }));
  private readonly variables = new Map<string, AwkValue>([
    ['FS', ' '],
    ['OFS', ' '],
    ['ORS', '\n'],
    ['NR', 0],
    ['FNR', 0],
    ['NF', 0],
    ['RSTART', 0],
    ['RLENGTH', -1],
  ]);

  /** The value of a variable; empty before it has one. */
  get(name: string): AwkValue {
    return this.variables.get(name) ?? { text: '' };
  }

  text(name: string): string {
    return str(this.get(name));
  }

  set(name: string, value: AwkValue): void {
    this.variables.set(name, value);
    if (name === 'NF') this.change(() => this.record.shorten(num(value)));
  }

  /** Sets a field; 0 is the whole line. */
  setField(index: number, text: string): void {
    this.change(() => this.record.set(index, text));
  }

  element(array: string, key: string): AwkValue {
    const held = this.array(array);
    // An element that is asked for is there from then on.
    if (!held.has(key)) held.set(key, { text: '' });
    return held.get(key)!;
  }

  array(name: string): Map<string, AwkValue> {
    const held = this.arrays.get(name) ?? new Map<string, AwkValue>();
    this.arrays.set(name, held);
    return held;
  }

  /** Changes the line, and NF with it. */
  private change(run: () => void): void {
    run();
    this.variables.set('NF', this.record.count);
  }
}
