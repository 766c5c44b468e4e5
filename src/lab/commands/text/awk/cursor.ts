import { CommandError } from '../../../session/command.js';
import { awkTokens } from './lexer.js';
import type { AwkToken } from './lexer.js';

/** A place in the words of an awk program, and what may stand there. */
export class AwkCursor {
  protected place = 0;
  protected readonly tokens: readonly AwkToken[];

  /** Throws a CommandError for what is no word of awk. */
  constructor(private readonly program: string) {
    this.tokens = awkTokens(program);
  }

  protected get token(): AwkToken {
    return this.tokens[this.place]!;
  }

  protected is(text: string): boolean {
    return this.token.kind === 'sign' && this.token.text === text;
  }

  protected took(text: string): boolean {
    const there = this.token.text === text && ['sign', 'name'].includes(this.token.kind);
    if (there) this.place++;
    return there;
  }

  protected need(text: string): void {
    if (!this.took(text)) this.fail();
  }

  protected expectWord(text: string): void {
    if (this.token.text !== text) this.fail();
    this.place++;
  }

  /** Whether a statement ends here. */
  protected ends(): boolean {
    return ['newline', 'end'].includes(this.token.kind) || this.is(';') || this.is('}');
  }

  protected skip(): void {
    while (this.token.kind === 'newline' || this.is(';')) this.place++;
  }

  protected fail(): never {
    const { at, kind } = this.token;
    throw new CommandError(
      `awk: syntax error ${kind === 'end' ? 'at the end' : `at "${this.program.slice(at, at + 20)}"`} of ${this.program}`,
      2,
    );
  }
}
