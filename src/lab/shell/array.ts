/** An array of the shell. A change makes a new one: shells that were made from each other share them. */
export class ShellArray {
  private constructor(
    /** Whether its keys are texts (`declare -A`), not numbers. */
    readonly keyed: boolean,
    private readonly items: ReadonlyMap<string, string>,
  ) {}

  static of(values: readonly string[]): ShellArray {
    return new ShellArray(false, new Map(values.map((value, i) => [String(i), value])));
  }

  static empty(keyed: boolean): ShellArray {
    return new ShellArray(keyed, new Map());
  }

  /** In order; those of texts as they came. */
  get keys(): readonly string[] {
    return this.keyed ? [...this.items.keys()] : [...this.items.keys()].sort((a, b) => Number(a) - Number(b));
  }

  get values(): readonly string[] {
    return this.keys.map((key) => this.items.get(key)!);
  }

  /** The number that comes after the last. */
  get next(): number {
    return Number(this.keys.at(-1) ?? -1) + 1;
  }

  get(key: string): string | undefined {
    return this.items.get(key);
  }

  with(key: string, value: string): ShellArray {
    return new ShellArray(this.keyed, new Map([...this.items, [key, value]]));
  }

  without(key: string): ShellArray {
    return new ShellArray(this.keyed, new Map([...this.items].filter(([name]) => name !== key)));
  }
}

/** `NAME[INDEX]` taken apart; the index is missing for a plain name. */
export function subscript(text: string): { readonly name: string; readonly index: string | undefined } {
  const [, name = text, index] = /^([A-Za-z_]\w*)\[([^]+)\]$/.exec(text) ?? [];
  return { name, index };
}
