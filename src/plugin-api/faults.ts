import { NodensError } from '../lib/errors.js';

/** A loaded plugin did what it must not. The message begins with `plugin/NAME: `. */
export class PluginFault extends NodensError {
  override readonly name = 'PluginFault';

  constructor(plugin: string, text: string, cause?: unknown) {
    super('NODENS_PLUGIN_FAULT', `plugin/${plugin}: ${text}`, { cause });
    // Where the plugin threw is of use, where this was made is not.
    if (cause instanceof Error && cause.stack !== undefined) this.stack = cause.stack;
  }
}

/** What somebody threw, in words. */
export const wordsOf = (fault: unknown): string =>
  fault instanceof Error ? `${fault.name === 'Error' ? '' : `${fault.name}: `}${fault.message}` : String(fault);

/** Whether a value is a promise of any realm or library. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  (typeof value === 'object' || typeof value === 'function') &&
  value !== null &&
  typeof (value as { then?: unknown }).then === 'function';
