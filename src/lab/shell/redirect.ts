import type { Redirection } from 'unbash';
import type { Expander } from './expand.js';
import type { ShellFiles, ShellIo } from './io.js';
import { LineError } from './parse.js';
import { inputOfText } from './stream.js';

interface Target {
  readonly write: (text: string) => void;
}

/**
 * Opens what a program reads and writes with `<`, `>`, `>>`, `2>`, `&>`, `2>&1`, `<<` and `<<<`. A file is there from the
 * start, as in a shell, and holds what was written so far. Throws a LineError for a number other than 0, 1 and 2, and
 * the error of a file that cannot be read.
 */
export async function redirect(
  redirects: readonly Redirection[],
  io: ShellIo,
  expand: Expander,
  files: ShellFiles,
): Promise<ShellIo> {
  let { input } = io;
  let out: Target = { write: (text) => io.write(text) };
  let error: Target = { write: (text) => io.error(text) };
  const open = (name: string, append: boolean): Target => {
    if (name === '/dev/null') return { write: () => undefined };
    if (name === '/dev/stdout') return out;
    if (name === '/dev/stderr') return error;
    const there = (): string => (files.kind(name) === 'file' ? files.read(name) : '');
    files.write(name, append ? there() : '');
    // Others may read it, or write to it, meanwhile.
    return { write: (text) => files.write(name, there() + text) };
  };
  for (const one of redirects) {
    const number = one.descriptor?.type === 'FileDescriptor' ? one.descriptor.value : undefined;
    if (one.type === 'HereDoc') {
      const text =
        one.delimiter?.quoted === true ? one.body.text : await expand.document(one.body.parts, one.body.text);
      input = inputOfText(one.operator === '<<-' ? text.replace(/^\t+/gm, '') : text);
      continue;
    }
    const target = await expand.text(one.target);
    if (one.type === 'HereString') input = inputOfText(`${target}\n`);
    else if (one.operator === '<') input = target === '/dev/null' ? inputOfText('') : inputOfText(files.read(target));
    else if (one.operator === '&>' || one.operator === '&>>') out = error = open(target, one.operator === '&>>');
    else if (one.operator === '>&' && !/^\d$/.test(target)) out = error = open(target, false);
    else if (one.operator === '>&') {
      const to = target === '1' ? out : target === '2' ? error : refuse(target);
      if (number === 2) error = to;
      else out = to;
    } else if (one.operator === '>' || one.operator === '>>' || one.operator === '>|') {
      if (number !== undefined && number !== 1 && number !== 2) refuse(String(number));
      const to = open(target, one.operator === '>>');
      if (number === 2) error = to;
      else out = to;
    } else throw new LineError(`"${one.operator}" is not supported here`);
  }
  const [writes, says] = [out, error];
  return { ...io, input, write: (text) => writes.write(text), error: (text) => says.write(text) };
}

function refuse(number: string): never {
  throw new LineError(`${number}: got this number of a stream, allowed: 0, 1, 2`);
}
