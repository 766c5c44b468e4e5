import { readFileSync } from 'node:fs';

/** How many file descriptors this process may open (getrlimit(2)); Infinity where the system does not say. */
export function descriptorLimit(read = (file: string): string => readFileSync(file, 'latin1')): number {
  let text;
  try {
    text = read('/proc/self/limits');
  } catch {
    return Infinity;
  }
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? Infinity : Number(soft);
}
