import { CommandError } from '../../session/command.js';

type PathStep =
  | { readonly key: string }
  | { readonly index: number }
  | { readonly all: true }
  | { readonly where: readonly PathStep[]; readonly sign: '==' | '!='; readonly text: string };

type TemplatePart =
  | { readonly text: string }
  | { readonly path: readonly PathStep[] }
  | { readonly range: readonly PathStep[]; readonly body: readonly TemplatePart[] };

const ALLOWED =
  'allowed: {.a.b}, {.items[*].metadata.name}, {.items[0]}, {.items[?(@.a=="b")]}, {range .items[*]}...{end}, {"\\n"}';

/** A jsonpath template as kubectl takes it. Throws a CommandError with the place and what is allowed. */
export class JsonPath {
  private readonly parts: readonly TemplatePart[];

  constructor(private readonly template: string) {
    const tokens = this.tokens();
    this.parts = this.sequence(tokens, false);
    if (tokens.length > 0) this.fail('{end} without {range}');
  }

  /** The template with what it names in place. */
  print(root: unknown): string {
    return printed(this.parts, root);
  }

  private fail(what: string): never {
    throw new CommandError(`error: error parsing jsonpath ${this.template}: ${what}; ${ALLOWED}`);
  }

  private tokens(): string[] {
    // Without braces the whole is one path.
    const text = this.template.includes('{')
      ? this.template
      : `{${this.template.startsWith('.') ? '' : '.'}${this.template}}`;
    const found = text.match(/\{(?:"[^"]*"|'[^']*'|[^{}"'])*\}|[^{}]+/g) ?? [];
    if (found.join('') !== text) this.fail('a brace is not closed');
    return found;
  }

  private sequence(tokens: string[], inRange: boolean): readonly TemplatePart[] {
    const parts: TemplatePart[] = [];
    while (tokens.length > 0) {
      const token = tokens[0]!;
      const inner = token.startsWith('{') ? token.slice(1, -1).trim() : undefined;
      if (inner === 'end' && !inRange) return parts;
      tokens.shift();
      if (inner === undefined) parts.push({ text: token });
      else if (inner === 'end') return parts;
      else if (inner.startsWith('range '))
        parts.push({ range: this.path(inner.slice(6).trim()), body: this.sequence(tokens, true) });
      else if (/^["'].*["']$/.test(inner)) parts.push({ text: unescaped(inner.slice(1, -1)) });
      else parts.push({ path: this.path(inner) });
    }
    if (inRange) this.fail('{range} without {end}');
    return parts;
  }

  private path(text: string): readonly PathStep[] {
    const steps: PathStep[] = [];
    let rest = text.replace(/^[$@]/, '');
    while (rest !== '') {
      const [found, key, quoted, index, all, filter] =
        /^(?:\.((?:[A-Za-z_]|\\.)(?:[\w/-]|\\.)*)|\[['"]([^'"]+)['"]\]|\[(-?\d+)\]|(\[\*\]|\.\*)|\[\?\((.+?)\)\]|\.$)/.exec(
          rest,
        ) ?? [];
      if (found === undefined) return this.fail(`got "${rest}"`);
      if (key !== undefined || quoted !== undefined) steps.push({ key: quoted ?? key!.replaceAll('\\', '') });
      else if (index !== undefined) steps.push({ index: Number(index) });
      else if (all !== undefined) steps.push({ all: true });
      else if (filter !== undefined) steps.push(this.filter(filter));
      rest = rest.slice(found.length);
    }
    return steps;
  }

  private filter(text: string): PathStep {
    const [, path, sign, quoted, bare] = /^\s*@(\S+?)\s*(==|!=)\s*(?:["'](.*)["']|(\S+))\s*$/.exec(text) ?? [];
    if (path === undefined) return this.fail(`got "${text}"`);
    return { where: this.path(path), sign: sign as '==', text: quoted ?? bare! };
  }
}

const unescaped = (text: string): string => text.replaceAll('\\n', '\n').replaceAll('\\t', '\t').replaceAll('\\"', '"');

function found(steps: readonly PathStep[], root: unknown): readonly unknown[] {
  return steps.reduce<readonly unknown[]>(
    (values, step) =>
      values.flatMap((value): readonly unknown[] => {
        if (typeof value !== 'object' || value === null) return [];
        if ('key' in step)
          return Object.hasOwn(value, step.key) ? [(value as Readonly<Record<string, unknown>>)[step.key]] : [];
        const list: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
        if ('all' in step) return list;
        if ('index' in step) return list.slice(step.index).slice(0, 1);
        return list.filter(
          (item) => found(step.where, item).some((one) => plain(one) === step.text) === (step.sign === '=='),
        );
      }),
    [root],
  );
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function printed(parts: readonly TemplatePart[], root: unknown): string {
  return parts
    .map((part) => {
      if ('text' in part) return part.text;
      if ('path' in part) return found(part.path, root).map(plain).join(' ');
      return found(part.range, root)
        .map((item) => printed(part.body, item))
        .join('');
    })
    .join('');
}
