import { GoTemplateError } from './error.js';
import { tokenize, type TemplateToken, type TokenKind } from './lexer.js';
import { charValue, numberValue, stringValue } from './literals.js';
import type { CommandNode, TemplateNode, Operand, Pipeline } from './nodes.js';

/** What a template text holds: its own nodes, and those of the templates that it defines. */
export interface ParsedTemplate {
  readonly nodes: readonly TemplateNode[];
  readonly defined: ReadonlyMap<string, readonly TemplateNode[]>;
}

/**
 * Reads a template (https://pkg.go.dev/text/template). `functions` are those that may be called. Throws a
 * GoTemplateError.
 */
export function parseTemplate(text: string, functions: ReadonlySet<string>): ParsedTemplate {
  return new TemplateParser(tokenize(text), functions).template();
}

const BLOCK_WORDS = new Set(['if', 'with', 'range', 'else', 'end', 'define', 'block', 'template', 'break', 'continue']);
/** What may stand between two operands without white space. */
const ENDS_OPERAND = new Set<TokenKind>(['close', 'pipe', 'comma', '(', ')', 'declare', 'assign']);

interface Body {
  readonly nodes: readonly TemplateNode[];
  /** The word that ended it: `else` with its action still open, `end`, or '' at the end of the text. */
  readonly ended: string;
}

class TemplateParser {
  private at = 0;
  private variables = ['$'];
  private inRange = false;
  private readonly defined = new Map<string, readonly TemplateNode[]>();

  constructor(
    private readonly tokens: readonly TemplateToken[],
    private readonly functions: ReadonlySet<string>,
  ) {}

  template(): ParsedTemplate {
    const { nodes, ended } = this.body();
    if (ended !== '') throw new GoTemplateError(`unexpected {{${ended}}}`);
    return { nodes, defined: this.defined };
  }

  private body(): Body {
    const nodes: TemplateNode[] = [];
    for (;;) {
      const token = this.take();
      if (token.kind === 'end') return { nodes, ended: '' };
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const word = this.peek().kind === 'word' ? this.peek().text : '';
      if (word === 'else' || word === 'end') {
        this.take();
        if (word === 'end') this.expect('close', '{{end}}');
        return { nodes, ended: word };
      }
      const node = BLOCK_WORDS.has(word) ? this.block(this.take().text) : this.action();
      if (node !== undefined) nodes.push(node);
    }
  }

  private action(): TemplateNode {
    const pipeline = this.pipeline('action');
    this.expect('close', 'an action');
    return { kind: 'action', pipeline };
  }

  private block(word: string): TemplateNode | undefined {
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        return this.control(word);
      case 'break':
      case 'continue':
        if (!this.inRange) throw new GoTemplateError(`{{${word}}} outside {{range}}`);
        this.expect('close', `{{${word}}}`);
        return { kind: word };
      case 'define':
        this.define(this.templateName(word));
        return undefined;
      default: {
        const template = this.templateName(word);
        const pipeline = this.peek().kind === 'close' ? undefined : this.pipeline(word);
        if (word === 'block' && pipeline === undefined) throw new GoTemplateError('missing value for {{block}}');
        if (word === 'block') this.define(template);
        else this.expect('close', '{{template}}');
        return { kind: 'template', template, pipeline };
      }
    }
  }

  /** `if`, `with` or `range` up to its `end`; `else if` and `else with` nest in the `else` and share that `end`. */
  private control(kind: 'if' | 'with' | 'range'): TemplateNode {
    const outer = this.variables;
    this.variables = [...outer];
    const pipeline = this.pipeline(kind);
    this.expect('close', `{{${kind}}}`);
    const { inRange } = this;
    this.inRange ||= kind === 'range';
    const { nodes: body, ended } = this.scoped(() => this.body());
    this.inRange = inRange;
    const otherwise = ended === 'else' ? this.otherwise(kind) : undefined;
    if (ended === '') throw new GoTemplateError(`{{${kind}}} without {{end}}`);
    this.variables = outer;
    return { kind, pipeline, body, otherwise };
  }

  private otherwise(kind: string): readonly TemplateNode[] {
    const next = this.peek();
    if (next.kind === 'word' && next.text === kind && kind !== 'range') {
      this.take();
      return [this.control(kind as 'if' | 'with')];
    }
    this.expect('close', '{{else}}');
    const { nodes, ended } = this.scoped(() => this.body());
    if (ended !== 'end')
      throw new GoTemplateError(ended === 'else' ? 'more than one {{else}}' : `{{${kind}}} without {{end}}`);
    return nodes;
  }

  private scoped<Result>(read: () => Result): Result {
    const outer = this.variables;
    this.variables = [...outer];
    const result = read();
    this.variables = outer;
    return result;
  }

  private define(name: string): void {
    this.expect('close', '{{define}} or {{block}}');
    const outer = { variables: this.variables, inRange: this.inRange };
    this.variables = ['$'];
    this.inRange = false;
    const { nodes, ended } = this.body();
    Object.assign(this, outer);
    if (ended !== 'end') throw new GoTemplateError(`{{define ${JSON.stringify(name)}}} without {{end}}`);
    this.defined.set(name, nodes);
  }

  private templateName(word: string): string {
    const token = this.take();
    if (token.kind !== 'string') throw new GoTemplateError(`{{${word}}} needs a name in quotes, got '${token.text}'`);
    return stringValue(token.text);
  }

  private pipeline(context: string): Pipeline {
    const { variables, assigns } = this.targets(context);
    const commands: CommandNode[] = [this.command(context)];
    while (this.peek().kind === 'pipe') {
      this.take();
      commands.push(this.command(context));
    }
    const constant = commands
      .slice(1)
      .find(([first]) => first.kind === 'literal' || first.kind === 'dot' || first.kind === 'nil');
    if (constant !== undefined)
      throw new GoTemplateError(
        `a value without arguments behind | in ${context}: only functions, methods and fields take one`,
      );
    // Only now: a variable is not known in the pipeline that gives it its value.
    if (!assigns) this.variables.push(...variables);
    return { variables, assigns, commands };
  }

  /** `$a :=`, `$a =`, and in `range` `$a, $b :=` before a pipeline. */
  private targets(context: string): { variables: string[]; assigns: boolean } {
    const [first, sign, second, lastSign] = this.tokens.slice(this.at, this.at + 4);
    const pair = first?.kind === 'variable' && sign?.kind === 'comma' && second?.kind === 'variable';
    const operator = pair ? lastSign : sign;
    if (first?.kind !== 'variable' || (operator?.kind !== 'declare' && operator?.kind !== 'assign'))
      return { variables: [], assigns: false };
    if (pair && context !== 'range')
      throw new GoTemplateError(
        `two variables are allowed in range only, got '${first.text}, ${second.text}' in ${context}`,
      );
    const variables = pair ? [first.text, second.text] : [first.text];
    this.at += pair ? 4 : 2;
    const assigns = operator.kind === 'assign';
    if (assigns) variables.forEach((variable) => this.known(variable));
    return { variables, assigns };
  }

  private command(context: string): CommandNode {
    const operands: Operand[] = [];
    for (;;) {
      const { kind, spaced } = this.peek();
      if (kind === 'close' || kind === 'pipe' || kind === ')') break;
      if (operands.length > 0 && !spaced && !ENDS_OPERAND.has(kind))
        throw new GoTemplateError(`unexpected '${this.peek().text}' in ${context}: operands are separated by spaces`);
      operands.push(this.operand(context));
    }
    const [first, ...rest] = operands;
    if (first === undefined) throw new GoTemplateError(`missing value in ${context}`);
    return [first, ...rest];
  }

  private operand(context: string): Operand {
    const term = this.term(context);
    const path: string[] = [];
    while (this.peek().kind === 'field' && !this.peek().spaced) path.push(this.take().text.slice(1));
    if (path.length === 0) return term;
    switch (term.kind) {
      case 'field':
      case 'variable':
        return { ...term, path: [...term.path, ...path] };
      case 'literal':
      case 'nil':
      case 'dot':
        throw new GoTemplateError(`unexpected .${path[0]} in ${context}: it can't follow a value`);
      default:
        return { kind: 'chain', of: term, path };
    }
  }

  private term(context: string): Operand {
    const token = this.take();
    switch (token.kind) {
      case 'dot':
        return { kind: 'dot' };
      case 'field':
        return { kind: 'field', path: [token.text.slice(1)] };
      case 'variable':
        return { kind: 'variable', variable: this.known(token.text), path: [] };
      case 'number':
        return { kind: 'literal', text: token.text, value: numberValue(token.text) };
      case 'char':
        return { kind: 'literal', text: token.text, value: charValue(token.text) };
      case 'string':
        return { kind: 'literal', text: token.text, value: stringValue(token.text) };
      case 'word':
        return this.word(token.text);
      case '(': {
        const pipeline = this.pipeline('parentheses');
        this.expect(')', 'parentheses');
        return { kind: 'pipeline', pipeline };
      }
      default:
        throw new GoTemplateError(`unexpected ${token.kind === 'end' ? 'end' : `'${token.text}'`} in ${context}`);
    }
  }

  private word(word: string): Operand {
    if (word === 'true' || word === 'false') return { kind: 'literal', text: word, value: word === 'true' };
    if (word === 'nil') return { kind: 'nil' };
    if (!this.functions.has(word))
      throw new GoTemplateError(`function '${word}' not defined; allowed: ${[...this.functions].join(', ')}`);
    return { kind: 'function', function: word };
  }

  private known(variable: string): string {
    if (!this.variables.includes(variable)) throw new GoTemplateError(`undefined variable '${variable}'`);
    return variable;
  }

  private peek(): TemplateToken {
    return this.tokens[this.at]!;
  }

  private take(): TemplateToken {
    const token = this.peek();
    if (token.kind !== 'end') this.at++;
    return token;
  }

  private expect(kind: TokenKind, context: string): void {
    const token = this.take();
    if (token.kind !== kind)
      throw new GoTemplateError(`unexpected ${token.kind === 'end' ? 'end' : `'${token.text}'`} in ${context}`);
  }
}
