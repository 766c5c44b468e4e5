import { vi } from 'vitest';

// The test runner translates what is imported, and keeps it: plugins are to be run by Node itself.
vi.mock(
  '../../src/plugin-api/node-import.js',
  () => import(/* @vite-ignore */ String('data:text/javascript,export const nodeImport = (url) => import(url)')),
);
