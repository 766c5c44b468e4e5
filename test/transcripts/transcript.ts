import { readFileSync } from 'node:fs';

/** The recorded lines of a transcript, without its heading (`# ` lines before the first of the output). */
export function recorded(name: string): string[] {
  const lines = readFileSync(new URL(`data/${name}.txt`, import.meta.url), 'utf8').split('\n');
  const start = lines.findIndex((line) => !line.startsWith('# '));
  return lines.slice(start).filter((line, i, all) => line !== '' || i < all.length - 1);
}

/** The fields of lines whose white space a write-up lost; empty lines were lost too. */
export const fields = (lines: readonly string[]): string[] =>
  lines.map((line) => line.trim().replace(/\s+/g, ' ')).filter((line) => line !== '');

/**
 * Gives each client port the number of its first appearance, so that lines of the same flow stay recognisable. Ports
 * below 30000 are left as they are.
 */
export function maskPorts(lines: readonly string[], pattern = /([:.#])(\d{5})\b/g): string[] {
  const seen = new Map<string, number>();
  return lines.map((line) =>
    line.replace(pattern, (text, before: string, port: string) => {
      if (Number(port) < 30_000) return text;
      if (!seen.has(port)) seen.set(port, seen.size + 1);
      return `${before}PORT${seen.get(port)}`;
    }),
  );
}

/** As `maskPorts` for the numbers that the first group of `pattern` finds: query ids, sequence numbers. */
export function maskNumbers(lines: readonly string[], word: string, pattern: RegExp): string[] {
  const seen = new Map<string, number>();
  return lines.map((line) =>
    line.replace(pattern, (text, number: string) => {
      if (!seen.has(number)) seen.set(number, seen.size + 1);
      return text.replace(number, `${word}${seen.get(number)}`);
    }),
  );
}
