import { CommandError } from '../../../session/command.js';

export type AwkTokenKind = 'number' | 'string' | 'regex' | 'name' | 'call' | 'sign' | 'newline' | 'end';

export interface AwkToken {
  readonly kind: AwkTokenKind;
  readonly text: string;
  /** Place in the program, from 0. */
  readonly at: number;
}

const SIGNS = /^(?:\+=|-=|\*=|\/=|%=|\^=|==|!=|<=|>=|&&|\|\||\+\+|--|!~|[-+*/%^=<>!~?:,;(){}[\]$|])/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', '/': '/' };

/** Whether a slash after this begins a regular expression: where a value cannot be divided. */
const endsValue = (last: AwkToken | undefined): boolean =>
  last !== undefined &&
  (last.kind === 'number' ||
    last.kind === 'string' ||
    last.kind === 'name' ||
    [')', ']', '$', '++', '--'].includes(last.text));

/** The words of an awk program. Throws a CommandError at what none can begin with. */
export function awkTokens(program: string): readonly AwkToken[] {
  const tokens: AwkToken[] = [];
  let at = 0;
  const take = (kind: AwkTokenKind, length: number, text = program.slice(at, at + length)): void => {
    tokens.push({ kind, text, at });
    at += length;
  };
  while (at < program.length) {
    const rest = program.slice(at);
    const blank = /^(?:[ \t\r]+|\\\n|#[^\n]*)/.exec(rest)?.[0];
    const number = /^(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/.exec(rest)?.[0];
    const name = /^[A-Za-z_]\w*/.exec(rest)?.[0];
    const text = /^"((?:[^"\\]|\\[^])*)"/.exec(rest);
    const regex = endsValue(tokens.at(-1)) ? null : /^\/((?:[^/\\\n]|\\.)*)\//.exec(rest);
    const sign = SIGNS.exec(rest)?.[0];
    if (blank !== undefined) at += blank.length;
    else if (rest.startsWith('\n')) take('newline', 1);
    else if (number !== undefined) take('number', number.length);
    else if (name !== undefined) take(rest[name.length] === '(' ? 'call' : 'name', name.length);
    else if (text)
      take(
        'string',
        text[0].length,
        text[1]!.replace(/\\([^])/g, (all, one: string) => ESCAPES[one] ?? all),
      );
    else if (regex) take('regex', regex[0].length, regex[1]!.replaceAll('\\/', '/'));
    else if (sign !== undefined) take('sign', sign.length);
    else throw new CommandError(`awk: syntax error at ${JSON.stringify(rest.slice(0, 20))}`, 2);
  }
  tokens.push({ kind: 'end', text: '', at });
  return tokens;
}
