import type { Option } from '../corefile/index.js';
import { NodensError } from '../lib/errors.js';
import { fqdn, isName, lowerName, type Name } from '../wire/index.js';

/** Hashes by the algorithm's name (RFC 8945 section 6). MD5 is none of them: nothing new should rely on it. */
export const HASHES: Readonly<Record<Name, string>> = {
  'hmac-sha1.': 'sha1',
  'hmac-sha224.': 'sha224',
  'hmac-sha256.': 'sha256',
  'hmac-sha384.': 'sha384',
  'hmac-sha512.': 'sha512',
};

/** What two hosts share to sign messages with (RFC 8945). */
export interface TsigKey {
  /** In lower case. */
  readonly name: Name;
  readonly secret: Buffer;
  /** For messages that we begin with: a name of HASHES. Those who ask choose for themselves. */
  readonly algorithm: Name;
}

/** What is wrong with a secret, or with the file that it stands in: `FILE:LINE: text`. */
export class TsigKeyError extends NodensError {
  override readonly name = 'TsigKeyError';

  constructor(fault: string, file?: string, line?: number) {
    super('NODENS_KEY', file === undefined ? fault : `${file}:${line}: ${fault}`, {
      place: file === undefined ? undefined : { file, line },
    });
  }
}

const DEFAULT_ALGORITHM = 'hmac-sha256.';

/** A key from words of a configuration. Throws a TsigKeyError without a place, which does not repeat the secret. */
export function tsigKey(name: string, secret: string, algorithm: string = DEFAULT_ALGORITHM): TsigKey {
  if (!isName(name) || name === '') throw new TsigKeyError(`'${name}' is no name of a key`);
  const octets = Buffer.from(secret, 'base64');
  if (secret === '' || octets.toString('base64').replace(/=+$/, '') !== secret.replace(/=+$/, ''))
    throw new TsigKeyError(`the secret of key '${name}' is no base64`);
  const known = fqdn(algorithm.toLowerCase());
  if (!Object.hasOwn(HASHES, known)) {
    const allowed = Object.keys(HASHES).map((one) => one.slice(0, -1));
    throw new TsigKeyError(`got algorithm '${algorithm}', allowed: ${allowed.join(', ')}`);
  }
  return { name: lowerName(fqdn(name)), secret: octets, algorithm: known };
}

/** Keys by name, in lower case. */
export type TsigKeys = ReadonlyMap<Name, TsigKey>;

/** The one of the keys that an option names. Throws a CorefileError. */
export function namedKey(option: Option, keys: TsigKeys | undefined): TsigKey {
  const name = option.one(`${option.name} NAME`);
  const known = keys?.get(lowerName(fqdn(name)));
  if (known !== undefined) return known;
  const allowed = [...(keys?.keys() ?? [])];
  return option.wrong(
    name,
    allowed.length === 0 ? "a key of 'tsig', which this server block has none of" : allowed.join(', '),
  );
}

/** A word of a key file: text, or one of `{`, `}` and `;`. */
interface KeyWord {
  readonly text: string;
  readonly line: number;
}

const wordsOf = (text: string): KeyWord[] =>
  text.split('\n').flatMap((content, i) =>
    [...content.replace(/(\/\/|#).*$/, '').matchAll(/"([^"]*)"|[{};]|[^\s{};"]+/g)].map(([word, quoted]) => ({
      text: quoted ?? word,
      line: i + 1,
    })),
  );

/**
 * Reads keys as `tsig-keygen` writes them: `key "NAME" { algorithm hmac-sha256; secret "BASE64"; };`. Throws a
 * TsigKeyError that says where.
 */
export function readTsigKeys(file: string, text: string): TsigKey[] {
  const words = wordsOf(text);
  const keys: TsigKey[] = [];
  let at = 0;
  const lastLine = (): number => words[Math.min(at, words.length - 1)]!.line;
  const fail = (fault: string, line = lastLine()): never => {
    throw new TsigKeyError(fault, file, line);
  };
  const take = (what: string): string => words[at++]?.text ?? fail(`expected ${what}, got the end of the file`);
  const expect = (mark: string): void => {
    const got = take(`'${mark}'`);
    if (got !== mark) fail(`expected '${mark}', got '${got}'`, words[at - 1]!.line);
  };
  while (at < words.length) {
    const { line } = words[at]!;
    expect('key');
    const name = take('the name of a key');
    expect('{');
    const found: Record<string, string> = {};
    for (let option = take("'}'"); option !== '}'; option = take("'}'")) {
      if (option !== 'algorithm' && option !== 'secret')
        fail(`got '${option}', allowed: algorithm, secret`, words[at - 1]!.line);
      found[option] = take(`the ${option}`);
      expect(';');
    }
    if (words[at]?.text === ';') at++;
    if (found.secret === undefined) fail(`key '${name}' has no secret`, line);
    try {
      const key = tsigKey(name, found.secret!, found.algorithm);
      if (keys.some((other) => other.name === key.name)) fail(`key '${name}' a second time`, line);
      keys.push(key);
    } catch (error) {
      if (!(error instanceof TsigKeyError) || error.place !== undefined) throw error;
      fail(error.message, line);
    }
  }
  return keys;
}
