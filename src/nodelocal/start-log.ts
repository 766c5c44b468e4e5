import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';

/** The log of a node cache up to the start of its server: lines carry the local date and time before their level. */
export class StartLog implements Logger {
  constructor(
    private readonly clock: Clock,
    private readonly write: (text: string) => void,
  ) {}

  debug = (): void => undefined;
  info = (line: string): void => this.line('INFO', line);
  warning = (line: string): void => this.line('WARNING', line);
  error = (line: string): void => this.line('ERROR', line);
  fatal = (line: string): void => this.line('FATAL', line);

  private line(level: string, line: string): void {
    this.write(`${stamp(new Date(this.clock.now()))} [${level}] ${line}\n`);
  }
}

const two = (value: number): string => String(value).padStart(2, '0');

const stamp = (time: Date): string =>
  `${time.getFullYear()}/${two(time.getMonth() + 1)}/${two(time.getDate())} ` +
  `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
