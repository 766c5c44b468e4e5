/** What a program reads. */
export interface TextInput {
  /** All that is left, once its writer has ended. */
  text(): Promise<string>;
  /** The next line without its line feed, as soon as it is there; undefined at the end. */
  line(): Promise<string | undefined>;
  /** Nobody reads any more: who writes from then on is ended, as by SIGPIPE. */
  close(): void;
}

/** The lines that are left; who leaves the loop leaves the rest to the next reader. */
export async function* linesIn(input: TextInput): AsyncGenerator<string> {
  for (let line = await input.line(); line !== undefined; line = await input.line()) yield line;
}

/** What one program writes and the next one reads. */
export class TextPipe implements TextInput {
  private readonly chunks: string[] = [];
  private rest = '';
  private ended = false;
  private closed = false;
  private wake: (() => void) | undefined;

  /** @param onBroken called when something is written that nobody will read */
  constructor(private readonly onBroken: () => void = () => undefined) {}

  write(text: string): void {
    if (this.closed) return this.onBroken();
    this.chunks.push(text);
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  close(): void {
    this.closed = true;
    this.chunks.length = 0;
    this.rest = '';
  }

  async text(): Promise<string> {
    while (!this.ended) await this.more();
    const text = this.rest + this.chunks.splice(0).join('');
    this.rest = '';
    return text;
  }

  async line(): Promise<string | undefined> {
    for (;;) {
      const at = this.rest.indexOf('\n');
      if (at >= 0) {
        const line = this.rest.slice(0, at);
        this.rest = this.rest.slice(at + 1);
        return line;
      }
      if (this.chunks.length > 0) this.rest += this.chunks.splice(0).join('');
      else if (!this.ended) await this.more();
      else {
        const last = this.rest === '' ? undefined : this.rest;
        this.rest = '';
        return last;
      }
    }
  }

  private more(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }
}

/** A text that is all there. */
export function inputOfText(text: string): TextInput {
  const pipe = new TextPipe();
  pipe.write(text);
  pipe.end();
  return pipe;
}
