import { GoStruct, isList, isMap, printValue, sortedKeys, type GoValue } from './values.js';

interface Verb {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly letter: string;
}

/**
 * Text as Go's fmt.Sprintf makes it, for the kinds of values that templates have (https://pkg.go.dev/fmt). Mistakes
 * show in the text, as there.
 */
export function sprintf(format: string, args: readonly GoValue[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?([^])?/gu,
    (_, flags: string, width: string | undefined, precision: string | undefined, letter: string | undefined) => {
      const star = (word: string | undefined): number | undefined => {
        if (word !== '*') return word === undefined ? undefined : Number(word);
        const value = args[next++];
        return typeof value === 'bigint' ? Number(value) : undefined;
      };
      const verb = { flags, width: star(width), precision: star(precision), letter: letter ?? '' };
      if (letter === '%') return '%';
      if (letter === undefined) return '%!(NOVERB)';
      if (next >= args.length) return `%!${letter}(MISSING)`;
      return formatValue(verb, args[next++]);
    },
  );
  const extra = args.slice(next).map((value) => `${goType(value)}=${printValue(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}

function formatValue(verb: Verb, value: GoValue): string {
  if (value === undefined || value === null)
    return verb.letter === 'v' ? pad(verb, '<nil>') : `%!${verb.letter}(<nil>)`;
  if (verb.letter === 'T') return pad(verb, goType(value));
  if (isList(value)) return `[${value.map((element) => formatValue(verb, element)).join(' ')}]`;
  if (isMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${formatText(verb, key)}:${formatValue(verb, value.get(key))}`)
      .join(' ')}]`;
  const text = formatScalar(verb, value instanceof GoStruct ? value.print() : value);
  return text ?? `%!${verb.letter}(${goType(value)}=${printValue(value)})`;
}

/** undefined where the verb does not go with the value. */
function formatScalar(verb: Verb, value: boolean | bigint | number | string): string | undefined {
  switch (typeof value) {
    case 'boolean':
      return verb.letter === 'v' || verb.letter === 't' ? pad(verb, String(value)) : undefined;
    case 'bigint':
      return formatInteger(verb, value);
    case 'number':
      return formatFloat(verb, value);
    default:
      return 'vsqxX'.includes(verb.letter) ? formatText(verb, value) : undefined;
  }
}

function formatText(verb: Verb, text: string): string {
  const cut = verb.precision === undefined ? text : [...text].slice(0, verb.precision).join('');
  switch (verb.letter) {
    case 'q':
      return pad(verb, JSON.stringify(cut));
    case 'x':
    case 'X': {
      const hex = Buffer.from(cut).toString('hex');
      return pad(verb, verb.letter === 'x' ? hex : hex.toUpperCase());
    }
    default:
      return pad(verb, cut);
  }
}

function formatInteger(verb: Verb, value: bigint): string | undefined {
  const negative = value < 0n;
  const size = negative ? -value : value;
  switch (verb.letter) {
    case 'v':
    case 'd':
      return padNumber(verb, negative, size.toString());
    case 'b':
      return padNumber(verb, negative, size.toString(2), verb.flags.includes('#') ? '0b' : '');
    case 'o':
      return padNumber(verb, negative, size.toString(8), verb.flags.includes('#') ? '0' : '');
    case 'O':
      return padNumber(verb, negative, size.toString(8), '0o');
    case 'x':
      return padNumber(verb, negative, size.toString(16), verb.flags.includes('#') ? '0x' : '');
    case 'X':
      return padNumber(verb, negative, size.toString(16).toUpperCase(), verb.flags.includes('#') ? '0X' : '');
    case 'c':
    case 'q':
    case 'U':
      return formatCharacter(verb, value);
    default:
      return undefined;
  }
}

function formatCharacter(verb: Verb, value: bigint): string {
  const character = value >= 0n && value <= 0x10ffffn ? String.fromCodePoint(Number(value)) : '\ufffd';
  if (verb.letter === 'c') return pad(verb, character);
  return pad(verb, verb.letter === 'q' ? `'${character}'` : `U+${value.toString(16).toUpperCase().padStart(4, '0')}`);
}

function formatFloat(verb: Verb, value: number): string | undefined {
  if (!Number.isFinite(value) && 'vgGeEfF'.includes(verb.letter)) return pad(verb, printValue(value));
  const size = Math.abs(value);
  const exponent = (text: string): string => text.replace(/e([+-])(\d)$/, 'e$10$2');
  const upper = verb.letter === 'E' || verb.letter === 'G';
  let text: string;
  switch (verb.letter) {
    case 'f':
    case 'F':
      text = size.toFixed(verb.precision ?? 6);
      break;
    case 'e':
    case 'E':
      text = exponent(size.toExponential(verb.precision ?? 6));
      break;
    case 'v':
    case 'g':
    case 'G':
      text =
        verb.precision === undefined
          ? printValue(size)
          : exponent(String(Number(size.toPrecision(Math.max(1, verb.precision)))));
      break;
    default:
      return undefined;
  }
  return padNumber({ ...verb, precision: undefined }, value < 0, upper ? text.toUpperCase() : text);
}

function padNumber(verb: Verb, negative: boolean, digits: string, prefix = ''): string {
  const sign = negative ? '-' : verb.flags.includes('+') ? '+' : verb.flags.includes(' ') ? ' ' : '';
  const whole = verb.precision === undefined ? digits : digits.padStart(verb.precision, '0');
  const zeros = verb.flags.includes('0') && !verb.flags.includes('-') && verb.precision === undefined;
  return pad(
    verb,
    sign + prefix + (zeros ? whole.padStart((verb.width ?? 0) - sign.length - prefix.length, '0') : whole),
  );
}

/** Width counts characters, not octets. */
function pad(verb: Verb, text: string): string {
  const missing = ' '.repeat(Math.max(0, (verb.width ?? 0) - [...text].length));
  return verb.flags.includes('-') ? text + missing : missing + text;
}

function goType(value: GoValue): string {
  if (value instanceof GoStruct) return value.typeName;
  if (isMap(value)) return 'map[string]string';
  if (isList(value)) return '[]string';
  if (value === undefined || value === null) return '<nil>';
  return { boolean: 'bool', bigint: 'int', number: 'float64', string: 'string' }[
    typeof value as 'boolean' | 'bigint' | 'number' | 'string'
  ];
}
