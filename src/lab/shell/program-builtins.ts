import { sleep } from '../../lib/clock.js';
import type { ShellBuiltin } from './builtin.js';
import { LineError } from './parse.js';

const TIMED_OUT = 124;
const MOST_WORDS = 10_000;

/** `command NAME`, `sudo NAME`: the program with options of these words left out. */
export const prefix =
  (valued: readonly string[] = []): ShellBuiltin =>
  (args, shell, io) => {
    let at = 0;
    while (args[at]?.startsWith('-') === true) at += valued.includes(args[at]!) ? 2 : 1;
    return at >= args.length ? 0 : shell.words(args.slice(at), io);
  };

export const env: ShellBuiltin = (args, shell, io) => {
  const set: Record<string, string> = {};
  let at = 0;
  for (; at < args.length; at++) {
    const [, name, value] = /^(\w+)=([^]*)$/.exec(args[at]!) ?? [];
    if (name !== undefined) set[name] = value!;
    else if (!args[at]!.startsWith('-')) break;
  }
  if (at < args.length) return shell.words(args.slice(at), io, set);
  for (const [name, value] of Object.entries({ ...shell.scope.environment, ...set })) io.write(`${name}=${value}\n`);
  return 0;
};

const seconds = (program: string, text: string): number => {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
  if (number === undefined) throw new LineError(`${program}: invalid time interval '${text}'`);
  return Number(number) * { s: 1, m: 60, h: 3600, d: 86_400, '': 1 }[unit as 's'] * 1000;
};

const timeout: ShellBuiltin = async (args, shell, io) => {
  let at = 0;
  while (args[at]?.startsWith('-') === true) at += ['-s', '-k'].includes(args[at]!) ? 2 : 1;
  const stop = new AbortController();
  const over = (): void => stop.abort();
  io.signal.addEventListener('abort', over, { once: true });
  let timedOut = false;
  const timer = shell.host.clock.setTimeout(
    () => {
      timedOut = true;
      over();
    },
    seconds('timeout', args[at] ?? ''),
  );
  try {
    const code = await shell.words(args.slice(at + 1), { ...io, signal: stop.signal, endless: true });
    return timedOut ? TIMED_OUT : code;
  } finally {
    timer.cancel();
    io.signal.removeEventListener('abort', over);
  }
};

/** `watch`: the line again and again until it is interrupted; where nothing interrupts it, once. */
const watch: ShellBuiltin = async (args, shell, io) => {
  let at = 0;
  let period = 2000;
  for (; args[at]?.startsWith('-') === true; at++) {
    const [, glued] = /^-n(.+)$/.exec(args[at]!) ?? [];
    if (args[at] === '-n' || args[at] === '--interval') period = seconds('watch', args[++at] ?? '');
    else if (glued !== undefined) period = seconds('watch', glued);
  }
  const line = args.slice(at).join(' ');
  if (line === '') throw new LineError('watch: got no command, allowed: watch [-n SECONDS] COMMAND');
  const title = `Every ${(period / 1000).toFixed(1)}s: ${line}\n\n`;
  for (;;) {
    if (io.interactive === true) io.write('\u001b[H\u001b[2J\u001b[3J');
    io.write(title);
    const code = await shell.child().run(line, io);
    if (!io.endless) return code;
    await sleep(shell.host.clock, period, io.signal).catch(() => undefined);
    if (io.signal.aborted) return code;
  }
};

const xargs: ShellBuiltin = async (args, shell, io) => {
  let at = 0;
  let most = MOST_WORDS;
  let byLines = false;
  let mark: string | undefined;
  let skipsEmpty = false;
  for (; args[at]?.startsWith('-') === true; at++) {
    const [, flag = '', glued = ''] = /^-([A-Za-z])(.*)$/.exec(args[at]!) ?? [];
    if (flag === 'n' || flag === 'P' || flag === 'L') {
      const value = Number(glued || args[++at]);
      if (flag !== 'P') [most, byLines] = [value, flag === 'L'];
    } else if (flag === 'I') mark = glued || args[++at];
    else if (flag === 'r') skipsEmpty = true;
    else if (flag !== 't') throw new LineError(`xargs: got ${args[at]}, allowed: -n, -I, -r, -L, -P`);
  }
  const command = args.slice(at).length > 0 ? args.slice(at) : ['echo'];
  const text = (await io.input?.text()) ?? '';
  const runs: string[][] = [];
  if (mark !== undefined)
    for (const line of text.split('\n').filter((one) => one.trim() !== ''))
      runs.push(command.map((word) => word.replaceAll(mark, line.trim())));
  else {
    const parts = text.split(byLines ? '\n' : /\s+/).filter((part) => part.trim() !== '');
    const words = parts.map((part) => part.trim().split(/\s+/));
    for (let i = 0; i < words.length; i += most) runs.push([...command, ...words.slice(i, i + most).flat()]);
    if (words.length === 0 && !skipsEmpty) runs.push([...command]);
  }
  let code = 0;
  for (const words of runs) if ((await shell.words(words, { ...io, input: undefined })) !== 0) code = 123;
  return code;
};

/** Commands that run other programs. */
export const PROGRAM_BUILTINS: Readonly<Record<string, ShellBuiltin>> = {
  sudo: prefix(['-u', '-g']),
  // No password is asked for here.
  sshpass: prefix(['-p', '-f', '-d']),
  nohup: prefix(),
  exec: prefix(),
  builtin: prefix(),
  nice: prefix(['-n']),
  stdbuf: prefix(),
  env,
  timeout,
  watch,
  xargs,
};
