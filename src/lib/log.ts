/** What a line says, each part by its name. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Where lines for the operator go. One call is one line; a plugin's logger puts `plugin/NAME: ` before it. */
export interface Logger {
  /** What only a search for a fault needs. Taken when the Corefile says `debug`. */
  debug(line: string): void;
  /** What happened, as expected. */
  info(line: string): void;
  /** What an operator may want to mend. */
  warning(line: string): void;
  /** What failed. */
  error(line: string): void;
  /** As `info`, with its parts beside the line; missing where lines are text only. */
  infoWith?(line: string, fields: LogFields): void;
  /** As `info` for many lines; missing where that would be no cheaper. */
  readonly batch?: LogBatch;
}

/** Takes lines that are put together beforehand, each with its end. */
export interface LogBatch {
  /** What each line begins with. */
  readonly head: string;
  /**
   * Writes them all at once.
   *
   * @param lines with nothing in them that `visible` would change
   */
  write(lines: string): void;
}

/** Says nothing: what a library does that is not asked to. */
export const silentLog = (): Logger => {
  const nothing = (): void => undefined;
  return { debug: nothing, info: nothing, warning: nothing, error: nothing };
};

/** A logger that puts `prefix` before each line. */
export function prefixed(log: Logger, prefix: string): Logger {
  return {
    debug: (line) => log.debug(prefix + line),
    info: (line) => log.info(prefix + line),
    warning: (line) => log.warning(prefix + line),
    error: (line) => log.error(prefix + line),
  };
}
