import type { Logger } from '../lib/log.js';

/**
 * Keeps the process alive where a plugin from outside throws, or lets a promise be rejected, when no query waits for
 * it: one line in the log. Whatever is not a plugin's ends the process as before.
 *
 * @param files files of the plugins, more of them after a reload
 */
export function guardFromPlugins(files: ReadonlySet<string>, log: Logger): void {
  process.on('uncaughtException', (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const file = [...files].find((name) => text.includes(name));
    if (file !== undefined) {
      const [line, at = ''] = text.split('\n').filter((one, i) => i === 0 || one.includes(file));
      log.error(`a plugin failed outside of any query: ${line} ${at.trim()}; it is served on`);
      return;
    }
    process.stderr.write(`${text}\n`);
    process.exit(1);
  });
}
