import { createHash } from 'node:crypto';

/** A word as it counts for the digest: the place and the text with the environment filled in. */
export interface DigestToken {
  /** '' for the Corefile itself, else the imported file's absolute path. */
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** A server block for the digest: its keys, and the words of all directives of one name together. */
export interface DigestBlock {
  readonly keys: readonly string[];
  readonly tokens: ReadonlyMap<string, readonly DigestToken[]>;
}

/**
 * SHA512 as 128 hexadecimal digits over the parsed server blocks, equal to what the reload plugin of CoreDNS prints
 * for the same
 * Corefile (https://coredns.io/plugins/reload). White space and comments within a line do not count; line numbers do.
 */
export function digestOf(blocks: readonly DigestBlock[]): string {
  return createHash('sha512').update(toJson(blocks)).digest('hex');
}

/** Go's JSON encoding: no blocks are `null`, map keys are in byte order, and characters special to HTML are escaped. */
function toJson(blocks: readonly DigestBlock[]): string {
  if (blocks.length === 0) return 'null';
  const json = blocks.map(({ keys, tokens }) => {
    const byName = [...tokens].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const lists = byName.map(
      ([name, words]) =>
        `${JSON.stringify(name)}:${JSON.stringify(words.map(({ path, line, text }) => ({ File: path, Line: line, Text: text })))}`,
    );
    return `{"Keys":${JSON.stringify(keys)},"Tokens":{${lists.join(',')}}}`;
  });
  return `[${json.join(',')}]`.replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
