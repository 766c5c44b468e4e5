import path from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * `npm run test:compose`: apart from `npm test`, because it installs a system, builds images and takes both cores for
 * minutes.
 */
export default defineConfig({
  test: {
    root: path.resolve(import.meta.dirname, '../../..'),
    include: ['test/e2e/compose/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 900_000,
    bail: 1,
  },
});
