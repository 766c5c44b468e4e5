import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that start other programs and wait for them, and a compiler's, which no Node changes: after all others. */
const LONG = [
  'test/e2e/**/*.test.ts',
  'test/conformance/**/*.test.ts',
  'test/project/readme.test.ts',
  'test/examples/types.test.ts',
];
/** Installs a system and builds images, with both cores for minutes: `npm run test:compose`. */
const COMPOSE = 'test/e2e/compose/**';

/** The longest of them, which begin first: one that began last would run alone, with a core idle. */
const LONGEST = ['differential', 'plugins', 'kernel-changes', 'explain', 'node-local/rolling-update'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(`/test/e2e/${name}.test.ts`));
      return found < 0 ? LONGEST.length : found;
    };
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    // Two workers: the machines this runs on have two cores, and the end-to-end tests bind sockets.
    maxWorkers: 2,
    testTimeout: 20_000,
    sequence: { sequencer: LongestFirst },
    setupFiles: ['test/support/setup.ts'],
    // `npm run coverage`. What other programs start (the command line, threads) runs outside and counts as not covered.
    coverage: {
      include: ['src/**/*.ts'],
      exclude: ['src/page/**'],
      reporter: ['text-summary', 'json-summary'],
      // The floor, in per cent.
      thresholds: { statements: 85, lines: 85, functions: 80, branches: 70 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          // Most of their time would go into a process of its own for each of some 500 files.
          isolate: false,
          // A third of their time they wait: for sockets, timers and programs.
          maxWorkers: 3,
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...LONG, COMPOSE],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: LONG,
          exclude: [...configDefaults.exclude, COMPOSE],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
