import { GoTemplateError } from './error.js';
import { BUILT_INS } from './functions.js';
import {
  renderNodes,
  renderOperand,
  type CommandNode,
  type TemplateNode,
  type Operand,
  type Pipeline,
} from './nodes.js';
import { parseTemplate, type ParsedTemplate } from './parser.js';
import {
  GoStruct,
  isList,
  isMap,
  isTrue,
  printValue,
  sortedKeys,
  typeOf,
  type GoFunction,
  type GoValue,
} from './values.js';

/**
 * Depth to which templates may use each other, and most characters that one may give: what is sent is a record of at
 * most 64 KiB.
 */
const MAX_DEPTH = 100;
const MAX_OUTPUT = 1 << 18;
/** Most rounds of a `range` over a number. */
const MAX_ROUNDS = 1 << 16;

/**
 * A template in the language of Go's text/template (https://pkg.go.dev/text/template), read once and carried out for
 * each query.
 */
export class GoTemplate {
  /** Its text in normal spelling. */
  readonly text: string;
  private readonly parsed: ParsedTemplate;
  private readonly functions: ReadonlyMap<string, GoFunction>;

  /**
   * Throws a GoTemplateError that says what is wrong with the text. `functions` come on top of those that every
   * template has.
   */
  constructor(text: string, functions: Readonly<Record<string, GoFunction>> = {}) {
    this.functions = new Map([...BUILT_INS, ...Object.entries(functions)]);
    this.parsed = parseTemplate(text, new Set([...this.functions.keys(), 'and', 'or']));
    this.text = renderNodes(this.parsed.nodes);
  }

  /** The text that it gives for `data`. Throws a GoTemplateError where it asks for what is not there. */
  execute(data: GoValue): string {
    const run = new Run(this.parsed, this.functions);
    run.template(this.parsed.nodes, data);
    return run.output;
  }
}

type ControlFlow = 'on' | 'break' | 'continue';

interface Variable {
  readonly name: string;
  value: GoValue;
}

/** Marks "no value of the command before": undefined is a value that a pipeline may hand on. */
const NONE = Symbol('none');
type Final = GoValue | typeof NONE;

class Run {
  output = '';
  private variables: Variable[] = [];
  private depth = 0;

  constructor(
    private readonly parsed: ParsedTemplate,
    private readonly functions: ReadonlyMap<string, GoFunction>,
  ) {}

  /** Carries out a template of its own: only `$` is known in it. */
  template(nodes: readonly TemplateNode[], data: GoValue): void {
    if (++this.depth > MAX_DEPTH)
      throw new GoTemplateError(`templates that use each other more than ${MAX_DEPTH} deep`);
    const outer = this.variables;
    this.variables = [{ name: '$', value: data }];
    this.nodes(nodes, data);
    this.variables = outer;
    this.depth--;
  }

  private nodes(nodes: readonly TemplateNode[], dot: GoValue): ControlFlow {
    for (const node of nodes) {
      const flow = this.node(node, dot);
      if (flow !== 'on') return flow;
    }
    return 'on';
  }

  private node(node: TemplateNode, dot: GoValue): ControlFlow {
    switch (node.kind) {
      case 'text':
        this.print(node.text);
        return 'on';
      case 'action': {
        const value = this.pipeline(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) this.print(printValue(value));
        return 'on';
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'template': {
        const nodes = this.parsed.defined.get(node.template);
        if (nodes === undefined) throw new GoTemplateError(`template '${node.template}' not defined`);
        this.template(nodes, node.pipeline === undefined ? undefined : this.pipeline(node.pipeline, dot));
        return 'on';
      }
      case 'range':
        return this.scoped(() => this.range(node, dot));
      default:
        return this.scoped(() => {
          const value = this.pipeline(node.pipeline, dot);
          if (isTrue(value)) return this.nodes(node.body, node.kind === 'with' ? value : dot);
          return this.nodes(node.otherwise ?? [], dot);
        });
    }
  }

  private range(
    node: Extract<TemplateNode, { pipeline: Pipeline; body: readonly TemplateNode[] }>,
    dot: GoValue,
  ): ControlFlow {
    const [first, second] = node.pipeline.variables;
    const value = this.commands(node.pipeline, dot);
    const entries = rangeEntries(value);
    for (const [key, entry] of entries) {
      const flow = this.scoped(() => {
        // One variable takes the element, two take key and element (https://pkg.go.dev/text/template#hdr-Variables).
        if (first !== undefined) this.bind(first, second === undefined ? entry : key, node.pipeline.assigns);
        if (second !== undefined) this.bind(second, entry, node.pipeline.assigns);
        return this.nodes(node.body, entry);
      });
      if (flow === 'break') break;
    }
    return entries.length === 0 ? this.nodes(node.otherwise ?? [], dot) : 'on';
  }

  private scoped<Result>(run: () => Result): Result {
    const { length } = this.variables;
    const result = run();
    this.variables.length = length;
    return result;
  }

  private bind(name: string, value: GoValue, assigns: boolean): void {
    if (assigns) this.variable(name).value = value;
    else this.variables.push({ name, value });
  }

  private variable(name: string): Variable {
    return this.variables.findLast((variable) => variable.name === name)!;
  }

  private pipeline(pipeline: Pipeline, dot: GoValue): GoValue {
    const value = this.commands(pipeline, dot);
    for (const variable of pipeline.variables) this.bind(variable, value, pipeline.assigns);
    return value;
  }

  private commands(pipeline: Pipeline, dot: GoValue): GoValue {
    let value: Final = NONE;
    for (const command of pipeline.commands) value = this.command(command, dot, value);
    return value as GoValue;
  }

  private command(command: CommandNode, dot: GoValue, final: Final): GoValue {
    const [first, ...rest] = command;
    if (first.kind === 'function') return this.call(first.function, rest, dot, final);
    if (first.kind === 'nil') throw new GoTemplateError('nil is not a command');
    const path = 'path' in first ? first.path : [];
    if (path.length === 0 && (rest.length > 0 || final !== NONE))
      throw new GoTemplateError(`can't give argument to non-function ${renderOperand(first)}`);
    return this.value(first, dot, this.args(rest, dot, final));
  }

  private args(operands: readonly Operand[], dot: GoValue, final: Final): GoValue[] {
    // Functions know nil only: what a map does not have is nil to them.
    const args = operands.map((operand) => this.value(operand, dot, []) ?? null);
    return final === NONE ? args : [...args, final ?? null];
  }

  private call(name: string, operands: readonly Operand[], dot: GoValue, final: Final): GoValue {
    if (name === 'and' || name === 'or') return this.logic(name, operands, dot, final);
    try {
      return this.functions.get(name)!(this.args(operands, dot, final));
    } catch (error) {
      throw new GoTemplateError(`error calling ${name}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** The first argument that settles the matter, or the last one; those after it are not looked at. */
  private logic(name: 'and' | 'or', operands: readonly Operand[], dot: GoValue, final: Final): GoValue {
    if (operands.length === 0 && final === NONE)
      throw new GoTemplateError(`wrong number of args for ${name}: want at least 1 got 0`);
    let value: GoValue;
    for (const operand of operands) {
      value = this.value(operand, dot, []);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return final === NONE ? value : final;
  }

  /** The value of an operand; `args` go to the last part of its path. */
  private value(operand: Operand, dot: GoValue, args: readonly GoValue[]): GoValue {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'literal':
        return operand.value;
      case 'function':
        return this.call(operand.function, [], dot, NONE);
      case 'pipeline':
        return this.pipeline(operand.pipeline, dot);
      case 'field':
        return walk(dot, operand.path, args);
      case 'variable':
        return walk(this.variable(operand.variable).value, operand.path, args);
      case 'chain':
        return walk(this.value(operand.of, dot, []), operand.path, args);
    }
  }

  private print(text: string): void {
    this.output += text;
    if (this.output.length > MAX_OUTPUT) throw new GoTemplateError(`more than ${MAX_OUTPUT} characters of output`);
  }
}

function walk(start: GoValue, path: readonly string[], args: readonly GoValue[]): GoValue {
  return path.reduce<GoValue>((value, name, i) => member(value, name, i === path.length - 1 ? args : []), start);
}

function member(value: GoValue, name: string, args: readonly GoValue[]): GoValue {
  if (value instanceof GoStruct) return value.get(name, args);
  if (value === undefined || value === null) return undefined;
  if (!isMap(value)) throw new GoTemplateError(`can't evaluate field ${name} in type ${typeOf(value)}`);
  if (args.length > 0) throw new GoTemplateError(`${name} is not a method but has arguments`);
  return value.get(name);
}

function rangeEntries(value: GoValue): [GoValue, GoValue][] {
  if (value === undefined || value === null) return [];
  if (isList(value)) return value.map((entry, i) => [BigInt(i), entry]);
  if (isMap(value)) return sortedKeys(value).map((key) => [key, value.get(key)]);
  if (typeof value !== 'bigint') throw new GoTemplateError(`range can't iterate over ${typeOf(value)}`);
  if (value > BigInt(MAX_ROUNDS))
    throw new GoTemplateError(`range over ${value}, at most ${MAX_ROUNDS} rounds are allowed`);
  return Array.from({ length: Math.max(0, Number(value)) }, (_, i) => [BigInt(i), BigInt(i)]);
}
