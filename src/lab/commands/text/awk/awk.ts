import { CommandError } from '../../../session/command.js';
import type { CommandIo, LabCommand } from '../../../session/command.js';
import { parseOptions } from '../../../session/options.js';
import { linesFor } from '../input.js';
import { parseAwk } from './parser.js';
import { AwkRun } from './run.js';

const ASSIGNMENT = /^([A-Za-z_]\w*)=([^]*)$/;

/** `awk`, as POSIX has it, without getline, functions of one's own, and output to files. */
export const awk: LabCommand = {
  name: 'awk',
  usage: "[-F SIGN] [-v NAME=VALUE] 'PATTERN {ACTION}...' [FILE...]",
  help: 'Takes lines apart: columns, sums, conditions.',
  async run(args, io) {
    const options = parseOptions('awk', args, [
      { name: '-F', short: '-F', value: true },
      { name: '-v', short: '-v', value: true },
    ]);
    const [program, ...words] = options.words;
    if (program === undefined) throw new CommandError("awk: got no program, allowed: awk '{print $1}' [FILE...]", 2);
    const variables: Record<string, string> = {};
    const separator = options.get('-F');
    if (separator !== undefined) variables['FS'] = separator === '\\t' ? '\t' : separator;
    for (const text of options.all('-v'))
      if (!ASSIGNMENT.test(text)) throw new CommandError(`awk: -v: got "${text}", allowed: NAME=VALUE`, 2);
    // Assignments may stand between the files too; here they hold from the first line on.
    for (const text of [...options.all('-v'), ...words]) {
      const [, name, value] = ASSIGNMENT.exec(text) ?? [];
      if (name !== undefined) variables[name] = value!;
    }
    const files = words.filter((word) => !ASSIGNMENT.test(word));
    const run = new AwkRun(parseAwk(program), (text) => io.write(text), variables);
    if (run.begin() && run.readsLines) await takeLines(run, files, io);
    return run.end();
  },
};

async function takeLines(run: AwkRun, files: readonly string[], io: CommandIo): Promise<void> {
  for (const file of files.length === 0 ? ['-'] : files) {
    run.file(file === '-' ? '' : file);
    for await (const line of linesFor('awk', [file], io)) if (!run.take(line)) return;
  }
}
