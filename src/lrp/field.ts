import { LrpError } from './policy.js';

/** A place in a manifest: reads its fields and names them when they are wrong. */
export class ManifestField {
  constructor(
    readonly value: unknown,
    readonly path: string,
  ) {}

  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  fail(message: string): never {
    throw new LrpError(this.path, message);
  }

  /** The fields of an object; names other than those allowed are refused. */
  object(...allowed: readonly string[]): (name: string) => ManifestField {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value))
      this.fail(`got ${kindOf(this.value)}, want an object`);
    const fields = this.value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(fields)) {
      if (allowed.length > 0 && !allowed.includes(name))
        throw new LrpError(`${this.path}.${name}`, `unknown field, want one of ${allowed.join(', ')}`);
    }
    return (name) =>
      new ManifestField(
        Object.hasOwn(fields, name) ? fields[name] : undefined,
        this.path ? `${this.path}.${name}` : name,
      );
  }

  list(): readonly ManifestField[] {
    if (!Array.isArray(this.value)) this.fail(`got ${kindOf(this.value)}, want a list`);
    return (this.value as unknown[]).map((value, i) => new ManifestField(value, `${this.path}[${i}]`));
  }

  string(): string {
    if (typeof this.value !== 'string') this.fail(`got ${kindOf(this.value)}, want a string`);
    return this.value;
  }

  /** A string that is not empty; `what` says what is missing. */
  required(what: string): string {
    if (!this.present || this.value === '') this.fail(`${what} is empty`);
    return this.string();
  }

  boolean(otherwise: boolean): boolean {
    if (!this.present) return otherwise;
    if (typeof this.value !== 'boolean') this.fail(`got ${kindOf(this.value)}, want true or false`);
    return this.value;
  }

  oneOf<Word extends string>(...words: readonly Word[]): Word {
    const text = this.present ? this.string() : '';
    if (!(words as readonly string[]).includes(text))
      this.fail(`got ${text === '' ? 'nothing' : `"${text}"`}, want ${words.join(' or ')}`);
    return text as Word;
  }

  /** String values by key. */
  strings(): readonly (readonly [string, string])[] {
    const field = this.object();
    return Object.keys(this.value as object).map((key) => [key, field(key).string()] as const);
  }
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${JSON.stringify(value)}`;
}
