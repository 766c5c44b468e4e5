import type { ParameterExpansionPart, ParameterOperation, Word } from 'unbash';
import { LineError } from './parse.js';
import { patternSource } from './pattern.js';
import type { Piece } from './pattern.js';
import type { Scope } from './scope.js';

export interface ParameterHost {
  readonly scope: Scope;
  variable(name: string): string | undefined;
  /** The value that a variable has; throws where it has to have one. */
  known(name: string, value: string | undefined): string | undefined;
  /** The key that an index of an array means. */
  key(name: string, index: Word): Promise<string>;
  text(word: Word | undefined): Promise<string>;
  pieces(word: Word | undefined): Promise<readonly Piece[]>;
}

/** What `${...}` stands for. */
export async function parameterValue(part: ParameterExpansionPart, host: ParameterHost): Promise<string> {
  const { parameter, operation, index, prefix } = part;
  if (operation?.type === 'Names') return host.scope.names.filter((name) => name.startsWith(parameter)).join(' ');
  const list = await parameterList(part, host);
  if (list) return list.join(' ');
  const name = prefix === '!' ? (host.variable(parameter) ?? '') : parameter;
  if (prefix === '#' && isAll(part)) return String(allOf(part, host).length);
  const value = index && !isAll(part) ? host.scope.array(name).get(await host.key(name, index)) : host.variable(name);
  if (prefix === '#') return String((host.known(name, value) ?? '').length);
  if (operation?.type !== 'Default') host.known(name, value);
  return operation ? operate(operation, value, name, host) : (value ?? '');
}

const isAll = ({ index, parameter }: ParameterExpansionPart): boolean => ['@', '*'].includes(index?.value ?? parameter);

const allOf = ({ index, parameter }: ParameterExpansionPart, { scope }: ParameterHost): readonly string[] =>
  index ? scope.list(parameter) : scope.args;

/** What stands for all elements of an array, or all arguments; undefined for what is one text. */
export async function parameterList(
  part: ParameterExpansionPart,
  host: ParameterHost,
): Promise<readonly string[] | undefined> {
  const { parameter, operation, index, prefix } = part;
  if (!isAll(part) || prefix === '#' || operation?.type === 'Default') return undefined;
  if (prefix === '!') return index ? host.scope.array(parameter).keys : undefined;
  const all = allOf(part, host);
  if (!operation) return all;
  if (operation.type !== 'Slice') return Promise.all(all.map((value) => operate(operation, value, parameter, host)));
  // Arguments are counted from 1.
  const offset = Number(await host.text(operation.offset)) - (index ? 0 : 1);
  const start = offset < -1 || (offset < 0 && index) ? all.length + offset + (index ? 0 : 1) : Math.max(0, offset);
  return all.slice(start, operation.length ? start + Number(await host.text(operation.length)) : undefined);
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
      const start = offset < 0 ? text.length + offset : offset;
      if (start < 0) return '';
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
