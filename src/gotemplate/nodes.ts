import type { GoValue } from './values.js';

/** An operand or a part of one. */
export type Operand =
  | { readonly kind: 'dot' }
  | { readonly kind: 'nil' }
  | { readonly kind: 'literal'; readonly text: string; readonly value: GoValue }
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly variable: string; readonly path: readonly string[] }
  | { readonly kind: 'chain'; readonly of: Operand; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly function: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

/** Operands side by side: a value, or a function or method with its arguments. */
export type CommandNode = readonly [Operand, ...Operand[]];

/** Commands joined by `|`, each given the value of the one before as its last argument. */
export interface Pipeline {
  /** Variables that take the value, two only in `range`. */
  readonly variables: readonly string[];
  /** Written `=`, not `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly CommandNode[];
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[] | undefined;
    }
  | { readonly kind: 'template'; readonly template: string; readonly pipeline: Pipeline | undefined }
  | { readonly kind: 'break' | 'continue' };

/**
 * A template in its normal spelling, as it stands in metric labels: no comments, no trimming marks, one space between
 * words.
 */
export function renderNodes(nodes: readonly TemplateNode[]): string {
  return nodes.map(renderNode).join('');
}

function renderNode(node: TemplateNode): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'action':
      return `{{${renderPipeline(node.pipeline)}}}`;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'template':
      return `{{template ${JSON.stringify(node.template)}${node.pipeline === undefined ? '' : ` ${renderPipeline(node.pipeline)}`}}}`;
    default: {
      const otherwise = node.otherwise === undefined ? '' : `{{else}}${renderNodes(node.otherwise)}`;
      return `{{${node.kind} ${renderPipeline(node.pipeline)}}}${renderNodes(node.body)}${otherwise}{{end}}`;
    }
  }
}

export function renderPipeline(pipeline: Pipeline): string {
  const variables =
    pipeline.variables.length === 0 ? '' : `${pipeline.variables.join(', ')} ${pipeline.assigns ? '=' : ':='} `;
  return variables + pipeline.commands.map((command) => command.map(renderOperand).join(' ')).join(' | ');
}

export function renderOperand(operand: Operand): string {
  switch (operand.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'literal':
      return operand.text;
    case 'field':
      return `.${operand.path.join('.')}`;
    case 'variable':
      return [operand.variable, ...operand.path].join('.');
    case 'chain':
      return [renderOperand(operand.of), ...operand.path].join('.');
    case 'function':
      return operand.function;
    case 'pipeline':
      return `(${renderPipeline(operand.pipeline)})`;
  }
}
