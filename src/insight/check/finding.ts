import type { FilePlace } from '../../lib/errors.js';
import { byText } from '../../lib/order.js';

/**
 * How bad a finding is. `fault`: it cannot be loaded or is not accepted. `warning`: it does something else than who
 * wrote it can have meant, or fails under load or change. `hint`: it works, and could be better; told when asked for.
 */
export type Severity = 'fault' | 'warning' | 'hint';

/** What can be found, by name. */
export interface Rule {
  /** Lower case with hyphens; what reports and comments call it. */
  readonly name: string;
  readonly severity: Severity;
  /** What it means for those who ask the server. */
  readonly means: string;
  /** What to do about it. */
  readonly todo: string;
}

/** Where a rule holds, and what stands there. */
export interface Spot {
  readonly at: FilePlace;
  readonly text: string;
  /** Where it is worse or better than the rule in general. */
  readonly severity?: Severity;
}

/** One thing found. */
export interface CheckFinding extends Spot {
  readonly rule: Rule;
  readonly severity: Severity;
}

/** A rule over what `T` stands for: a Corefile, or the objects of a cluster. */
export interface RuleOver<T> extends Rule {
  find(subject: T): Iterable<Spot>;
}

const WORSE: Readonly<Record<Severity, number>> = { fault: 2, warning: 1, hint: 0 };

export const findingOf = (rule: Rule, spot: Spot): CheckFinding => ({
  ...spot,
  rule,
  severity: spot.severity ?? rule.severity,
});

/** 0 without fault and warning, 1 with warnings, 2 with faults. */
export const exitCodeFor = (findings: readonly CheckFinding[]): number =>
  Math.max(0, ...findings.map(({ severity }) => WORSE[severity]));

/** By file, then by line; the worse first within a line. */
export function sorted(findings: readonly CheckFinding[]): CheckFinding[] {
  const files = [...new Set(findings.map(({ at }) => at.file))].sort();
  return [...findings].sort(
    (a, b) =>
      files.indexOf(a.at.file) - files.indexOf(b.at.file) ||
      (a.at.line ?? 0) - (b.at.line ?? 0) ||
      WORSE[b.severity] - WORSE[a.severity] ||
      byText(a.rule.name, b.rule.name),
  );
}
