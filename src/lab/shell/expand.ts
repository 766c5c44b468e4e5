import type { ArithmeticExpression, DoubleQuotedChild, ParsedScript, Word, WordPart } from 'unbash';
import { evaluate } from './arithmetic.js';
import { subscript } from './array.js';
import { bracesIn } from './braces.js';
import { parameterList, parameterValue } from './parameter.js';
import type { ParameterHost } from './parameter.js';
import type { ShellFiles } from './io.js';
import { isPattern, patternSource } from './pattern.js';
import type { Piece } from './pattern.js';
import { LineError, parseLine } from './parse.js';
import type { Scope } from './scope.js';

/** What expansions work with. */
export interface ExpansionHost {
  readonly scope: Scope;
  readonly files: ShellFiles;
  /** What a command in `$(...)` writes. */
  substitute(script: ParsedScript): Promise<string>;
  /** The file that stands for what a command in `<(...)` writes. */
  document(script: ParsedScript): Promise<string>;
  /** A variable has no value: throws where that is not allowed. */
  unset(name: string): void;
  /** `$$`, `$!`, `$-` and what else the shell knows by one sign. */
  special(sign: string): string | undefined;
}

/** A field under way: its pieces, or the end of a field. */
type FieldPart = Piece | 'next';

/** Turns words as they are written into the words that a program gets. */
export class Expander {
  private readonly parameters: ParameterHost;

  constructor(private readonly host: ExpansionHost) {
    this.parameters = {
      scope: host.scope,
      variable: (name) => this.variable(name),
      known: (name, value) => this.known(name, value),
      key: async (name, index) => this.key(name, await this.text(index)),
      text: (word) => this.text(word),
      pieces: (word) => this.pieces(word),
    };
  }

  /** All fields of the words: expanded, split, and with names of files. */
  async fields(words: readonly Word[]): Promise<string[]> {
    const fields: string[] = [];
    for (const word of words)
      for (const one of bracesIn(word)) for (const field of await this.split(one)) fields.push(...this.names(field));
    return fields;
  }

  /** A word that stays one: what is assigned, the file of a redirection, the text that `case` looks at. */
  async text(word: Word | undefined): Promise<string> {
    return (await this.pieces(word)).map(({ text }) => text).join('');
  }

  /** A word that is a pattern. */
  async pieces(word: Word | undefined): Promise<readonly Piece[]> {
    if (!word) return [];
    const parts = word.parts ? await this.parts(word.parts) : [{ text: this.home(word), quoted: true }];
    return parts.map((part) => (part === 'next' ? { text: ' ', quoted: true } : part));
  }

  /** Text with expansions, as a here-document has it. */
  async document(parts: readonly WordPart[] | undefined, text: string): Promise<string> {
    if (!parts) return text;
    return (await this.quoted(parts as readonly DoubleQuotedChild[])).map(({ text: one }) => one).join('');
  }

  /** The value of `$(( ))`. */
  arithmetic(expression: ArithmeticExpression | undefined): Promise<number> {
    if (!expression) return Promise.resolve(0);
    const { scope } = this.host;
    return evaluate(expression, {
      get: async (text) => {
        const { name, index } = subscript(text);
        const value = index === undefined ? scope.get(name) : scope.array(name).get(await this.key(name, index));
        return this.known(text, value);
      },
      set: async (text, value) => {
        const { name, index } = subscript(text);
        if (index === undefined) scope.set(name, value);
        else scope.set(name, scope.array(name).with(await this.key(name, index), value));
      },
      word: async (node) =>
        node.type === 'ArithmeticWord'
          ? node.parts
            ? (await this.parts(node.parts)).map((part) => (part === 'next' ? ' ' : part.text)).join('')
            : node.value
          : node.script
            ? this.host.substitute(node.script)
            : '',
    });
  }

  /** The key of an array's element: after `declare -A` the text, else a number, which counts from the end if negative. */
  async key(name: string, text: string): Promise<string> {
    const array = this.host.scope.array(name);
    if (array.keyed) return text;
    const [only] = parseLine(`((${text}))`).commands;
    const node = only?.command;
    const at = await this.arithmetic(node?.type === 'ArithmeticCommand' ? node.expression : undefined);
    if (at + array.next < 0) throw new LineError(`${name}: bad array subscript`);
    return String(at < 0 ? at + array.next : at);
  }

  private async split(word: Word): Promise<Piece[][]> {
    if (!word.parts) return [[{ text: this.home(word), quoted: true }]];
    const fields: Piece[][] = [];
    let field: Piece[] | undefined;
    for (const part of await this.parts(word.parts, true)) {
      if (part === 'next') {
        if (field) fields.push(field);
        field = undefined;
      } else (field ??= []).push(part);
    }
    if (field) fields.push(field);
    return fields;
  }

  /** @param splits whether what is not quoted is split at blanks */
  private async parts(parts: readonly WordPart[], splits = false): Promise<FieldPart[]> {
    const made: FieldPart[] = [];
    for (const [i, part] of parts.entries()) {
      switch (part.type) {
        case 'Literal':
          made.push({ text: i === 0 ? this.home(part) : part.value, quoted: true });
          break;
        case 'Glob':
        case 'ExtendedGlob':
        case 'BraceExpansion':
          made.push({ text: part.text, quoted: false });
          break;
        case 'SingleQuoted':
        case 'AnsiCQuoted':
          made.push({ text: part.value, quoted: true });
          break;
        case 'DoubleQuoted':
        case 'LocaleString':
          made.push(...(await this.listIn(part.parts)));
          break;
        default:
          made.push(...this.blanks(await this.value(part), splits));
      }
    }
    return made;
  }

  /** `"$@"` and `"${a[@]}"` make a field of each element; other quoted text is one field, also when it is empty. */
  private async listIn(parts: readonly DoubleQuotedChild[]): Promise<FieldPart[]> {
    const made: FieldPart[] = [];
    let lists = false;
    for (const part of parts) {
      const list = await this.listOf(part);
      if (list === undefined) made.push(...(await this.quoted([part])));
      else list.forEach((text, i) => made.push(...(i > 0 ? (['next'] as const) : []), { text, quoted: true }));
      lists ||= list !== undefined;
    }
    return made.length === 0 && !lists ? [{ text: '', quoted: true }] : made;
  }

  private async listOf(part: DoubleQuotedChild): Promise<readonly string[] | undefined> {
    if (part.text === '$@') return this.host.scope.args;
    if (part.type !== 'ParameterExpansion' || (part.index?.value ?? part.parameter) !== '@') return undefined;
    return parameterList(part, this.parameters);
  }

  private async quoted(parts: readonly DoubleQuotedChild[]): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for (const part of parts)
      pieces.push({ text: part.type === 'Literal' ? part.value : await this.value(part), quoted: true });
    return pieces;
  }

  private blanks(text: string, splits: boolean): FieldPart[] {
    if (!splits) return text === '' ? [] : [{ text, quoted: false }];
    const separators = this.host.scope.get('IFS') ?? ' \t\n';
    if (separators === '') return [{ text, quoted: false }];
    const sign = new RegExp(`[${separators.replace(/[\\\]^-]/g, '\\$&')}]+`);
    return text
      .split(sign)
      .flatMap((one, i): FieldPart[] => [
        ...(i > 0 ? (['next'] as const) : []),
        ...(one === '' ? [] : [{ text: one, quoted: false }]),
      ]);
  }

  private async value(part: WordPart): Promise<string> {
    switch (part.type) {
      case 'SimpleExpansion':
        return this.known(part.text.slice(1), this.variable(part.text.slice(1))) ?? '';
      case 'ParameterExpansion':
        return parameterValue(part, this.parameters);
      case 'CommandExpansion':
        return part.script ? this.host.substitute(part.script) : '';
      case 'ArithmeticExpansion':
        return String(await this.arithmetic(part.expression));
      case 'ProcessSubstitution':
        if (part.operator === '>' || !part.script) throw new LineError('>(...) is not supported here');
        return this.host.document(part.script);
      default:
        return '';
    }
  }

  private known(name: string, value: string | undefined): string | undefined {
    if (value === undefined && name !== '!') this.host.unset(name);
    return value;
  }

  private variable(name: string): string | undefined {
    const { scope } = this.host;
    if (/^\d+$/.test(name)) return name === '0' ? 'bash' : scope.args[Number(name) - 1];
    if (name === '@' || name === '*') return scope.args.join(' ');
    if (name === '#') return String(scope.args.length);
    if (name === '?') return String(scope.status);
    return scope.get(name) ?? this.host.special(name);
  }

  /** A `~` that is not quoted begins the folder of the user. */
  private home({ text, value }: { readonly text: string; readonly value: string }): string {
    return text.startsWith('~') ? value.replace(/^~(?=\/|$)/, this.host.scope.get('HOME') ?? '~') : value;
  }

  /** The files that a pattern fits, in order; the word itself where none does. */
  private names(field: readonly Piece[]): readonly string[] {
    const word = field.map(({ text }) => text).join('');
    if (!isPattern(field)) return [word];
    const slash = word.lastIndexOf('/');
    const folder = slash < 0 ? '.' : word.slice(0, slash) || '/';
    if (/[*?[]/.test(folder)) return [word];
    const source = patternSource(dropped(field, slash + 1), { star: '[^/]*', one: '[^/]' });
    const found = this.host.files
      .list(folder)
      .filter((name) => new RegExp(`^(?:${source})$`).test(name) && (!name.startsWith('.') || /^\\\./.test(source)))
      .sort();
    return found.length === 0 ? [word] : found.map((name) => `${slash < 0 ? '' : word.slice(0, slash + 1)}${name}`);
  }
}

/** A pattern without its first signs. */
function dropped(field: readonly Piece[], count: number): readonly Piece[] {
  let left = count;
  return field.map(({ text, quoted }) => {
    const taken = Math.min(left, text.length);
    left -= taken;
    return { text: text.slice(taken), quoted };
  });
}
