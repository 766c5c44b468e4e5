import type { Environment } from '../corefile/environment.js';

/** A command of the program: gets the words after its name, resolves with the exit code. */
export type Command = (args: readonly string[], env: Environment) => Promise<number>;
