import { goRegExp, type GoRegExp } from '../../../lib/go-regexp.js';
import { BUILTINS, PREDICATES } from './builtins.js';
import { operation } from './operators.js';
import { ExpressionError, parseExpression, showNode, type ExprNode } from './parse.js';
import { common, isList, isNumber, showType, type Type, type ExprValue } from './types.js';

/** What is evaluated: `subject` is what the expression is about, `item` the member that a predicate looks at. */
export type Evaluate<Subject> = (subject: Subject, item: ExprValue) => ExprValue;

/** A function that expressions may call. */
export interface Callable<Subject> {
  readonly args: readonly Type[];
  readonly type: Type;
  readonly run: (subject: Subject, args: readonly ExprValue[]) => ExprValue;
}

/** A part that is checked and ready to be evaluated. */
export interface Compiled<Subject> {
  readonly type: Type;
  readonly run: Evaluate<Subject>;
  /** The value, where it is the same for all subjects. */
  readonly constant?: ExprValue;
}

/** An expression that says yes or no. */
export interface Condition<Subject> {
  /** Throws an Error where a value is not what a function needs, such as text that is no address. */
  run(subject: Subject): boolean;
  /** All calls of the subject's own functions. */
  readonly calls: readonly Extract<ExprNode, { kind: 'call' }>[];
}

/** Reads and checks an expression over `functions`. Throws an ExpressionError for anything but a yes or no. */
export function compileCondition<Subject>(
  text: string,
  functions: ReadonlyMap<string, Callable<Subject>>,
): Condition<Subject> {
  const compiler = new Compiler(functions);
  const node = parseExpression(text);
  const { type, run } = compiler.compile(node);
  if (type !== 'bool')
    throw new ExpressionError(`it has to say true or false, '${showNode(node)}' is ${showType(type)}`);
  return { run: (subject) => run(subject, null) === true, calls: compiler.calls };
}

class Compiler<Subject> {
  readonly calls: Extract<ExprNode, { kind: 'call' }>[] = [];
  /** Types of the members that the predicates around look at, the innermost last. */
  private readonly items: Type[] = [];

  constructor(private readonly functions: ReadonlyMap<string, Callable<Subject>>) {}

  compile(node: ExprNode): Compiled<Subject> {
    switch (node.kind) {
      case 'literal':
        return constant(literalType(node.value, node.text), node.value);
      case 'item':
        return this.item();
      case 'array':
        return this.list(node.items);
      case 'unary':
        return this.unary(node.operator, this.compile(node.operand), node);
      case 'binary':
        return this.binary(node.operator, this.compile(node.left), this.compile(node.right), node);
      case 'choice':
        return this.choice(this.compile(node.test), this.compile(node.yes), this.compile(node.no), node);
      case 'index':
        return index(this.compile(node.of), this.compile(node.at), node);
      case 'call':
        return PREDICATES.has(node.name) ? this.predicate(node) : this.call(node);
    }
  }

  private item(): Compiled<Subject> {
    const type = this.items.at(-1);
    if (type === undefined)
      throw new ExpressionError(`'#' has a meaning only within ${[...PREDICATES.keys()].join(', ')}`);
    return { type, run: (_subject, item) => item };
  }

  private list(items: readonly ExprNode[]): Compiled<Subject> {
    const members = items.map((item) => this.compile(item));
    let type: Type | undefined;
    for (const member of members)
      type = type === undefined ? member.type : common(type, member.type, 'the members of a list');
    const listType = { members: type };
    if (members.every(({ constant: value }) => value !== undefined))
      return constant(
        listType,
        members.map(({ constant: value }) => value!),
      );
    return { type: listType, run: (subject, item) => members.map(({ run }) => run(subject, item)) };
  }

  private unary(operator: string, operand: Compiled<Subject>, node: ExprNode): Compiled<Subject> {
    const { type, run } = operand;
    if (operator === '!' || operator === 'not') {
      require(type, type === 'bool', 'bool', operator, node);
      return { type, run: (subject, item) => run(subject, item) !== true };
    }
    require(type, isNumber(type), 'a number', operator, node);
    const sign = operator === '-' ? -1 : 1;
    return { type, run: (subject, item) => sign * (run(subject, item) as number) };
  }

  private choice(
    test: Compiled<Subject>,
    yes: Compiled<Subject>,
    no: Compiled<Subject>,
    node: ExprNode,
  ): Compiled<Subject> {
    require(test.type, test.type === 'bool', 'bool', '?', node);
    return {
      type: common(yes.type, no.type, `the two values of '${showNode(node)}'`),
      run: (subject, item) => (test.run(subject, item) === true ? yes : no).run(subject, item),
    };
  }

  private binary(
    operator: string,
    left: Compiled<Subject>,
    right: Compiled<Subject>,
    node: ExprNode,
  ): Compiled<Subject> {
    const { run: a } = left;
    const { run: b } = right;
    switch (operator) {
      case 'and':
      case '&&':
        bothOf('bool', left, right, operator, node);
        return { type: 'bool', run: (subject, item) => a(subject, item) === true && b(subject, item) };
      case 'or':
      case '||':
        bothOf('bool', left, right, operator, node);
        return { type: 'bool', run: (subject, item) => a(subject, item) === true || b(subject, item) };
      case '??':
        return {
          type: common(left.type, right.type, `the two values of '${showNode(node)}'`),
          run: (subject, item) => a(subject, item) ?? b(subject, item),
        };
      case 'matches':
        return matches(left, right, node);
      default: {
        const { type, apply } = operation(operator, left.type, right.type, node);
        return { type, run: (subject, item) => apply(a(subject, item), b(subject, item)) };
      }
    }
  }

  private call(node: Extract<ExprNode, { kind: 'call' }>): Compiled<Subject> {
    const own = this.functions.get(node.name);
    const builtin = BUILTINS.get(node.name);
    if (own === undefined && builtin === undefined) {
      const known = [...this.functions.keys(), ...BUILTINS.keys(), ...PREDICATES.keys()].sort();
      throw new ExpressionError(`unknown function '${node.name}'; allowed: ${known.join(', ')}`);
    }
    const args = node.args.map((arg) => this.compile(arg));
    const types = args.map(({ type }) => type);
    if (own !== undefined) {
      this.calls.push(node);
      checkArgs(node, types, own.args);
      return {
        type: own.type,
        run: (subject, item) =>
          own.run(
            subject,
            args.map(({ run }) => run(subject, item)),
          ),
      };
    }
    const type = builtin!.typeFor(types);
    if (type === undefined)
      throw new ExpressionError(
        `'${showNode(node)}': got (${types.map(showType).join(', ')}), allowed: ${builtin!.usage}`,
      );
    return { type, run: (subject, item) => builtin!.run(args.map(({ run }) => run(subject, item))) };
  }

  private predicate(node: Extract<ExprNode, { kind: 'call' }>): Compiled<Subject> {
    const [of, test] = node.args;
    if (of === undefined || test === undefined || node.args.length > 2)
      throw new ExpressionError(`'${showNode(node)}': allowed: ${node.name}(list, condition)`);
    const list = this.compile(of);
    if (!isList(list.type))
      throw new ExpressionError(`'${showNode(node)}': got ${showType(list.type)}, allowed: a list`);
    this.items.push(list.type.members ?? 'nil');
    const condition = this.compile(test);
    this.items.pop();
    require(condition.type, condition.type === 'bool', 'bool', node.name, node);
    const predicate = PREDICATES.get(node.name)!;
    return {
      type: predicate.type,
      run: (subject, item) =>
        predicate.run(
          list.run(subject, item) as readonly ExprValue[],
          (member) => condition.run(subject, member) === true,
        ),
    };
  }
}

const constant = <Subject>(type: Type, value: ExprValue): Compiled<Subject> => ({
  type,
  constant: value,
  run: () => value,
});

function literalType(value: string | number | boolean | null, text: string): Type {
  if (value === null) return 'nil';
  if (typeof value === 'number') return /^0x/i.test(text) || !/[.e]/i.test(text) ? 'int' : 'float';
  return typeof value === 'boolean' ? 'bool' : 'string';
}

function require(got: Type, holds: boolean, allowed: string, operator: string, node: ExprNode): void {
  if (!holds) throw new ExpressionError(`'${showNode(node)}': ${operator} got ${showType(got)}, allowed: ${allowed}`);
}

function bothOf<S>(type: Type, left: Compiled<S>, right: Compiled<S>, operator: string, node: ExprNode): void {
  for (const side of [left, right]) require(side.type, side.type === type, showType(type), operator, node);
}

function checkArgs(node: Extract<ExprNode, { kind: 'call' }>, types: readonly Type[], wanted: readonly Type[]): void {
  if (types.length === wanted.length && types.every((type, i) => type === wanted[i])) return;
  const show = (list: readonly Type[]): string => `(${list.map(showType).join(', ')})`;
  throw new ExpressionError(`'${showNode(node)}': got ${show(types)}, allowed: ${node.name}${show(wanted)}`);
}

/** A pattern that is written out is read once, and refused at once if it is none. */
function matches<S>(left: Compiled<S>, right: Compiled<S>, node: ExprNode): Compiled<S> {
  bothOf('string', left, right, 'matches', node);
  const { run } = left;
  if (right.constant === undefined)
    return {
      type: 'bool',
      run: (subject, item) => pattern(right.run(subject, item), node).exec(run(subject, item) as string) !== undefined,
    };
  const compiled = pattern(right.constant, node);
  return { type: 'bool', run: (subject, item) => compiled.exec(run(subject, item) as string) !== undefined };
}

function pattern(text: ExprValue, node: ExprNode): GoRegExp {
  try {
    return goRegExp(text as string);
  } catch (error) {
    throw new ExpressionError(`'${showNode(node)}': ${(error as RangeError).message}`);
  }
}

function index<S>(of: Compiled<S>, at: Compiled<S>, node: ExprNode): Compiled<S> {
  if (!isList(of.type)) throw new ExpressionError(`'${showNode(node)}': got ${showType(of.type)}, allowed: a list`);
  require(at.type, at.type === 'int', 'int', '[]', node);
  return {
    type: of.type.members ?? 'nil',
    run: (subject, item) => {
      const list = of.run(subject, item) as readonly ExprValue[];
      const value = list.at(at.run(subject, item) as number);
      if (value === undefined) throw new ExpressionError(`'${showNode(node)}': the list has no such member`);
      return value;
    },
  };
}
