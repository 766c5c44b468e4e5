import type { PluginStatement } from '../corefile/index.js';
import { NodensError } from '../lib/errors.js';

/** A plugin that cannot be loaded. The message is `FILE:LINE: plugin SOURCE: text`. */
export class PluginError extends NodensError {
  override readonly name = 'PluginError';

  constructor(statement: Pick<PluginStatement, 'source' | 'file' | 'line'>, text: string, cause?: unknown) {
    const { source, file, line } = statement;
    super('NODENS_PLUGIN', `${file}:${line}: plugin ${source}: ${text}`, { cause, place: { file, line } });
  }
}
