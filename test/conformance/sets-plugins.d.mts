import type { ConformanceSet } from './run-set.mjs';
export const sets: ConformanceSet[];
