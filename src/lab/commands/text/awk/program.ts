/** An expression of awk. */
export type AwkExpression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'regex'; readonly pattern: RegExp }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'field'; readonly index: AwkExpression }
  | { readonly kind: 'element'; readonly array: string; readonly keys: readonly AwkExpression[] }
  | { readonly kind: 'in'; readonly keys: readonly AwkExpression[]; readonly array: string }
  | { readonly kind: 'assign'; readonly sign: string; readonly target: AwkExpression; readonly value: AwkExpression }
  | { readonly kind: 'step'; readonly by: 1 | -1; readonly before: boolean; readonly target: AwkExpression }
  | { readonly kind: 'unary'; readonly sign: string; readonly of: AwkExpression }
  | { readonly kind: 'binary'; readonly sign: string; readonly left: AwkExpression; readonly right: AwkExpression }
  | { readonly kind: 'choice'; readonly test: AwkExpression; readonly yes: AwkExpression; readonly no: AwkExpression }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly AwkExpression[] };

export type AwkStatement =
  | { readonly kind: 'block'; readonly body: readonly AwkStatement[] }
  | { readonly kind: 'print' | 'printf'; readonly args: readonly AwkExpression[] }
  | { readonly kind: 'if'; readonly test: AwkExpression; readonly yes: AwkStatement; readonly no?: AwkStatement }
  | {
      readonly kind: 'loop';
      readonly first?: AwkStatement;
      readonly test?: AwkExpression;
      readonly step?: AwkStatement;
      readonly body: AwkStatement;
      /** Whether the body comes before the first test. */
      readonly bodyFirst?: boolean;
    }
  | { readonly kind: 'each'; readonly name: string; readonly array: string; readonly body: AwkStatement }
  | { readonly kind: 'delete'; readonly array: string; readonly keys?: readonly AwkExpression[] }
  | { readonly kind: 'next' | 'break' | 'continue' }
  | { readonly kind: 'exit'; readonly code?: AwkExpression }
  | { readonly kind: 'expression'; readonly of: AwkExpression };

/** `PATTERN { ACTION }`. */
export interface AwkRule {
  readonly when: 'begin' | 'end' | 'line';
  readonly pattern?: AwkExpression;
  /** Second pattern of a range `FROM, TO`. */
  readonly until?: AwkExpression;
  /** Missing: print the line. */
  readonly action?: AwkStatement;
}
