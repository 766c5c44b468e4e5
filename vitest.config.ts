import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Installs a system and builds images, with both cores for minutes: `npm run test:compose`.
    exclude: ['test/e2e/compose/**'],
    setupFiles: ['test/support/setup.ts'],
    // Two workers: the machines this runs on have two cores, and the end-to-end tests bind sockets.
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
