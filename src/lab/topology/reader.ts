import type { LineCounter, Node as YamlNode, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { NodensError, placeFrom } from '../../lib/errors.js';
import { loadYaml } from '../../kube/yaml.js';

/** A topology or script that cannot be used. The message begins with file, line and column. */
export class LabFileError extends NodensError {
  override readonly name = 'LabFileError';

  constructor(
    /** `FILE:LINE:COLUMN`, counted from 1; of a script `FILE:LINE`. */
    place: string,
    message: string,
  ) {
    super('NODENS_LAB_FILE', `${place}: ${message}`, { place: placeFrom(place) });
  }
}

interface Source {
  readonly file: string;
  readonly lines: LineCounter;
}

/** A place in a YAML file: reads what stands there and names it when it is wrong. */
export class YamlPlace {
  constructor(
    private readonly source: Source,
    private readonly node: YamlNode | null | undefined,
    readonly path: string,
    private readonly offset: number,
  ) {}

  get present(): boolean {
    return (
      this.node !== undefined && this.node !== null && !(loadYaml().isScalar(this.node) && this.node.value === null)
    );
  }

  /** The plain value of all that stands here. */
  get value(): unknown {
    const { node } = this;
    return node === undefined || node === null ? undefined : (node.toJS(new (loadYaml().Document)()) as unknown);
  }

  /** Line of the place in its file, from 1. */
  get line(): number {
    return this.source.lines.linePos(this.node?.range?.[0] ?? this.offset).line;
  }

  fail(message: string): never {
    const { line, col } = this.source.lines.linePos(this.node?.range?.[0] ?? this.offset);
    throw new LabFileError(
      `${this.source.file}:${line}:${col}`,
      this.path === '' ? message : `${this.path}: ${message}`,
    );
  }

  /** The members of a mapping; keys other than those allowed are refused. */
  members<Key extends string>(...allowed: readonly Key[]): (key: Key) => YamlPlace {
    const pairs = this.pairs();
    for (const { key } of pairs) {
      if (!(allowed as readonly string[]).includes(key.text))
        key.place.fail(`unknown key, allowed: ${allowed.join(', ')}`);
    }
    return (key) =>
      pairs.find((pair) => pair.key.text === key)?.value ??
      new YamlPlace(this.source, undefined, this.join(key), this.node?.range?.[0] ?? this.offset);
  }

  /** All members of a mapping whose keys are free. */
  entries(): readonly (readonly [string, YamlPlace])[] {
    return this.pairs().map(({ key, value }) => [key.text, value] as const);
  }

  /** The items of a list; none where nothing stands. */
  list(): readonly YamlPlace[] {
    if (!this.present) return [];
    if (!loadYaml().isSeq(this.node)) this.fail(`got ${this.kind()}, allowed: a list`);
    return (this.node as YAMLSeq<YamlNode>).items.map(
      (item, i) => new YamlPlace(this.source, item, `${this.path}[${i}]`, this.offset),
    );
  }

  text(): string {
    const value = this.scalar();
    if (typeof value !== 'string' || value === '') this.fail(`got ${this.kind()}, allowed: text`);
    return value;
  }

  textOr<Fallback>(fallback: Fallback): string | Fallback {
    return this.present ? this.text() : fallback;
  }

  texts(): readonly string[] {
    return this.list().map((item) => item.text());
  }

  /** A whole number from `least` to `most`. */
  number(least: number, most: number): number {
    const value = this.scalar();
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
      this.fail(`got ${this.kind()}, allowed: a whole number from ${least} to ${most}`);
    return value;
  }

  flag(fallback: boolean): boolean {
    if (!this.present) return fallback;
    const value = this.scalar();
    if (typeof value !== 'boolean') this.fail(`got ${this.kind()}, allowed: true or false`);
    return value;
  }

  oneOf<Word extends string>(...words: readonly Word[]): Word {
    const value = this.scalar();
    const found = words.find((word) => word === value);
    return found ?? this.fail(`got ${this.kind()}, allowed: ${words.join(', ')}`);
  }

  private pairs(): readonly {
    readonly key: { readonly text: string; readonly place: YamlPlace };
    readonly value: YamlPlace;
  }[] {
    if (!this.present) return [];
    if (!loadYaml().isMap(this.node)) this.fail(`got ${this.kind()}, allowed: a mapping`);
    return (this.node as YAMLMap<Scalar, YamlNode>).items.map(({ key, value }: Pair<Scalar, YamlNode | null>) => {
      const text = String(key.value);
      const offset = key.range?.[0] ?? this.offset;
      return {
        key: { text, place: new YamlPlace(this.source, key, this.join(text), offset) },
        value: new YamlPlace(this.source, value, this.join(text), offset),
      };
    });
  }

  private scalar(): unknown {
    return loadYaml().isScalar(this.node) ? this.node.value : undefined;
  }

  private join(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  private kind(): string {
    const yaml = loadYaml();
    if (!this.present) return 'nothing';
    if (yaml.isMap(this.node)) return 'a mapping';
    if (yaml.isSeq(this.node)) return 'a list';
    return JSON.stringify((this.node as Scalar).value);
  }
}

/** Reads a YAML document with anchors resolved. Throws a LabFileError for text that is no YAML. */
export function readYaml(file: string, text: string): YamlPlace {
  const yaml = loadYaml();
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, merge: true });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new LabFileError(
      `${file}:${line}:${col}`,
      error.message.split('\n', 1)[0]!.replace(/ at line \d+, column \d+:?$/, ''),
    );
  }
  const source: Source = { file, lines };
  yaml.visit(document, {
    Alias: (_, alias, above) => {
      const named = alias.resolve(document);
      if (named !== undefined && !above.includes(named)) return named;
      return new YamlPlace(source, alias, '', 0).fail(
        `got the alias *${alias.source}, allowed: an anchor that stands before it`,
      );
    },
  });
  return new YamlPlace(source, document.contents, '', 0);
}
