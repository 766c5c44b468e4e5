import { emitKeypressEvents } from 'node:readline';
import { stdin, stdout } from 'node:process';
import { askAdmin, type AdminCaller } from '../insight/admin/ask-admin.js';
import { topText } from '../insight/top/top-page.js';
import { ENTER, LEAVE, TopScreen, frame } from '../insight/top/top-screen.js';
import { parseDuration } from '../lib/duration.js';
import { NodensError } from '../lib/errors.js';
import { FlagError } from '../lib/go-flags.js';
import type { Milliseconds } from '../lib/units.js';
import { adminAddressText } from '../server/admin-flags.js';
import { SORTS, type TopReport, type TopWish } from '../top/report.js';
import type { Command } from './command.js';
import { callerFrom } from './explain.js';
import { say } from './say.js';
import { USAGE, callOf, misused } from './tool.js';
import { TOP } from './tools.js';

/** Rows that are asked for where the terminal says how many are shown. */
const MANY_ROWS = 200;
const WIDTH = 80;
const HEIGHT = 24;

/** `nodens top`: who asks a running server, what, and what it costs. */
export const topCommand: Command = async (args) => {
  const call = callOf(TOP, args);
  if (typeof call === 'number') return call;
  const { values, rest } = call;
  try {
    if (rest.length > 0) throw new FlagError(`unexpected argument '${rest[0]}'`);
    const [caller, wish, every] = [callerFrom(values), wishFrom(values), everyFrom(values.every!)];
    if (values.o !== 'text' && values.o !== 'json') throw new FlagError(`-o: got '${values.o}', allowed: text, json`);
    if (values.o === 'text' && stdin.isTTY && stdout.isTTY)
      return await watch(caller, wish, every, { input: stdin, output: stdout });
    const report = await ask(caller, wish);
    return say(values.o === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : topText(report, wish.rows));
  } catch (error) {
    if (error instanceof FlagError) return misused(TOP, error.message);
    if (!(error instanceof NodensError)) throw error;
    process.stderr.write(`nodens top: ${error.message}\n`);
    return USAGE;
  }
};

const ask = async (caller: AdminCaller, { rows, sort, filter }: TopWish): Promise<TopReport> =>
  (await askAdmin(caller, '/top', { rows: String(rows), sort, filter })) as TopReport;

/** Where keys come from, and where it is shown. */
export interface Terminal {
  readonly input: typeof stdin;
  readonly output: typeof stdout;
}

/** Shows it over and over, until somebody has seen enough. */
export async function watch(
  caller: AdminCaller,
  wish: TopWish,
  every: Milliseconds,
  { input, output }: Terminal,
): Promise<number> {
  const screen = new TopScreen(adminAddressText(caller.at), wish);
  let report: TopReport | undefined = await ask(caller, wish);
  let fault: string | undefined;
  const draw = (): void =>
    void output.write(frame(screen.lines(report, fault, output.columns || WIDTH, output.rows || HEIGHT)));
  const renew = async (): Promise<void> => {
    try {
      report = await ask(caller, { ...screen.wish, rows: MANY_ROWS });
      fault = undefined;
    } catch (error) {
      if (!(error instanceof NodensError)) throw error;
      fault = error.message;
    }
    draw();
  };
  emitKeypressEvents(input);
  input.setRawMode(true).resume();
  output.write(ENTER);
  output.on('resize', draw);
  const timer = setInterval(() => void (screen.paused || renew()), every);
  try {
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve).once('SIGHUP', resolve);
      input.on('keypress', (text: string | undefined, key: { name?: string; ctrl?: boolean }) => {
        const effect = screen.press({ name: key.name, text, ctrl: key.ctrl === true });
        if (effect === 'quit') resolve();
        else if (effect === 'ask') void renew();
        else draw();
      });
      void renew();
    });
  } finally {
    clearInterval(timer);
    input.setRawMode(false).pause();
    output.write(LEAVE);
  }
  return 0;
}

function wishFrom(values: Readonly<Record<string, string>>): TopWish {
  const rows = Number(values.rows);
  if (!Number.isInteger(rows) || rows < 1 || rows > 1000)
    throw new FlagError(`-rows: got '${values.rows}', allowed: 1 to 1000`);
  const sort = SORTS.find((one) => one === values.sort);
  if (sort === undefined) throw new FlagError(`-sort: got '${values.sort}', allowed: ${SORTS.join(', ')}`);
  return { rows, sort, filter: values.filter!.toLowerCase() };
}

function everyFrom(text: string): Milliseconds {
  const every = parseDuration(text);
  if (every === undefined || every < 100) throw new FlagError(`-every: got '${text}', allowed: a duration from 100ms`);
  return every;
}
