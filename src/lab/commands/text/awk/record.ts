import { split } from './values.js';

/** The line that an awk program looks at, and its fields. */
export class AwkRecord {
  private text = '';
  private fields: string[] = [];

  /** @param separators FS and OFS as they are at the moment */
  constructor(private readonly separators: () => { readonly fs: string; readonly ofs: string }) {}

  get line(): string {
    return this.text;
  }

  get count(): number {
    return this.fields.length;
  }

  /** Field 0 is the line. */
  field(index: number): string {
    return index === 0 ? this.text : (this.fields[index - 1] ?? '');
  }

  set(index: number, text: string): void {
    if (index === 0) {
      this.text = text;
      this.fields = split(text, this.separators().fs);
      return;
    }
    while (this.fields.length < index) this.fields.push('');
    this.fields[index - 1] = text;
    this.join();
  }

  /** Keeps so many fields. */
  shorten(count: number): void {
    this.fields = this.fields.slice(0, count);
    this.join();
  }

  private join(): void {
    this.text = this.fields.join(this.separators().ofs);
  }
}
