import { nearest } from '../../corefile/index.js';
import { findingOf, type CheckFinding, type Rule } from './finding.js';
import type { PlacedText } from './objects.js';

export const UNKNOWN_RULE: Rule = {
  name: 'unknown-rule',
  severity: 'warning',
  means: 'A comment silences a rule that there is not: it silences nothing.',
  todo: 'Write the name as reports show it.',
};

interface Silence {
  readonly file: string;
  /** Undefined for the whole file. */
  readonly line: number | undefined;
  readonly rule: string;
}

/** `# check: off RULE...` in or above a line, `# check: off-in-file RULE...` anywhere; what follows `--` is a reason. */
const COMMENT = /#\s*check:\s*(off|off-in-file)\s+([a-z0-9, -]+?)\s*(?:--.*)?$/;

function silencesIn({ file, text }: PlacedText): { readonly silence: Silence; readonly written: number }[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    const [, word, rules = ''] = COMMENT.exec(line) ?? [];
    if (word === undefined) return [];
    let at = i;
    // A comment by itself is for the next line that holds something else.
    while (/^\s*#/.test(lines[at] ?? '')) at++;
    return rules
      .split(/[\s,]+/)
      .filter((rule) => rule !== '')
      .map((rule) => ({ silence: { file, line: word === 'off' ? at + 1 : undefined, rule }, written: i + 1 }));
  });
}

/** What is left after the comments of these texts; faults cannot be silenced. */
export function silenced(
  findings: readonly CheckFinding[],
  texts: readonly PlacedText[],
  rules: readonly string[],
): CheckFinding[] {
  const all = texts.flatMap(silencesIn);
  const unknown = all.filter(({ silence }) => !rules.includes(silence.rule));
  const left = findings.filter(
    ({ rule, severity, at }) =>
      severity === 'fault' ||
      !all.some(
        ({ silence }) =>
          silence.rule === rule.name &&
          silence.file === at.file &&
          (silence.line === undefined || silence.line === at.line),
      ),
  );
  return [
    ...left,
    ...unknown.map(({ silence: { file, rule }, written }) => {
      const near = nearest(rule, rules);
      const text = `there is no rule '${rule}'${near === undefined ? '' : `; is '${near}' meant?`}`;
      return findingOf(UNKNOWN_RULE, { at: { file, line: written }, text });
    }),
  ];
}
