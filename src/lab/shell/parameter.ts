import type { ParameterExpansionPart, ParameterOperation, Word } from 'unbash';
import { LineError } from './parse.js';
import { patternSource } from './pattern.js';
import type { Piece } from './pattern.js';
import type { Scope } from './scope.js';

interface ParameterHost {
  readonly scope: Scope;
  variable(name: string): string | undefined;
  /** The value that a variable has; throws where it has to have one. */
  known(name: string, value: string | undefined): string | undefined;
  text(word: Word | undefined): Promise<string>;
  pieces(word: Word | undefined): Promise<readonly Piece[]>;
}

/** What `${...}` stands for. */
export async function parameterValue(part: ParameterExpansionPart, host: ParameterHost): Promise<string> {
  const { parameter, operation, index, prefix } = part;
  if (operation?.type === 'Names') return host.scope.names.filter((name) => name.startsWith(parameter)).join(' ');
  const name = prefix === '!' ? (host.variable(parameter) ?? '') : parameter;
  const list = index && (index.value === '@' || index.value === '*') ? host.scope.list(name) : undefined;
  if (prefix === '#') {
    const counted = list ?? (parameter === '@' || parameter === '*' ? host.scope.args : undefined);
    return String(counted ? counted.length : (host.known(name, host.variable(name)) ?? '').length);
  }
  const value =
    list?.join(' ') ?? (index ? host.scope.list(name)[Number(await host.text(index))] : host.variable(name));
  if (operation?.type !== 'Default') host.known(name, value);
  return operation ? operate(operation, value, name, host) : (value ?? '');
}

async function operate(
  operation: ParameterOperation,
  value: string | undefined,
  name: string,
  host: ParameterHost,
): Promise<string> {
  switch (operation.type) {
    case 'Default':
      return byDefault(operation, value, name, host);
    case 'Remove': {
      const source = patternSource(await host.pieces(operation.operand), {
        star: operation.operator.length === 1 ? '[^]*?' : '[^]*',
      });
      return operation.operator.startsWith('#')
        ? (value ?? '').replace(new RegExp(`^(?:${source})`), '')
        : withoutEnd(value ?? '', source, operation.operator.length === 2);
    }
    case 'Replace': {
      const source = patternSource(await host.pieces(operation.pattern));
      const replacement = await host.text(operation.replacement);
      const [start, end] = [operation.operator === '/#' ? '^' : '', operation.operator === '/%' ? '$' : ''];
      if (source === '') return value ?? '';
      return (value ?? '').replace(
        new RegExp(`${start}(?:${source})${end}`, operation.operator === '//' ? 'g' : ''),
        () => replacement,
      );
    }
    case 'Slice': {
      const text = value ?? '';
      const offset = Number(await host.text(operation.offset));
      const start = offset < 0 ? Math.max(0, text.length + offset) : offset;
      if (!operation.length) return text.slice(start);
      const length = Number(await host.text(operation.length));
      return length < 0 ? text.slice(start, length) : text.slice(start, start + length);
    }
    case 'CaseModification': {
      const change = (text: string): string =>
        operation.operator.startsWith('^') ? text.toUpperCase() : text.toLowerCase();
      const text = value ?? '';
      return operation.operator.length === 2 ? change(text) : change(text.slice(0, 1)) + text.slice(1);
    }
    default:
      throw new LineError(`\${${name}}: this form is not supported here`);
  }
}

async function byDefault(
  { operator, operand }: Extract<ParameterOperation, { type: 'Default' }>,
  value: string | undefined,
  name: string,
  host: ParameterHost,
): Promise<string> {
  const empty = value === undefined || (operator.startsWith(':') && value === '');
  const word = (): Promise<string> => host.text(operand);
  switch (operator.replace(':', '')) {
    case '+':
      return empty ? '' : word();
    case '?':
      if (empty) throw new LineError(`${name}: ${(await word()) || 'parameter null or not set'}`);
      return value;
    case '=': {
      if (!empty) return value;
      const made = await word();
      host.scope.set(name, made);
      return made;
    }
    default:
      return empty ? word() : value;
  }
}

/** The text without its shortest, or its longest, end that fits. */
function withoutEnd(text: string, source: string, longest: boolean): string {
  const ends = Array.from({ length: text.length + 1 }, (_, at) => (longest ? at : text.length - at));
  const at = ends.find((from) => new RegExp(`^(?:${source})$`).test(text.slice(from)));
  return at === undefined ? text : text.slice(0, at);
}
