const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;

/** A piece of a word after its expansions: quoted pieces stand for themselves. */
export interface Piece {
  readonly text: string;
  readonly quoted: boolean;
}

/** Whether a word may stand for names of files. */
export const isPattern = (pieces: readonly Piece[]): boolean =>
  pieces.some(({ text, quoted }) => !quoted && /[*?[]/.test(text));

/** The source of a regular expression for a pattern of the shell. `*` takes everything but what `most` leaves out. */
export function patternSource(pieces: readonly Piece[], { star = '[^]*', one = '[^]' } = {}): string {
  return pieces
    .map(({ text, quoted }) => (quoted ? text.replace(SPECIAL, '\\$&') : unquoted(text, star, one)))
    .join('');
}

function unquoted(text: string, star: string, one: string): string {
  return text.replace(/\\[^]|\*|\?|\[[!^]?\]?[^\]]*\]|[^]/g, (sign) => {
    if (sign === '*') return star;
    if (sign === '?') return one;
    if (sign.length > 1 && sign.startsWith('['))
      return sign.replace(/^\[[!^]/, '[^').replace(/\[:(\w+):\]?/g, (all, name: string) => POSIX_CLASSES[name] ?? all);
    return (sign.startsWith('\\') ? sign.slice(1) : sign).replace(SPECIAL, '\\$&');
  });
}

/** The classes of POSIX, `[:digit:]`, as they stand within the brackets of a regular expression. */
export const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  space: '\\s',
  upper: 'A-Z',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`{-~',
};

/** Whether the whole text fits the pattern. */
export const fits = (pieces: readonly Piece[], text: string): boolean =>
  new RegExp(`^(?:${patternSource(pieces)})$`).test(text);
