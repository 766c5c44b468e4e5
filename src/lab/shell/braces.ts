import { parse } from 'unbash';
import type { Word } from 'unbash';

const MOST = 1000;

/** `a{1,2}` is two words, `{1..3}` three; a word without braces itself. */
export function bracesIn(word: Word): readonly Word[] {
  const brace = word.parts?.find((part) => part.type === 'BraceExpansion');
  if (!brace) return [word];
  const alternatives = alternativesOf(brace.text);
  if (!alternatives) return [word];
  const before = word.text.slice(0, brace.pos - word.pos);
  const after = word.text.slice(brace.end - word.pos);
  return alternatives.flatMap((one) => {
    const made = wordOf(before + one + after);
    return made ? bracesIn(made) : [];
  });
}

function wordOf(text: string): Word | undefined {
  const command = parse(`: ${text}`).commands[0]?.command;
  const [word] = command?.type === 'Command' ? command.args : [];
  return word?.type === 'Word' ? word : undefined;
}

function alternativesOf(text: string): readonly string[] | undefined {
  const inner = text.slice(1, -1);
  const [, from, to, step] = /^(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?$/.exec(inner) ?? [];
  if (from !== undefined && to !== undefined) return sequence(from, to, Math.abs(Number(step ?? 1)) || 1);
  const parts: string[] = [''];
  let depth = 0;
  for (const sign of inner) {
    if (sign === '{') depth++;
    if (sign === '}') depth--;
    if (sign === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += sign;
  }
  return parts.length > 1 ? parts : undefined;
}

function sequence(from: string, to: string, step: number): readonly string[] {
  const letters = /[A-Za-z]/.test(from);
  const [first, last] = letters ? [from.charCodeAt(0), to.charCodeAt(0)] : [Number(from), Number(to)];
  const width = /^-?0\d/.test(from) || /^-?0\d/.test(to) ? Math.max(from.length, to.length) : 0;
  const count = Math.min(MOST, Math.floor(Math.abs(last - first) / step) + 1);
  return Array.from({ length: count }, (_, i) => {
    const value = first + (last < first ? -i : i) * step;
    return letters ? String.fromCharCode(value) : String(value).padStart(width, '0');
  });
}
