/**
 * What can go wrong that is not a fault of this program: each code with what it says. docs/ERRORS.md lists the same.
 */
export const ERROR_CODES = {
  NODENS_CACHE_FILE: 'A file that a cache was saved to cannot be read.',
  NODENS_COREFILE: 'A Corefile cannot be used.',
  NODENS_EXPRESSION: 'An expression cannot be read, or cannot be evaluated for a query.',
  NODENS_FLAG: 'A command line cannot be used: an unknown flag, or a value that is not allowed.',
  NODENS_FORGERY: 'Replies came to a port of ours that answer nothing that was asked from there.',
  NODENS_KEY: 'A key that messages or zones are signed with, or the file that it is read from, cannot be used.',
  NODENS_KUBE_API: 'The API of a cluster answers other than with success.',
  NODENS_KUBE_CONNECTION: 'A connection to the API of a cluster cannot be made as it is configured.',
  NODENS_KUBE_DNS_CONFIG: 'A file of the kube-dns ConfigMap cannot be used.',
  NODENS_LAB: 'A command about a lab cannot be carried out.',
  NODENS_LAB_ABSENT: 'No lab runs, or several do and none is named.',
  NODENS_LAB_API: 'The modelled API refuses an object.',
  NODENS_LAB_COMMAND: 'A command of the lab cannot be carried out.',
  NODENS_LAB_FILE: 'A topology or a script of the lab cannot be used.',
  NODENS_LAB_LINE: 'A line typed into the lab cannot be read.',
  NODENS_LAB_REQUEST: "A request to the lab's page cannot be carried out.",
  NODENS_LABEL_SELECTOR: 'A label selector cannot be read.',
  NODENS_LISTEN: 'An address cannot be listened at.',
  NODENS_LRP: 'A local redirect policy is not accepted.',
  NODENS_MANIFEST: 'A manifest cannot be read.',
  NODENS_MAXMIND: 'A MaxMind database cannot be used.',
  NODENS_MESSAGE: 'Bytes are no DNS message, or a message cannot be written.',
  NODENS_MODEL: 'A modelled cluster cannot be as it is described.',
  NODENS_MODEL_ADDRESS: 'A modelled cluster has no address left, or not the one that is asked for.',
  NODENS_NAME: 'Text is no domain name.',
  NODENS_OPTION: "A program's option cannot be used.",
  NODENS_PLUGIN: 'A plugin from a file or a package cannot be loaded.',
  NODENS_PLUGIN_FAULT: 'A loaded plugin does what it must not, such as answering with what is no reply.',
  NODENS_PROGRAM: 'A program that was run failed.',
  NODENS_RECORD: 'Text or an object is no resource record.',
  NODENS_RECORDING: 'A recording of queries cannot be read.',
  NODENS_REQUEST: 'An HTTP request is refused.',
  NODENS_RESOLV_CONF: 'A resolv.conf cannot be meant as it stands.',
  NODENS_SERVICE: 'A service over HTTP cannot be reached, or does not answer as it should.',
  NODENS_SIGNATURE: 'A message is not signed as it has to be.',
  NODENS_SKYDNS: 'A value in etcd is no SkyDNS message.',
  NODENS_SNAPSHOT: 'A file that the objects of a cluster were saved to cannot be used.',
  NODENS_TEMPLATE: 'A template cannot be read, or cannot be carried out for a query.',
  NODENS_TRANSFER: 'A zone cannot be had from another server.',
  NODENS_ZONE: 'A zone, or the file it is read from, cannot be served.',
} as const;

/** The codes that docs/ERRORS.md explains. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Where in a file something stands. */
export interface FilePlace {
  /** As the user named it. */
  readonly file: string;
  /** From 1; undefined where the whole file is meant. */
  readonly line?: number | undefined;
  /** From 1. */
  readonly column?: number | undefined;
}

/** What an error says beside its code and message. */
export interface ErrorFacts {
  readonly place?: FilePlace | undefined;
  /** With what a program ends that can do nothing about it, 1 to 255; 1 where nothing is said. */
  readonly exitCode?: number;
  readonly cause?: unknown;
}

const BRAND = Symbol.for('nodens.error');

/**
 * The base of all errors that a user, or the user of the library, is meant to see. Its message is complete: it says
 * where, what was got and what is allowed. Any other error is a fault of the program.
 *
 * `instanceof NodensError` also holds for errors of another copy of this module: the command is bundled, and a plugin
 * that it loads may bring one along.
 */
export class NodensError extends Error {
  override readonly name: string = 'NodensError';
  readonly place: FilePlace | undefined;
  readonly exitCode: number;

  constructor(
    readonly code: ErrorCode,
    message: string,
    facts: ErrorFacts = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.place = facts.place;
    this.exitCode = facts.exitCode ?? 1;
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  /** True also for errors of another copy of this package: a plugin may bring its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === NodensError
      ? typeof value === 'object' && value !== null && BRAND in value
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

/** The place that a text `FILE`, `FILE:LINE` or `FILE:LINE:COLUMN` names. */
export function placeFrom(text: string): FilePlace {
  const [, file = text, line, column] = /^(.*?)(?::(\d+))?(?::(\d+))?$/s.exec(text) ?? [];
  return { file, line: line === undefined ? undefined : Number(line), column: (column && Number(column)) || undefined };
}

/**
 * Whether an error is the user's to mend, and its message enough to do so: an error of this package, or one of the
 * operating system (`ENOENT`, `EADDRINUSE`), on real sockets and files or on modelled ones.
 */
export const isExpected = (error: unknown): error is Error =>
  error instanceof NodensError ||
  (error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code));

/** With what a program ends that can do nothing about the error, 1 to 255. */
export const exitCodeOf = (error: unknown): number => (error instanceof NodensError ? error.exitCode : 1);
