import { RULES } from './check.js';
import type { CheckFinding, Severity } from './finding.js';

/** How findings are printed. */
export type CheckFormat = 'text' | 'json' | 'sarif' | 'github';

export const CHECK_FORMATS: readonly CheckFormat[] = ['text', 'json', 'sarif', 'github'];

/** A report of what was found in `paths`, with a line feed at its end. */
export function reportOf(
  findings: readonly CheckFinding[],
  format: CheckFormat,
  paths: readonly string[],
  version: string,
): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify({ findings: findings.map(jsonOf) }, undefined, 2)}\n`;
    case 'sarif':
      return `${JSON.stringify(sarifOf(findings, version), undefined, 2)}\n`;
    case 'github':
      return findings.map((finding) => `${annotationOf(finding)}\n`).join('');
    case 'text':
      return textOf(findings, paths);
  }
}

const placeOf = ({ at }: CheckFinding): string => (at.line === undefined ? at.file : `${at.file}:${at.line}`);

function textOf(findings: readonly CheckFinding[], paths: readonly string[]): string {
  if (findings.length === 0) return `${paths.join(' ')}: nothing found\n`;
  const blocks = findings.map((finding) => {
    const { rule, severity, text } = finding;
    return `${placeOf(finding)}: ${severity}: ${text} [${rule.name}]\n    ${rule.means}\n    ${rule.todo}\n`;
  });
  const counts = (['fault', 'warning', 'hint'] as const).flatMap((severity) => {
    const count = findings.filter((one) => one.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`];
  });
  return `${blocks.join('\n')}\n${counts.join(', ')}\n`;
}

const jsonOf = ({ rule, severity, at, text }: CheckFinding): object => ({
  rule: rule.name,
  severity,
  file: at.file,
  line: at.line ?? 1,
  text,
  means: rule.means,
  todo: rule.todo,
});

const SARIF_LEVELS: Readonly<Record<Severity, string>> = { fault: 'error', warning: 'warning', hint: 'note' };

/** SARIF 2.1.0 (OASIS): what code scanning takes in. */
const sarifOf = (findings: readonly CheckFinding[], version: string): object => ({
  version: '2.1.0',
  runs: [
    {
      tool: {
        driver: {
          name: 'nodens check',
          version,
          rules: RULES.map(({ name, severity, means, todo }) => ({
            id: name,
            shortDescription: { text: means },
            help: { text: todo },
            defaultConfiguration: { level: SARIF_LEVELS[severity] },
          })),
        },
      },
      results: findings.map(({ rule, severity, at, text }) => ({
        ruleId: rule.name,
        ruleIndex: RULES.indexOf(rule),
        level: SARIF_LEVELS[severity],
        message: { text: `${text}. ${rule.means} ${rule.todo}` },
        locations: [{ physicalLocation: { artifactLocation: { uri: at.file }, region: { startLine: at.line ?? 1 } } }],
      })),
    },
  ],
});

const ANNOTATIONS: Readonly<Record<Severity, string>> = { fault: 'error', warning: 'warning', hint: 'notice' };

/** A workflow command of GitHub, which shows it at the line of a change. */
function annotationOf({ rule, severity, at, text }: CheckFinding): string {
  const value = (raw: string): string => raw.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  const property = (raw: string): string => value(raw).replace(/:/g, '%3A').replace(/,/g, '%2C');
  const message = `${text}. ${rule.means} ${rule.todo}`;
  return `::${ANNOTATIONS[severity]} file=${property(at.file)},line=${at.line ?? 1},title=${property(rule.name)}::${value(message)}`;
}
