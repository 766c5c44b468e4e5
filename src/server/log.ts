import type Pino from 'pino';
import type { Logger } from '../lib/log.js';
import { loadPackage } from '../lib/package.js';

const pino = loadPackage('pino') as typeof Pino;

const LABELS: Record<number, string> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARNING', 50: 'ERROR', 60: 'FATAL' };

/** A logger whose `debug` lines can be switched on while it runs. */
export interface ServerLog extends Logger {
  setDebug(on: boolean): void;
  /** Writes what is still held back; for the end of the process. */
  flush(): void;
}

/** Where lines go: a pino destination, or anything with a `write`. */
export interface LogDestination extends Pino.DestinationStream {
  flushSync?(): void;
}

/** Standard output, written in batches while an earlier write is under way. */
const standardOutput = (): LogDestination => pino.destination({ fd: 1, sync: false });

/** A log in the form that `-log.format` names. */
export const logOf = (format: 'text' | 'json'): ServerLog => (format === 'json' ? jsonLog() : textLog());

/** Lines as CoreDNS writes them, `[INFO] text`. */
export function textLog(destination: LogDestination = standardOutput()): ServerLog {
  // With this symbol set, pino leaves level and message of each line on the stream, so that its JSON need not be read
  // again.
  const plain = {
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 30,
    lastMsg: '',
    write(): void {
      destination.write(`[${LABELS[this.lastLevel] ?? 'INFO'}] ${this.lastMsg}\n`);
    },
  };
  return wrap(pino({ base: null, timestamp: false }, plain), destination);
}

/** One JSON object a line: `level` by name, `time` in ISO 8601, `msg`. */
export function jsonLog(destination: LogDestination = standardOutput()): ServerLog {
  const level = (label: string): { level: string } => ({ level: label === 'warn' ? 'warning' : label });
  return wrap(
    pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level } }, destination),
    destination,
  );
}

function wrap(log: Pino.Logger, destination: LogDestination): ServerLog {
  return {
    debug: (line) => log.debug(line),
    info: (line) => log.info(line),
    warning: (line) => log.warn(line),
    error: (line) => log.error(line),
    setDebug: (on) => void (log.level = on ? 'debug' : 'info'),
    flush: () => destination.flushSync?.(),
  };
}
