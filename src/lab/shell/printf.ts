import { LineError } from './parse.js';

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** Backslashes as `echo -e` and printf read them. */
export const escaped = (text: string): string =>
  text.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|(0[0-7]{0,3}|[1-7][0-7]{0,2})|([^]))/g,
    (all, hex?: string, oct?: string, sign?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (oct !== undefined) return String.fromCharCode(Number.parseInt(oct, 8));
      return ESCAPES[sign!] ?? all;
    },
  );

const DIRECTIVE = /%(?:%|([-+ 0#]*)(\d+|\*)?(?:\.(\d+))?([diouxXeEfgGsbqc]))/g;

/** What printf writes; the format is used again while arguments are left. Throws a LineError for what is no number. */
export function printfText(format: string, args: readonly string[]): string {
  const left = [...args];
  const text = escaped(format);
  let made = '';
  do {
    const before = left.length;
    made += text.replace(DIRECTIVE, (_all, flags: string = '', width?: string, precision?: string, verb?: string) => {
      if (verb === undefined) return '%';
      const columns = width === '*' ? Number(left.shift() ?? 0) : Number(width ?? 0);
      const value = one(verb, left.shift(), flags, precision);
      if (flags.includes('-')) return value.padEnd(columns);
      return flags.includes('0') && !'sbqc'.includes(verb) ? value.padStart(columns, '0') : value.padStart(columns);
    });
    if (left.length === before) break;
  } while (left.length > 0);
  return made;
}

/** As C writes it: an exponent has two digits at least. */
export const exponential = (number: number, precision: number): string =>
  number.toExponential(precision).replace(/([+-])(\d)$/, (_all, sign: string, digit: string) => `${sign}0${digit}`);

/** As C writes it with %g: so many digits that count, and an exponent where it is shorter. */
export function general(number: number, digits: number): string {
  const exponent = Number(/e(.+)$/.exec(number.toExponential(digits - 1))![1]);
  if (exponent >= -4 && exponent < digits) return String(Number(number.toPrecision(digits)));
  return exponential(number, digits - 1).replace(/\.?0*(?=e)/, '');
}

function one(verb: string, argument: string | undefined, flags: string, precision: string | undefined): string {
  if (verb === 's') return (argument ?? '').slice(0, precision === undefined ? undefined : Number(precision));
  if (verb === 'b') return escaped(argument ?? '');
  if (verb === 'c') return (argument ?? '').slice(0, 1);
  if (verb === 'q')
    return /^[\w./:=@-]+$/.test(argument ?? '') ? argument! : `'${(argument ?? '').replaceAll("'", `'\\''`)}'`;
  const number = Number(argument ?? 0);
  if (Number.isNaN(number)) throw new LineError(`printf: ${argument}: invalid number`);
  const sign = flags.includes('+') && number >= 0 ? '+' : '';
  switch (verb) {
    case 'o':
      return Math.trunc(number).toString(8);
    case 'x':
      return Math.trunc(number).toString(16);
    case 'X':
      return Math.trunc(number).toString(16).toUpperCase();
    case 'e':
      return sign + exponential(number, Number(precision ?? 6));
    case 'E':
      return sign + exponential(number, Number(precision ?? 6)).toUpperCase();
    case 'f':
      return sign + number.toFixed(Number(precision ?? 6));
    case 'g':
    case 'G':
      return general(number, Number(precision ?? 6));
    default:
      return sign + String(Math.trunc(number));
  }
}
