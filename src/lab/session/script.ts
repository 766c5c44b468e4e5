import type { Session } from './session.js';
import { LabFileError } from '../topology/reader.js';
import { LineError, parseLine, wantsMore } from '../shell/parse.js';

/** What a line expects of the command before it. */
type Expectation =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'pattern'; readonly pattern: RegExp }
  | { readonly kind: 'absent'; readonly text: string }
  | { readonly kind: 'no match'; readonly pattern: RegExp }
  | { readonly kind: 'code'; readonly code: number };

interface ScriptStep {
  readonly line: number;
  readonly command: string;
  readonly expectations: { readonly line: number; readonly text: string; readonly what: Expectation }[];
}

/** A script: remarks and steps in their order. */
export interface Script {
  readonly name: string;
  readonly parts: readonly ({ readonly remark: string } | ScriptStep)[];
  readonly steps: number;
}

/** An expectation that did not come true. */
export interface FailedExpectation {
  /** `FILE:LINE`. */
  readonly place: string;
  readonly text: string;
}

/**
 * Reads a script: a command on each line, `#` for remarks, and after a command what is expected of its output:
 * `expect TEXT` (a line after those found before has the text), `expect /REGEXP/`, `expect not TEXT` and `expect not
 * /REGEXP/` (no line has it) and
 * `expect code NUMBER` (without one the exit code has to be 0). A command goes on after a backslash at the end of its
 * line, and through the
 * text of a here-document. Throws a LabFileError with file and line.
 */
export function parseScript(name: string, text: string): Script {
  const parts: ({ readonly remark: string } | ScriptStep)[] = [];
  let step: ScriptStep | undefined;
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!.trim();
    if (line === '') continue;
    if (line.startsWith('#')) parts.push({ remark: line });
    else if (/^expect(\s|$)/.test(line)) {
      if (!step) throw new LabFileError(`${name}:${i + 1}`, 'expect must follow a command');
      step.expectations.push({
        line: i + 1,
        text: line,
        what: expectation(line.slice('expect'.length).trim(), `${name}:${i + 1}`),
      });
    } else {
      const from = i + 1;
      let command = line;
      while (wantsMore(command)) {
        if (++i === lines.length)
          throw new LabFileError(
            `${name}:${from}`,
            'the script ends inside a command: a quote, a loop or a here-document is not closed, or the last line ends in a backslash',
          );
        command += `\n${lines[i]!}`;
      }
      check(command, `${name}:${from}`);
      step = { line: from, command, expectations: [] };
      parts.push(step);
    }
  }
  if (!step) throw new LabFileError(name, 'it has no command');
  return { name, parts, steps: parts.filter((part) => 'command' in part).length };
}

/** Errors in the script are reported before anything runs. */
function check(command: string, place: string): void {
  try {
    parseLine(command);
  } catch (error) {
    if (error instanceof LineError) throw new LabFileError(place, error.message);
    throw error;
  }
}

function expectation(text: string, place: string): Expectation {
  if (text === '' || text === 'not')
    throw new LabFileError(
      place,
      'expect needs an argument, allowed: expect TEXT, expect /REGEXP/, expect not TEXT, expect not /REGEXP/, expect code NUMBER',
    );
  const code = /^code (\S+)$/.exec(text)?.[1];
  if (code !== undefined) {
    if (!/^\d{1,3}$/.test(code) || Number(code) > 255)
      throw new LabFileError(place, `expect code: got "${code}", allowed: 0 to 255`);
    return { kind: 'code', code: Number(code) };
  }
  const negative = text.startsWith('not ');
  const wanted = negative ? text.slice(4).trim() : text;
  const pattern = /^\/(.*)\/$/.exec(wanted)?.[1];
  if (pattern === undefined) return { kind: negative ? 'absent' : 'text', text: squeeze(wanted) };
  try {
    return { kind: negative ? 'no match' : 'pattern', pattern: new RegExp(pattern) };
  } catch (error) {
    throw new LabFileError(place, (error as Error).message);
  }
}

/** Columns are compared by their words, not by the blanks between. */
const squeeze = (line: string): string => line.trim().replace(/\s+/g, ' ');

/**
 * Plays a script in a session: `$ command`, its output, and what did not come as expected. `until` waits for the work
 * of one
 * command; it may move a clock on meanwhile. Stops at the first command with a failure.
 */
export async function playScript(
  script: Script,
  session: Session,
  write: (text: string) => void,
  until: <T>(work: Promise<T>) => Promise<T> = (work) => work,
): Promise<readonly FailedExpectation[]> {
  for (const part of script.parts) {
    if ('remark' in part) {
      write(`${part.remark}\n`);
      continue;
    }
    write(`$ ${part.command}\n`);
    let output = '';
    const code = await until(
      session.run(part.command, {
        write: (text) => {
          output += text;
          write(text);
        },
      }),
    );
    const failures = failuresOf(part, output, code, script.name);
    if (failures.length > 0) {
      for (const { place, text } of failures) write(`${place}: ${text}\n`);
      return failures;
    }
  }
  return [];
}

function failuresOf(step: ScriptStep, output: string, code: number, name: string): FailedExpectation[] {
  const lines = output.split('\n').map(squeeze);
  const failures: FailedExpectation[] = [];
  let from = 0;
  const wanted = step.expectations.map(({ what }) => what).find((what) => what.kind === 'code')?.code ?? 0;
  if (code !== wanted)
    failures.push({ place: `${name}:${step.line}`, text: `the exit code is ${code}, expected ${wanted}` });
  for (const { line, text, what } of step.expectations) {
    if (what.kind === 'code') continue;
    const has = (one: string): boolean => ('pattern' in what ? what.pattern.test(one) : one.includes(what.text));
    if (what.kind === 'absent' || what.kind === 'no match') {
      const found = lines.find(has);
      if (found !== undefined) failures.push({ place: `${name}:${line}`, text: `${text}: got "${found}"` });
      continue;
    }
    const at = lines.findIndex((one, i) => i >= from && has(one));
    if (at < 0)
      failures.push({
        place: `${name}:${line}`,
        text: `${text}: no such line${from > 0 ? ' after those found before' : ''}`,
      });
    else from = at + 1;
  }
  return failures;
}
