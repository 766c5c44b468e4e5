import { check } from '../insight/check/check.js';
import { exitCodeFor } from '../insight/check/finding.js';
import { CHECK_FORMATS, reportOf } from '../insight/check/report.js';
import { VERSION } from '../lib/package-folder.js';
import type { Command } from './command.js';
import { say } from './say.js';
import { callOf, misused } from './tool.js';
import { CHECK } from './tools.js';

const ROLES = ['server', 'node-cache'] as const;

/** `nodens check [FILE|FOLDER...]`: judges configuration without serving it. */
export const checkCommand: Command = async (args, env) => {
  const call = callOf(CHECK, args);
  if (typeof call === 'number') return call;
  const { values, rest } = call;
  const format = CHECK_FORMATS.find((one) => one === values.o);
  if (format === undefined) return misused(CHECK, `-o: got '${values.o}', allowed: ${CHECK_FORMATS.join(', ')}`);
  const role = ROLES.find((one) => one === values.as);
  if (role === undefined && values.as !== '')
    return misused(CHECK, `-as: got '${values.as}', allowed: ${ROLES.join(', ')}`);
  const paths = rest.length === 0 || call.given.has('conf') ? [values.conf!, ...rest] : rest;
  try {
    const findings = await check(paths, { env, cwd: process.cwd(), role });
    const shown = findings.filter(({ severity }) => severity !== 'hint' || values.hints === 'true');
    say(reportOf(shown, format, paths, VERSION));
    return exitCodeFor(shown);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined || path === undefined) throw error;
    return misused(CHECK, `cannot read ${path} (${code})`);
  }
};
