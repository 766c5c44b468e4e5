import type Pino from 'pino';
import type { Logger } from '../lib/log.js';
import { loadPackage } from '../lib/package.js';
import type { Milliseconds } from '../lib/units.js';
import { LogOutput, type LogDestination, type LogEnd } from './log-output.js';

const pino = loadPackage('pino') as typeof Pino;

const LABELS: Record<number, string> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARNING', 50: 'ERROR', 60: 'FATAL' };

/** A logger whose `debug` lines can be switched on while it runs. */
export interface ServerLog extends Logger {
  setDebug(on: boolean): void;
  /** Writes what is still held back, for the end of the process, and gives up after `limit`. */
  finish(limit: Milliseconds): Promise<LogEnd>;
}

/** A log in the form that `-log.format` names. */
export const logOf = (format: 'text' | 'json'): ServerLog => (format === 'json' ? jsonLog() : textLog());

const STANDARD_OUTPUT = 1;
/** Lines that are written, or lost, together. */
const TOGETHER = 256;
const lossText = (lines: number): string => `${lines} lines of this log were lost: they were not read in time`;

/** Lines as CoreDNS writes them, `[INFO] text`. */
export function textLog(destination?: LogDestination): ServerLog {
  const output = destination ?? new LogOutput(STANDARD_OUTPUT, (lines) => `[WARNING] ${lossText(lines)}\n`);
  // With this symbol set, pino leaves level and message of each line on the stream, so that its JSON need not be read
  // again.
  const plain = {
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 30,
    lastMsg: '',
    write(): void {
      output.write(`[${LABELS[this.lastLevel] ?? 'INFO'}] ${visible(this.lastMsg)}\n`);
    },
  };
  const log = wrap(pino({ base: null, timestamp: false }, plain), output);
  return { ...log, infoAll: (lines) => writeAll(output, lines) };
}

/** Writes lines of level INFO together, which takes a fraction of what each by itself does. */
function writeAll(output: LogDestination, lines: readonly string[]): void {
  for (let from = 0; from < lines.length; from += TOGETHER) {
    let text = '';
    for (const line of lines.slice(from, from + TOGETHER)) text += `[INFO] ${visible(line)}\n`;
    output.write(text);
  }
}

/** One JSON object a line: `level` by name, `time` in ISO 8601, `msg`, and the parts of a line about a query. */
export function jsonLog(destination?: LogDestination): ServerLog {
  const lossLine = (lines: number): string =>
    `${JSON.stringify({ level: 'warning', time: new Date().toISOString(), msg: lossText(lines) })}\n`;
  const output = destination ?? new LogOutput(STANDARD_OUTPUT, lossLine);
  const level = (label: string): { level: string } => ({ level: label === 'warn' ? 'warning' : label });
  const made = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level } }, output);
  return { ...wrap(made, output), infoWith: (line, fields) => made.info(fields, line) };
}

/**
 * What could begin a line of its own or steer a terminal. Lines of a stack are indented, and stay: no line that does
 * not begin with a level can be taken for one of the log's.
 */
// eslint-disable-next-line no-control-regex -- these are what is looked for
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]|\n(?! {4})/;
const ALL_UNSEEN = new RegExp(UNSEEN, 'g');

/** The text with control characters as `\xNN`: what others say, such as an API or a peer, is part of many lines. */
const visible = (text: string): string =>
  UNSEEN.test(text)
    ? text.replace(ALL_UNSEEN, (character) => {
        const code = character.charCodeAt(0);
        return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, '0')}`;
      })
    : text;

function wrap(log: Pino.Logger, destination: LogDestination): ServerLog {
  return {
    debug: (line) => log.debug(line),
    info: (line) => log.info(line),
    warning: (line) => log.warn(line),
    error: (line) => log.error(line),
    setDebug: (on) => void (log.level = on ? 'debug' : 'info'),
    finish: async (limit) => (await destination.finish?.(limit)) ?? 'written',
  };
}
