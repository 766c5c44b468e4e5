import type { ShellBuiltin } from './builtin.js';
import { JOB_BUILTINS } from './job-builtins.js';
import { LineError } from './parse.js';
import { PROGRAM_BUILTINS, env, prefix } from './program-builtins.js';
import { printfText } from './printf.js';
import { SETTING_BUILTINS, setOptions } from './setting-builtins.js';
import { linesIn } from './stream.js';
import { testWords } from './test-words.js';
import { Unwind } from './unwind.js';

const leave =
  (kind: Unwind['kind']): ShellBuiltin =>
  ([word], shell) => {
    const number = word === undefined ? (kind === 'return' || kind === 'exit' ? shell.scope.status : 1) : Number(word);
    if (!Number.isInteger(number) || number < 0) throw new LineError(`${kind}: ${word}: numeric argument required`);
    throw kind === 'break' || kind === 'continue' ? new Unwind(kind, 0, number) : new Unwind(kind, number & 255);
  };

const alias: ShellBuiltin = (args, { scope }, io) => {
  const shown = args.length === 0 ? [...scope.aliases.keys()].sort() : args;
  let code = 0;
  for (const word of shown) {
    const [, name = word, value] = /^([^=]+)=([^]*)$/.exec(word) ?? [];
    if (value !== undefined) scope.aliases.set(name, value);
    else if (scope.aliases.has(name)) io.write(`alias ${name}='${scope.aliases.get(name)}'\n`);
    else {
      io.error(`bash: alias: ${name}: not found\n`);
      code = 1;
    }
  }
  return code;
};

const unalias: ShellBuiltin = (args, { scope }) => {
  if (args.includes('-a')) scope.aliases.clear();
  return Number(!args.filter((arg) => arg !== '-a').every((name) => scope.aliases.delete(name)));
};

/** Options of `read` with a value of their own. */
const READ_VALUED = /^-[rs]*[pdnNtui]$/;

const read: ShellBuiltin = async (args, { scope }, io) => {
  const names = args.filter((arg, i) => !arg.startsWith('-') && !READ_VALUED.test(args[i - 1] ?? ''));
  if (!io.input) throw new LineError('read: got nothing to read from, allowed: a pipe, < FILE or <<< TEXT');
  const line = await io.input.line();
  const signs = (scope.get('IFS') ?? ' \t\n').replace(/[\\\]^-]/g, '\\$&');
  const sign = new RegExp(/\s/.test(signs) ? '\\s+' : `[${signs}]`);
  let rest = /\s/.test(signs) ? (line ?? '').trim() : (line ?? '');
  if (args.some((arg) => /^-[rs]*a/.test(arg))) scope.set(names[0] ?? 'REPLY', rest === '' ? [] : rest.split(sign));
  else
    for (const [i, name] of (names.length === 0 ? ['REPLY'] : names).entries()) {
      const first = i < names.length - 1 ? sign.exec(rest) : null;
      scope.set(name, first ? rest.slice(0, first.index) : rest);
      rest = first ? rest.slice(first.index + first[0].length) : '';
    }
  return Number(line === undefined);
};

/** Exit code of `[ ]` and `test` for words that are no expression. */
const NO_EXPRESSION = 2;

const test =
  (closes: boolean): ShellBuiltin =>
  (args, { host }, io) => {
    try {
      if (closes && args.at(-1) !== ']') throw new LineError("test: missing ']'");
      return Number(!testWords(closes ? args.slice(0, -1) : args, host.files));
    } catch (error) {
      // Not a failure of the line: what follows runs, with a code that says neither yes nor no.
      if (!(error instanceof LineError)) throw error;
      io.error(`bash: ${closes ? error.message.replace(/^test/, '[') : error.message}\n`);
      return NO_EXPRESSION;
    }
  };

const describe: ShellBuiltin = (args, shell, io) => {
  let code = 0;
  for (const name of args.filter((arg) => !arg.startsWith('-'))) {
    const what = shell.scope.aliases.has(name)
      ? `aliased to '${shell.scope.aliases.get(name)}'`
      : shell.scope.functions.has(name)
        ? 'a function'
        : Object.hasOwn(BUILTINS, name)
          ? 'a shell builtin'
          : shell.host.has(name)
            ? `/usr/bin/${name}`
            : undefined;
    if (what === undefined) {
      io.error(`bash: type: ${name}: not found\n`);
      code = 1;
    } else io.write(`${name} is ${what}\n`);
  }
  return code;
};

const which: ShellBuiltin = (args, shell, io) => {
  const found = args.filter((name) => !name.startsWith('-') && shell.host.has(name));
  found.forEach((name) => io.write(`/usr/bin/${name}\n`));
  return Number(found.length < args.filter((name) => !name.startsWith('-')).length);
};

const history: ShellBuiltin = (args, { lines }, io) => {
  if (args[0] === '-c') lines.length = 0;
  else {
    const count = args[0] === undefined ? lines.length : Number(args[0]);
    lines.forEach((line, i) => {
      if (i >= lines.length - count) io.write(`${String(i + 1).padStart(5)}  ${line}\n`);
    });
  }
  return 0;
};

const mapfile: ShellBuiltin = async (args, { scope }, io) => {
  const name = args.find((arg) => !arg.startsWith('-')) ?? 'MAPFILE';
  const end = args.includes('-t') ? '' : '\n';
  const lines: string[] = [];
  if (io.input) for await (const line of linesIn(io.input)) lines.push(`${line}${end}`);
  scope.set(name, lines);
  return 0;
};

const source: ShellBuiltin = async ([file], shell, io) => {
  if (file === undefined) throw new LineError('source: filename argument required');
  try {
    return await shell.part(shell.host.files.read(file), io);
  } catch (error) {
    if (error instanceof Unwind && error.kind === 'return') return error.code;
    throw error;
  }
};

const shellProgram: ShellBuiltin = (args, shell, io) => {
  const child = shell.child(true);
  const called = args.findIndex((arg) => /^-[a-z]*c$/.test(arg));
  const options = called < 0 ? args : [...args.slice(0, called), args[called]!.replace('c', '')];
  const words = args.slice(called < 0 ? setOptions('bash', options, child.scope.options) : called + 1);
  if (called >= 0) setOptions('bash', options, child.scope.options);
  const [first, ...rest] = words;
  if (first === undefined) throw new LineError("bash: allowed: bash -c 'COMMAND' and bash FILE");
  child.scope.args = called < 0 ? rest : rest.slice(1);
  return child.run(called < 0 ? shell.host.files.read(first) : first, io);
};

/** The commands of the shell itself. */
export const BUILTINS: Readonly<Record<string, ShellBuiltin>> = {
  ':': () => 0,
  true: () => 0,
  false: () => 1,
  '[': test(true),
  test: test(false),
  alias,
  unalias,
  break: leave('break'),
  continue: leave('continue'),
  return: leave('return'),
  exit: leave('exit'),
  logout: leave('exit'),
  unset: (args, { scope }) => {
    for (const name of args.filter((arg) => !arg.startsWith('-'))) {
      scope.unset(name);
      scope.functions.delete(name);
    }
    return 0;
  },
  shift: ([count = '1'], { scope }) => {
    scope.args = scope.args.slice(Number(count));
    return 0;
  },
  shopt: () => 0,
  let: async (args, shell, io) => {
    if (args.length === 0) throw new LineError('let: got no expression');
    for (const arg of args) await shell.part(`(( ${arg} ))`, io);
    return shell.scope.status;
  },
  read,
  mapfile,
  readarray: mapfile,
  eval: (args, shell, io) => shell.part(args.join(' '), io),
  source,
  '.': source,
  bash: shellProgram,
  sh: shellProgram,
  printf: ([format, ...args], { scope }, io) => {
    if (format === undefined) throw new LineError('printf: usage: printf [-v var] format [arguments]');
    if (format === '-v' && args[0] !== undefined) scope.set(args[0], printfText(args[1] ?? '', args.slice(2)));
    else io.write(printfText(format, args));
    return 0;
  },
  type: describe,
  which,
  command: (args, shell, io) =>
    args[0] === '-v' || args[0] === '-V' ? which(args.slice(1), shell, io) : prefix()(args, shell, io),
  printenv: (args, shell, io) => {
    const { scope } = shell;
    if (args.length === 0) return env([], shell, io);
    const values = args.map((name) => scope.environment[name]);
    values.forEach((value) => value !== undefined && io.write(`${value}\n`));
    return Number(values.includes(undefined));
  },
  history,
  ...SETTING_BUILTINS,
  ...PROGRAM_BUILTINS,
  ...JOB_BUILTINS,
};
