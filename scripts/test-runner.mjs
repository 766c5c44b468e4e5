/**
 * Runs tests of the folder it is started in, as often as its parent asks: what was translated for one run is kept for
 * the next. Plain JavaScript, so that the processes of the tests do not get a parent's loader.
 *
 * Arguments: workers, and `isolate` for a process per test file. Messages: `{ tests, except, changed, bail }` in,
 * `{ passed, failed, took }` out.
 */
import path from 'node:path';
import { createVitest } from 'vitest/node';

const [workers, isolation] = process.argv.slice(2);
const root = process.cwd();
const nameOf = (module) => path.relative(root, module.moduleId);

/** Whether the run ends with its first failure. */
let bail = false;
/** How long each file took that has been run, and the first failure. */
let took = [];
let failed;
const vitest = await createVitest('test', {
  root,
  watch: false,
  retry: 1,
  maxWorkers: Number(workers),
  isolate: isolation === 'isolate',
  reporters: [
    {
      onTestCaseResult(test) {
        if (test.result().state !== 'failed') return;
        // A file whose run is given up is not reported at its end.
        failed ??= { file: nameOf(test.module), test: test.fullName };
        if (bail) void vitest.cancelCurrentRun('test-failure');
      },
      onTestModuleEnd(module) {
        const { duration, collectDuration, setupDuration, prepareDuration } = module.diagnostic();
        took.push([nameOf(module), duration + collectDuration + setupDuration + prepareDuration]);
        if (module.state() === 'failed') failed ??= { file: nameOf(module), test: '(the file)' };
      },
    },
  ],
});
const all = await vitest.globTestSpecifications();

process.on('message', async ({ tests, except, changed, bail: hasty }) => {
  bail = hasty;
  took = [];
  failed = undefined;
  for (const file of changed) vitest.invalidateFile(file);
  const chosen = all.filter((specification) => {
    const name = nameOf(specification);
    if (except.includes(name)) return false;
    return tests.some((test) => name === test || name.startsWith(`${test.replace(/\/$/, '')}/`));
  });
  const { unhandledErrors } = await vitest.runTestSpecifications(chosen);
  if (unhandledErrors.length > 0) failed ??= { file: nameOf(chosen[0]), test: '(an error that nobody handles)' };
  process.send({ passed: chosen.length > 0 && failed === undefined, failed, took });
});
// With the processes of the tests, which may be in a circle: it leads their group.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
process.send({ files: all.map((specification) => [nameOf(specification), specification.project.name]) });
