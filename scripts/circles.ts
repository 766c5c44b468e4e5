/**
 * Prints circles of files that import each other, for values or types: `npm run circles`. Ends with code 1 when one
 * of them is not defended.
 *
 * A comment in one of its files defends a circle. It names the others, as seen from that file's folder, and says why:
 * `// In a circle with endpoint.ts: a node has pods, and each pod knows its node.`
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SRC, importGraph } from './imports.js';

export interface Circle {
  /** In order of their names. */
  readonly files: readonly string[];
  /** Why it has to be; undefined where no comment says so. */
  readonly reason: string | undefined;
}

/** The strongly connected parts of a graph that have more than one member (Tarjan's algorithm). */
export function circlesOf(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, low.get(next)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const part = stack.splice(stack.indexOf(file));
    if (part.length > 1) found.push(part.sort());
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return found.sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
}

/** Why a file is in a circle with exactly these files, as its comment says. */
export function reasonOf(file: string, text: string, circle: readonly string[]): string | undefined {
  for (const [, names, reason] of text.matchAll(/^\/\/ In a circle with ([^:]+): (.+)$/gm)) {
    const others = names!.split(', ').map((name) => path.join(path.dirname(file), name));
    if ([file, ...others].sort().join() === circle.join()) return reason;
  }
  return undefined;
}

export const circles = (): readonly Circle[] =>
  circlesOf(importGraph()).map((files) => ({
    files,
    reason: files
      .map((file) => reasonOf(file, readFileSync(path.join(SRC, file), 'utf8'), files))
      .find((reason) => reason !== undefined),
  }));

if (process.argv[1] === import.meta.filename) {
  const found = circles();
  for (const { files, reason } of found)
    console.log(`${files.map((file) => `src/${file}`).join('\n')}\n  ${reason ?? 'NOT DEFENDED'}\n`);
  const bare = found.filter(({ reason }) => reason === undefined).length;
  console.log(`${found.length} circles, ${bare} of them not defended`);
  process.exitCode = bare > 0 ? 1 : 0;
}
