import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KernelAnswers } from '../../src/kernel/kernel-answers.js';
import { handlerContract } from '../support/handler-contract.js';
import { hostileMessages } from '../support/hostile-messages.js';
import { KernelLink } from '../support/kernel-link.js';
import { missingForKernel } from '../support/kernel-server.js';

/** All rows: `NODENS_WHOLE=1 npx vitest run test/e2e/kernel-contract.test.ts`. */
const ONLY = process.env.NODENS_WHOLE === '1' ? /./ : /depends on|^an answer$|^a header cut short$/;

const why = missingForKernel();
if (why !== undefined) console.log(`test/e2e/kernel-contract: ${why}; skipped`);

describe.skipIf(why !== undefined)('over a link, with answers in the kernel', () => {
  let link: KernelLink;
  const total: Record<string, number> = {};
  beforeAll(() => void (link = new KernelLink('contract')));
  afterAll(() => link.close());

  /** What became of queries is asked before it is gone with its program. */
  function follow(answers: KernelAnswers): void {
    const close = answers.close.bind(answers);
    answers.close = () => {
      for (const [name, count] of Object.entries(answers.outcomes())) total[name] = (total[name] ?? 0) + count;
      close();
    };
  }
  const way = KernelLink.way(() => link, follow);

  handlerContract(way, ONLY);
  hostileMessages(way, ONLY);

  it('the kernel saw them all, and answered and dropped some', () => {
    expect(total.answered).toBeGreaterThan(0);
    expect(total['dropped: response']).toBeGreaterThan(0);
    expect(total['dropped: no header']).toBeGreaterThan(0);
    expect(total.form).toBeGreaterThan(50);
  });
});
