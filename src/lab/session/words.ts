import { NodensError } from '../../lib/errors.js';

/** A command line that cannot be read. */
export class LineError extends NodensError {
  override readonly name = 'LineError';

  constructor(message: string) {
    super('NODENS_LAB_LINE', message);
  }
}

/** One program of a line: the words, and the variables that are set for it alone (`EDITOR=... kubectl edit`). */
export interface PipeStage {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What one command says: programs joined by pipes, what the first reads, where the text goes, and whether it runs
 * beside others.
 */
export interface CommandLine {
  readonly stages: readonly PipeStage[];
  /** Text of a here-document for the first program. */
  readonly input: string | undefined;
  /** File that takes the text, or to which it is added; undefined for none. */
  readonly file: { readonly name: string; readonly append: boolean } | undefined;
  readonly background: boolean;
  /** How the next command depends on this one: `;`, `&&` or `||`. */
  readonly then: ';' | '&&' | '||';
}

const ALLOWED = 'a line may have pipes, "> FILE", ">> FILE", "<<WORD", "&&", "||", ";", and "&" at its end';
/** Words with which a shell begins what the lab has not. */
const KEYWORDS = ['while', 'for', 'until', 'if', 'case', 'function', 'do', 'done', 'then', 'fi'];

/**
 * Reads a line as a shell does: quotes, pipes, redirections, here-documents whose text follows on the next lines,
 * `;`, `&&`, `||`, and `&` at the end;
 * `#` begins a comment. Variables, loops and the like are no part of it. Throws a LineError.
 */
export function parseLine(text: string): readonly CommandLine[] {
  const { line, documents } = withDocuments(text);
  const tokens = tokenize(line);
  const lines: CommandLine[] = [];
  let start = 0;
  for (let i = 0; i <= tokens.length; i++) {
    const operator = tokens[i]?.operator;
    if (i < tokens.length && operator !== ';' && operator !== '&&' && operator !== '||') continue;
    const part = tokens.slice(start, i);
    if (part.length === 0 && operator !== undefined) throw new LineError(`a command is missing before ${operator}`);
    if (part.length === 0 && lines.length > 0 && lines.at(-1)!.then !== ';')
      throw new LineError(`a command is missing after ${lines.at(-1)!.then}`);
    if (part.length > 0 || lines.length === 0)
      lines.push(command(part, documents, (operator as CommandLine['then'] | undefined) ?? ';'));
    start = i + 1;
  }
  return lines;
}

/** Whether more lines belong to the text: it ends in a backslash, or a here-document is not closed. */
export function wantsMore(text: string): boolean {
  if (/(^|[^\\])(\\\\)*\\$/.test(text)) return true;
  const [first = '', ...rest] = joined(text).split('\n');
  return documentWords(first).some(({ word }) => !rest.some((line) => line.trim() === word));
}

/** A backslash at the end of a line joins it to the next. */
const joined = (text: string): string => text.replace(/\\\n[ \t]*/g, ' ');

const documentWords = (line: string): { word: string; raw: string }[] =>
  [...line.matchAll(/(?<!<)<<-?\s*(["']?)([A-Za-z_]\w*)\1/g)].map((match) => ({ word: match[2]!, raw: match[0] }));

/** The command line by itself, and the texts of its here-documents. */
function withDocuments(text: string): { readonly line: string; readonly documents: string[] } {
  const [first = '', ...rest] = joined(text).split('\n');
  const documents: string[] = [];
  let line = first;
  for (const { word, raw } of documentWords(first)) {
    const end = rest.findIndex((candidate) => candidate.trim() === word);
    if (end < 0) throw new LineError(`<<${word}: got no closing line "${word}"`);
    documents.push(
      rest
        .splice(0, end + 1)
        .slice(0, -1)
        .map((one) => `${one}\n`)
        .join(''),
    );
    line = line.replace(raw, ' << ');
  }
  if (rest.some((one) => one.trim() !== '')) throw new LineError('got several lines, allowed: one at a time');
  return { line, documents };
}

function command(tokens: readonly ShellToken[], documents: string[], then: CommandLine['then']): CommandLine {
  const list = [...tokens];
  const background = list.at(-1)?.operator === '&';
  if (background) list.pop();
  const stages: string[][] = [[]];
  let file: CommandLine['file'];
  let input: string | undefined;
  for (let i = 0; i < list.length; i++) {
    const { word, operator } = list[i]!;
    if (operator === undefined) stages.at(-1)!.push(word);
    else if (operator === '|') stages.push([]);
    else if (operator === '<<') input = documents.shift();
    else if (operator === '>' || operator === '>>') {
      const next = list[++i];
      if (!next || next.operator !== undefined) throw new LineError(`${operator} needs the name of a file`);
      file = { name: next.word, append: operator === '>>' };
    } else throw new LineError(`"${operator}" is not supported here; ${ALLOWED}`);
  }
  if (stages.length > 1 && stages.some((stage) => stage.length === 0))
    throw new LineError('a command is missing beside |');
  const made = stages.map(stageOf);
  const keyword = made.map(({ words }) => words[0]).find((word) => word !== undefined && KEYWORDS.includes(word));
  if (keyword !== undefined)
    throw new LineError(`"${keyword}" is not supported here: there are no loops and conditions; ${ALLOWED}`);
  return { stages: made, input, file, background, then };
}

function stageOf(words: readonly string[]): PipeStage {
  const env: Record<string, string> = {};
  let at = 0;
  for (; at < words.length; at++) {
    const [, name, value] = /^([A-Z_][A-Z0-9_]*)=([\s\S]*)$/.exec(words[at]!) ?? [];
    if (name === undefined) break;
    env[name] = value!;
  }
  if (at > 0 && at === words.length)
    throw new LineError(`${words[0]!}: a variable lasts for one command only, allowed: NAME=VALUE COMMAND`);
  return { words: words.slice(at), env };
}

interface ShellToken {
  readonly word: string;
  readonly operator?: string;
}

const OPERATORS = ['&&', '||', '>>', '<<', '|', '>', '&', ';', '<'];

function tokenize(text: string): ShellToken[] {
  const tokens: ShellToken[] = [];
  let word: string | undefined;
  const close = (): void => {
    if (word !== undefined) tokens.push({ word });
    word = undefined;
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    const operator = OPERATORS.find((one) => text.startsWith(one, i));
    if (character === "'" || character === '"') {
      const end = text.indexOf(character, i + 1);
      if (end < 0) throw new LineError(`the quote ${character} is not closed`);
      const quoted = text.slice(i + 1, end);
      if (character === '"') refuseVariables(quoted);
      word = (word ?? '') + quoted;
      i = end;
    } else if (character === '\\' && i + 1 < text.length) word = (word ?? '') + text[++i]!;
    else if (/\s/.test(character)) close();
    else if (character === '#' && word === undefined) break;
    else if (operator !== undefined) {
      close();
      tokens.push({ word: '', operator });
      i += operator.length - 1;
    } else {
      if (character === '$' || character === '`') refuseVariables(text.slice(i));
      word = (word ?? '') + character;
    }
  }
  close();
  return tokens;
}

/** Refuses variables: taking `$X` literally would silently change the command. */
function refuseVariables(text: string): void {
  const found = /^[^]*?(\$[A-Za-z_]\w*|\$[({]|`)/.exec(text)?.[1];
  if (found !== undefined)
    throw new LineError(
      `"${found}" is not supported here: there are no variables and no command substitution; put '...' around a literal $`,
    );
}
