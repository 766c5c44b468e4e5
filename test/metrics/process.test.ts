import { expect, it } from 'vitest';
import { processText } from '../../src/metrics/process.js';

it('what a process takes is told by one set of observers, each time that it is asked for', async () => {
  const names = async (): Promise<string[]> =>
    [...(await processText()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
  const first = await names();
  // Those that dashboards for Go programs know as well.
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds'])
    expect(first.filter((each) => each === name)).toEqual([name]);
  expect(await names()).toEqual(first);
});
