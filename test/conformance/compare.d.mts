import type { Result, Step } from './run-set.mjs';
export function differences(want: Result, got: Result | undefined, step: Step): string[];
