import type { Token } from './token.js';
import { failAt, startsLine } from './token.js';

/** Imports inside imports multiply; past this many words a Corefile is taken for a runaway. */
const MAX_TOKENS = 1_000_000;

/** The words of a Corefile in order, with what imports bring in put in their place. */
export class TokenStream {
  /** The word read last; undefined at the start. */
  previous: Token | undefined;
  private readonly frames: { readonly tokens: readonly Token[]; at: number }[] = [];
  private total = 0;

  constructor(tokens: readonly Token[]) {
    this.insert(tokens);
  }

  /** The next word, which stays; undefined at the end. */
  peek(): Token | undefined {
    for (let frame = this.frames.at(-1); frame; frame = this.frames.at(-1)) {
      const token = frame.tokens[frame.at];
      if (token) return token;
      this.frames.pop();
    }
    return undefined;
  }

  /** The next word, which is taken; undefined at the end. */
  next(): Token | undefined {
    const token = this.peek();
    if (token) {
      this.frames.at(-1)!.at++;
      this.previous = token;
    }
    return token;
  }

  /** The next word if it is on the line of the one read last. */
  peekSameLine(): Token | undefined {
    const token = this.peek();
    return token && !startsLine(token, this.previous) ? token : undefined;
  }

  /** Puts words before the next one. */
  insert(tokens: readonly Token[]): void {
    this.total += tokens.length;
    if (this.total > MAX_TOKENS) failAt(this.previous ?? tokens[0]!, `more than ${MAX_TOKENS} words after all imports`);
    this.frames.push({ tokens, at: 0 });
  }
}
