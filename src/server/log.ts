import type Pino from 'pino';
import type { Logger } from '../lib/log.js';
import { loadPackage } from '../lib/package.js';
import type { Milliseconds } from '../lib/units.js';
import { visible } from '../lib/visible.js';
import { LogOutput, type LogDestination, type LogEnd } from './log-output.js';

const pino = loadPackage('pino') as typeof Pino;

const LABELS: Record<number, string> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARNING', 50: 'ERROR' };

/** A logger whose `debug` lines can be switched on while it runs. */
export interface ServerLog extends Logger {
  setDebug(on: boolean): void;
  /** Writes what is still held back, for the end of the process, and gives up after `limit`. */
  finish(limit: Milliseconds): Promise<LogEnd>;
}

/** A log in the form that `-log.format` names. */
export const logOf = (format: 'text' | 'json'): ServerLog => (format === 'json' ? jsonLog() : textLog());

const STANDARD_OUTPUT = 1;
const lossText = (lines: number): string => `${lines} lines of this log were lost: they were not read in time`;

/** What pino leaves on the stream before each write. */
interface LastLine {
  [metadata: symbol]: boolean;
  lastLevel?: number;
  lastMsg?: string;
  write(): void;
}

/** Lines as CoreDNS writes them, `[INFO] text`. */
export function textLog(destination?: LogDestination): ServerLog {
  const output = destination ?? new LogOutput(STANDARD_OUTPUT, (lines) => `[WARNING] ${lossText(lines)}\n`);
  // With this symbol set, pino leaves level and message of each line on the stream, so that its JSON need not be read
  // again.
  const plain: LastLine = {
    [Symbol.for('pino.metadata')]: true,
    write(): void {
      output.write(`[${LABELS[this.lastLevel!]}] ${visible(this.lastMsg!)}\n`);
    },
  };
  const log = wrap(pino({ base: null, timestamp: false }, plain), output);
  return { ...log, batch: { head: '[INFO] ', write: (lines) => output.write(lines) } };
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
