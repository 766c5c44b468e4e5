/** A result, or a step, of a set: see run-set.mjs for its forms. */
export type Result = Record<string, unknown>;
export interface Step {
  name?: string;
  type?: string;
  http?: string;
  log?: string;
  counts?: unknown;
  /** In milliseconds. */
  sleep?: number;
}
export interface ConformanceSet {
  name: string;
  steps?: Step[];
}
export function measured(set: ConformanceSet): Step[];
export interface Place {
  server: string;
  client: string;
  times: number;
}
export function runSet(
  set: ConformanceSet,
  command: readonly string[],
  place?: Place,
): Promise<{ results: Result[]; out: string }>;
