import { forEachChild, parse } from 'unbash';
import type { Command, ParsedScript, SyntaxNode } from 'unbash';
import { NodensError } from '../../lib/errors.js';

/** A command line that cannot be read. */
export class LineError extends NodensError {
  override readonly name = 'LineError';

  constructor(message: string) {
    super('NODENS_LAB_LINE', message);
  }
}

/** A line that calls an alias that calls itself is not followed for ever. */
const MAX_ALIASES = 50;

/**
 * Reads a line, or several, as bash does. Names of aliases that stand for a command are replaced first. Throws a
 * LineError that names what is wrong and the place.
 */
export function parseLine(text: string, aliases: ReadonlyMap<string, string> = new Map()): ParsedScript {
  let source = text;
  for (let round = 0; ; round++) {
    const script = parse(source);
    const [fault] = faultsOf(script);
    if (fault) throw new LineError(`${fault.message}, at ${placeOf(source, fault.pos)}`);
    const open = openDocument(script);
    if (open !== undefined) throw new LineError(`<<${open}: got no closing line "${open}"`);
    const replaced = round < MAX_ALIASES ? withAliases(source, script, aliases, round) : source;
    if (replaced === source) return script;
    source = replaced;
  }
}

function faultsOf(node: SyntaxNode): { readonly message: string; readonly pos: number }[] {
  const faults = node.type === 'Script' && node.errors ? [...node.errors] : [];
  forEachChild(node, (child) => void faults.push(...faultsOf(child)));
  return faults;
}

function placeOf(source: string, at: number): string {
  const rest = source.slice(at).split('\n', 1)[0]!;
  return rest.trim() === '' ? 'the end of the line' : `"${rest.length > 30 ? `${rest.slice(0, 30)}...` : rest}"`;
}

/** The word that would close a here-document which is still open. */
function openDocument(node: SyntaxNode): string | undefined {
  let open =
    node.type === 'HereDoc' && node.closing === undefined ? (node.delimiter?.value ?? 'the word after <<') : undefined;
  forEachChild(node, (child) => {
    open ??= openDocument(child);
  });
  return open;
}

/** The source with the first words of commands that are aliases replaced; an alias is not looked for in its own text. */
function withAliases(
  source: string,
  script: ParsedScript,
  aliases: ReadonlyMap<string, string>,
  round: number,
): string {
  if (aliases.size === 0) return source;
  const found = commandsOf(script).filter(({ name }) => name !== undefined && aliases.has(name.text));
  let text = source;
  for (const { name } of found.sort((a, b) => b.name!.pos - a.name!.pos)) {
    const value = aliases.get(name!.text)!;
    // `alias ls='ls -l'` means the program the second time.
    const own = value.trimStart().split(/\s/, 1)[0] === name!.text;
    if (own && round > 0) continue;
    text = text.slice(0, name!.pos) + value + text.slice(name!.end);
  }
  return text;
}

function commandsOf(node: SyntaxNode): Command[] {
  // What stands in an escaped substitution has places in a text of its own.
  const commands: Command[] = [];
  if (node.type === 'Command') commands.push(node);
  if (node.type === 'Script' && node.source !== undefined) return commands;
  forEachChild(node, (child) => void commands.push(...commandsOf(child)));
  return commands;
}

const OPEN = /^unterminated |^expected /;

/** Whether more lines belong to the text: a quote, a loop or a here-document is open, or it ends in a backslash. */
export function wantsMore(text: string): boolean {
  if (/(^|[^\\])(\\\\)*\\$/.test(text)) return true;
  const script = parse(text);
  if (openDocument(script) !== undefined) return true;
  const end = text.trimEnd().length;
  return faultsOf(script).some(
    ({ message, pos }) => (OPEN.test(message) && pos >= end) || message.startsWith('unterminated '),
  );
}
