import { byClass, differing, type Comparison } from './comparison.js';

/** What is compared, as reports name it. */
export interface ComparedNames {
  readonly from: string;
  readonly old: string;
  readonly new: string;
}

/** Exit code: 0 without differences, 1 with some, 2 where neither server answered anything. */
export const comparisonExitCode = (comparison: Comparison): number => {
  if (comparison.asked > 0 && comparison.unanswered === comparison.asked) return 2;
  return differing(comparison) === 0 ? 0 : 1;
};

const rateOf = ({ asked, time }: Comparison): number => (time === 0 ? 0 : Math.round((asked * 1000) / time));

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

/** For people. `examples` questions are shown of each class. */
export function comparisonText(comparison: Comparison, names: ComparedNames, examples: number): string {
  const { asked, equal, unanswered, unsteady } = comparison;
  const lines = [
    `${plural(asked, 'query', 'queries')} of ${names.from}: ${equal} answered alike, ${differing(comparison)} otherwise`,
    `  old: ${names.old}`,
    `  new: ${names.new}`,
  ];
  if (unsteady > 0) lines.push(`  ${unsteady} were answered otherwise, and alike when asked again`);
  if (unanswered > 0) lines.push(`  ${unanswered} were answered by neither`);
  for (const { kind, count, questions } of byClass(comparison)) {
    lines.push(
      '',
      `${kind}: ${plural(count, 'query', 'queries')}, ${plural(questions.length, 'question', 'questions')}`,
    );
    for (const one of questions.slice(0, examples))
      lines.push(`  ${one.question} (${one.times} times)`, `    old: ${one.old}`, `    new: ${one.new}`);
    if (questions.length > examples) lines.push(`  and ${questions.length - examples} more`);
  }
  return `${lines.join('\n')}\n`;
}

/** For programs, with all questions that were kept. */
export function comparisonJson(comparison: Comparison, names: ComparedNames): string {
  const { asked, equal, unanswered, unsteady, time } = comparison;
  const classes = byClass(comparison).map(({ kind, count, questions }) => ({
    class: kind,
    queries: count,
    questions: questions.map(({ question, times, old, new: fresh }) => ({ question, times, old, new: fresh })),
  }));
  const summary = { asked, equal, different: differing(comparison), unanswered, unsteady };
  const pace = { milliseconds: Math.round(time), queriesPerSecond: rateOf(comparison) };
  return `${JSON.stringify({ ...names, ...summary, ...pace, classes }, undefined, 2)}\n`;
}

/** A line that shows how far it has come; to be written over itself. */
export function progressLine(done: number, total: number, width = 30): string {
  const share = total === 0 ? 1 : Math.min(done / total, 1);
  const filled = Math.round(share * width);
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${String(Math.floor(share * 100)).padStart(3)} % ${done} of ${total}`;
}
