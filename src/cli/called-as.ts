import path from 'node:path';

/**
 * How this program can be called again from the folder where the user is: by its name where the shell finds it, else
 * by its path.
 * What the program prints for the user to type begins with it.
 *
 * @param program the path of the running program's file, `process.argv[1]`
 */
export function calledAs(program: string, cwd: string, searchPath: string | undefined): string {
  const folders = (searchPath ?? '').split(path.delimiter);
  if (!isModule(program) && folders.includes(path.dirname(program))) return path.basename(program);
  const relative = path.relative(cwd, program);
  const shown = relative.startsWith('..') ? program : relative.includes('/') ? relative : `./${relative}`;
  const quoted = /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'"'"'`)}'`;
  return isModule(program) ? `node ${quoted}` : quoted;
}

const isModule = (program: string): boolean => /\.c?js$/.test(program);
