/** A command line that cannot be read. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

/** What one command line says: programs joined by pipes, where the text goes, and whether it runs beside others. */
export interface Line {
  readonly stages: readonly (readonly string[])[];
  /** File that takes the text; undefined for none. */
  readonly file: string | undefined;
  readonly background: boolean;
}

/** Reads a line as a shell does: quotes, `|`, `> FILE` and `&` at the end; `#` begins a comment. Variables and the like are no part of it. */
export function parseLine(text: string): Line {
  const tokens = tokenize(text);
  const background = tokens.at(-1)?.operator === '&';
  if (background) tokens.pop();
  const stages: string[][] = [[]];
  let file: string | undefined;
  for (let i = 0; i < tokens.length; i++) {
    const { word, operator } = tokens[i]!;
    if (operator === undefined) stages.at(-1)!.push(word);
    else if (operator === '|') stages.push([]);
    else if (operator === '>') {
      const next = tokens[++i];
      if (!next || next.operator !== undefined) throw new LineError('after > comes the name of a file');
      file = next.word;
    } else throw new LineError(`"${operator}" is not supported here; a line may have pipes, "> FILE", and "&" at its end`);
  }
  if (stages.length > 1 && stages.some((stage) => stage.length === 0)) throw new LineError('there is a program missing beside |');
  return { stages, file, background };
}

interface Token {
  readonly word: string;
  readonly operator?: string;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let word: string | undefined;
  const close = (): void => {
    if (word !== undefined) tokens.push({ word });
    word = undefined;
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '\'' || character === '"') {
      const end = text.indexOf(character, i + 1);
      if (end < 0) throw new LineError(`the quote ${character} is not closed`);
      word = (word ?? '') + text.slice(i + 1, end);
      i = end;
    } else if (character === '\\' && i + 1 < text.length) word = (word ?? '') + text[++i]!;
    else if (/\s/.test(character)) close();
    else if (character === '#' && word === undefined) break;
    else if ('|>&;<'.includes(character)) {
      close();
      tokens.push({ word: '', operator: character });
    } else word = (word ?? '') + character;
  }
  close();
  return tokens;
}
