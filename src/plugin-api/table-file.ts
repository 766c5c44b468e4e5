import { readFile, rename, writeFile } from 'node:fs/promises';

/** What a file of kept entries begins with; another word, or none, and it is left alone. */
const FORMAT = 'nodens table 1';

/** Writes entries at once: who reads meanwhile finds the old ones. Rejects where the file cannot be written. */
export async function writeKept(file: string, entries: ReadonlyMap<string, unknown>): Promise<void> {
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, JSON.stringify({ format: FORMAT, entries: [...entries] }), { mode: 0o600 });
  await rename(fresh, file);
}

/** The entries that were kept; undefined where there are none, or something else stands there. */
export async function readKept<Value>(file: string): Promise<ReadonlyMap<string, Value> | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, 'utf8')) as { format?: unknown; entries?: [string, Value][] };
    return kept.format === FORMAT && Array.isArray(kept.entries) ? new Map(kept.entries) : undefined;
  } catch {
    return undefined;
  }
}
