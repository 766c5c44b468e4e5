// Plays sets against any DNS server that starts from a Corefile, by hand: to compare, or to record anew.
//   node conform.mjs check  SETS.mjs ANSWERS.json --server 'COMMAND' [--only REGEXP] [-v]
//   node conform.mjs record SETS.mjs ANSWERS.json --server 'COMMAND' [--only REGEXP]
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { differences } from './compare.mjs';
import { measured, runSet } from './run-set.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: 'string', default: 'bin/nodens' },
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', short: 'v', default: false },
  },
});
const [mode, setsFile, answersFile] = positionals;
const { sets } = await import(pathToFileURL(path.resolve(setsFile)).href);
const answers = fs.existsSync(answersFile) ? JSON.parse(fs.readFileSync(answersFile, 'utf8')) : {};
const title = (step) => `${step.name ?? step.http ?? step.log ?? step.raw ?? 'counts'} ${step.type ?? ''}`.trim();

let passed = 0;
let failed = 0;
for (const set of sets.filter(({ name }) => new RegExp(values.only).test(name))) {
  const { results, out } = await runSet(set, values.server.split(' '));
  if (values.verbose) console.error(`--- ${set.name}\n${out}`);
  if (mode === 'record') {
    answers[set.name] = results;
    continue;
  }
  measured(set).forEach((step, i) => {
    const bad = differences(answers[set.name][i], results[i], step);
    if (bad.length === 0) return void passed++;
    failed++;
    console.log([`${set.name} #${i} ${title(step)}`, ...bad].join('\n    '));
  });
}
if (mode === 'record') fs.writeFileSync(answersFile, JSON.stringify(answers, null, 1).replace(/\n {3,}/g, ' '));
else console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
