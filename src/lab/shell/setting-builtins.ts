import { ShellArray } from './array.js';
import type { ShellBuiltin } from './builtin.js';
import { LineError } from './parse.js';
import type { ShellOption } from './scope.js';

const NAME = /^[A-Za-z_]\w*$/;

/** `export A=1 B`, `local`, `declare`, `readonly`: sets what is given, and says for whom. */
const declare =
  (name: 'export' | 'local' | 'declare' | 'readonly'): ShellBuiltin =>
  (args, { scope }, io) => {
    const exported = name === 'export';
    const own = name === 'local' || (name === 'declare' && scope.calls > 0 && !args.includes('-g'));
    if (name === 'local' && scope.calls === 0) throw new LineError('local: can only be used in a function');
    const words = args.filter((arg) => !arg.startsWith('-'));
    const off = args.includes('-n');
    if (words.length === 0)
      for (const one of scope.names)
        if (!exported || scope.isExported(one))
          io.write(`declare -${exported ? 'x' : '-'} ${one}="${scope.get(one)}"\n`);
    for (const word of words) {
      const [, key = '', append, value] = /^([^=+]*)(\+?)(?:=([^]*))?$/.exec(word) ?? [];
      if (!NAME.test(key)) throw new LineError(`${name}: '${word}': not a valid identifier`);
      if (own) scope.local(key);
      const flag = args.find((arg) => /^-[a-z]*[aA]/.test(arg));
      if (flag !== undefined && !scope.has(key)) scope.set(key, ShellArray.empty(flag.includes('A')));
      if (value !== undefined) scope.set(key, append === '+' ? (scope.get(key) ?? '') + value : value);
      if (exported || args.includes('-x')) scope.export(key, !off);
    }
    return 0;
  };

const LETTERS: Readonly<Record<string, ShellOption>> = { e: 'errexit', u: 'nounset', x: 'xtrace' };
const OPTIONS: readonly ShellOption[] = ['errexit', 'nounset', 'xtrace', 'pipefail'];
/** What makes no difference here: job control, history, hashed programs. */
const WITHOUT_EFFECT =
  /^(?:[bhmBEHPT]|monitor|history|histexpand|hashall|emacs|vi|errtrace|functrace|posix|braceexpand)$/;

/**
 * Sets the options that stand before other words. Returns how many words that were. Throws a LineError for one that is
 * not there.
 */
export function setOptions(program: string, args: readonly string[], options: Set<ShellOption>): number {
  let at = 0;
  for (; at < args.length && args[at] !== '--'; at++) {
    const [, sign, letters = ''] = /^([-+])([A-Za-z]+)$/.exec(args[at]!) ?? [];
    if (sign === undefined) break;
    for (const letter of letters) {
      const word = letter === 'o' ? (args[++at] ?? '') : letter;
      const option = LETTERS[word] ?? OPTIONS.find((name) => name === word);
      if (option === undefined && !WITHOUT_EFFECT.test(word))
        throw new LineError(`${program}: got ${sign}${word}, allowed: -e, -u, -x, -o ${OPTIONS.join('|')}`);
      if (option && sign === '-') options.add(option);
      else if (option) options.delete(option);
    }
  }
  return at;
}

const set: ShellBuiltin = (args, { scope }, io) => {
  if (args.length === 0) scope.names.forEach((name) => io.write(`${name}='${scope.get(name)}'\n`));
  const at = setOptions('set', args, scope.options);
  if (args[at] === '--') scope.args = args.slice(at + 1);
  else if (at < args.length) scope.args = args.slice(at);
  return 0;
};

const SIGNALS: Readonly<Record<string, string>> = { 0: 'EXIT', 1: 'HUP', 2: 'INT', 3: 'QUIT', 15: 'TERM' };
/** EXIT and ERR are followed; a line that is interrupted ends, whatever is set for the others. */
const TRAPPED = ['EXIT', 'HUP', 'INT', 'QUIT', 'TERM', 'ERR'];

const trap: ShellBuiltin = (args, { scope: { traps } }, io) => {
  const words = args[0] === '--' ? args.slice(1) : args.filter((arg) => arg !== '-p');
  if (words.length === 0) {
    for (const name of TRAPPED.filter((one) => traps.has(one))) {
      const text = traps.get(name)!.replaceAll("'", "'\\''");
      io.write(`trap -- '${text}' ${name === 'EXIT' || name === 'ERR' ? name : `SIG${name}`}\n`);
    }
    return 0;
  }
  const [action = '-', ...given] = words.length === 1 ? ['-', ...words] : words;
  for (const word of given) {
    const name = SIGNALS[word] ?? word.toUpperCase().replace(/^SIG/, '');
    if (!TRAPPED.includes(name)) throw new LineError(`trap: got ${word}, allowed: ${TRAPPED.join(', ')}`);
    if (action === '-') traps.delete(name);
    else traps.set(name, action);
  }
  return 0;
};

/** Commands that change what the shell does, or knows. */
export const SETTING_BUILTINS: Readonly<Record<string, ShellBuiltin>> = {
  export: declare('export'),
  local: declare('local'),
  declare: declare('declare'),
  typeset: declare('declare'),
  readonly: declare('readonly'),
  set,
  trap,
};
