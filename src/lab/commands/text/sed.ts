import { CommandError } from '../../session/command.js';
import type { LabCommand } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { inputOf, linesOf, patternOf } from './input.js';

type LineAddress = { readonly line: number } | { readonly last: true } | { readonly pattern: RegExp };

interface Instruction {
  readonly from: LineAddress | undefined;
  readonly to: LineAddress | undefined;
  readonly verb: 's' | 'd' | 'p' | 'a' | 'i' | 'c';
  readonly pattern?: RegExp;
  readonly text: string;
}

const ALLOWED = 'allowed: [N|$|/RE/[,N|$|/RE/]] and s/RE/TEXT/[g][i], d, p, a TEXT, i TEXT, c TEXT';

/** `sed`: the instructions that people type at a prompt. */
export const sed: LabCommand = {
  name: 'sed',
  usage: "[-n] [-E] [-i] [-e] 'INSTRUCTION' [FILE...]",
  help: 'Edits lines; -i edits a file as this session sees it: your own file stays as it is.',
  async run(args, io) {
    const options = parseOptions(
      'sed',
      args,
      [{ name: '-n' }, { name: '-E' }, { name: '-r' }, { name: '-i' }, { name: '-e', value: true }].map((spec) => ({
        ...spec,
        short: spec.name,
      })),
    );
    const extended = options.has('-E') || options.has('-r');
    const [scripts, files] = options.has('-e')
      ? [options.all('-e'), options.words]
      : [options.words.slice(0, 1), options.words.slice(1)];
    if (scripts.length === 0) throw new CommandError(`sed: got no script, ${ALLOWED}`);
    const program = scripts.flatMap((script) => split(script).map((one) => parse(one, extended)));
    if (!options.has('-i')) {
      io.write(edit(await inputOf('sed', files, io), program, options.has('-n')));
      return 0;
    }
    if (files.length === 0) throw new CommandError('sed: -i needs a file');
    for (const file of files) {
      io.session.store.write(file, edit(io.session.read(file), program, options.has('-n')));
    }
    return 0;
  },
};

/**
 * Instructions are parted by semicolons and line feeds outside of patterns; text of a, i and c goes to the end of the
 * line.
 */
const split = (script: string): string[] =>
  script
    .replace(/;\s*$/, '')
    .split(/\n|;(?=\s*(?:\d|\$|\/|[sdpaic]\b|[sdp]$|s\W))/)
    .map((one) => one.trim())
    .filter((one) => one !== '');

function parse(text: string, extended: boolean): Instruction {
  const fail = (): never => {
    throw new CommandError(`sed: got "${text}", ${ALLOWED}`);
  };
  let rest = text;
  const address = (): LineAddress | undefined => {
    const [found, line, last, pattern] = /^(?:(\d+)|(\$)|\/((?:[^/\\]|\\.)*)\/)/.exec(rest) ?? [];
    if (found === undefined) return undefined;
    rest = rest.slice(found.length);
    return line !== undefined
      ? { line: Number(line) }
      : last !== undefined
        ? { last: true }
        : { pattern: patternOf('sed', pattern!, { extended }) };
  };
  const from = address();
  let to: LineAddress | undefined;
  if (from && rest.startsWith(',')) {
    rest = rest.slice(1);
    to = address() ?? fail();
  }
  const verb = rest[0] as Instruction['verb'] | undefined;
  const after = rest.slice(1);
  if (verb === 's') {
    const sign = after[0] ?? fail();
    const parts = after.slice(1).split(new RegExp(`(?<!\\\\)${sign.replace(/[\\^$.*+?()[\]{}|]/, '\\$&')}`));
    const [pattern, replacement, flags, extra] = parts;
    if (
      pattern === undefined ||
      replacement === undefined ||
      flags === undefined ||
      extra !== undefined ||
      !/^[gi]*$/i.test(flags)
    )
      return fail();
    const plain = (part: string): string => part.replaceAll(`\\${sign}`, sign);
    return {
      from,
      to,
      verb,
      pattern: patternOf('sed', plain(pattern), { extended, flags: flags.toLowerCase() }),
      text: plain(replacement),
    };
  }
  if (verb === 'd' || verb === 'p') return after.trim() === '' ? { from, to, verb, text: '' } : fail();
  if (verb === 'a' || verb === 'i' || verb === 'c')
    return { from, to, verb, text: after.replace(/^\s*\\?/, '').replaceAll('\\n', '\n') };
  return fail();
}

/** `&`, `\1` and `\n` of a replacement in the words of JavaScript. */
const replacementOf = (text: string): string =>
  text.replaceAll('$', '$$$$').replace(/\\(.)|&/g, (found, escaped: string | undefined) => {
    if (found === '&') return '$&';
    return /\d/.test(escaped!) ? `$${escaped!}` : escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped!;
  });

function edit(text: string, program: readonly Instruction[], quiet: boolean): string {
  const lines = linesOf(text);
  const open = new Set<Instruction>();
  const out: string[] = [];
  for (const [i, original] of lines.entries()) {
    let line = original;
    const hits = (at: LineAddress): boolean =>
      'line' in at ? at.line === i + 1 : 'last' in at ? i === lines.length - 1 : at.pattern.test(line);
    const meant = (one: Instruction): boolean => {
      if (!one.from) return true;
      if (!one.to) return hits(one.from);
      if (open.has(one)) {
        if (hits(one.to)) open.delete(one);
        return true;
      }
      if (!hits(one.from)) return false;
      if (!('line' in one.to && one.to.line <= i + 1)) open.add(one);
      return true;
    };
    let kept = true;
    const after: string[] = [];
    for (const one of program) {
      if (!kept || !meant(one)) continue;
      if (one.verb === 's') line = line.replace(one.pattern!, replacementOf(one.text));
      else if (one.verb === 'd') kept = false;
      else if (one.verb === 'p') out.push(line);
      else if (one.verb === 'i') out.push(one.text);
      else if (one.verb === 'a') after.push(one.text);
      else line = one.text;
    }
    if (kept && !quiet) out.push(line);
    out.push(...after);
  }
  return out.map((line) => `${line}\n`).join('');
}
