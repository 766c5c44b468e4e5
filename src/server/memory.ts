import { MEMORY_STEPS, type MemoryCeiling } from '../lib/memory-ceiling.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Responder } from './respond.js';

/** Shows the ceiling and what is done about it, and has queries refused where that is the last way out. */
export function showMemory(metrics: Metrics, memory: MemoryCeiling, responder: Responder): void {
  const refused = metrics
    .counter('dns', 'memory_refused_total', 'Counter of queries refused for want of memory.')
    .with();
  metrics.gauge('dns', 'memory_ceiling_bytes', 'Most memory that the process is to take.').with().set(memory.ceiling);
  const step = metrics.gauge('dns', 'memory_step', 'What is done about memory: 1 for the step that is in force.', [
    'step',
  ]);
  metrics.onScrape(() => {
    for (const name of MEMORY_STEPS) step.with({ step: name }).set(name === memory.step ? 1 : 0);
  });
  responder.refuses = () => {
    if (memory.refuses) refused.inc();
    return memory.refuses;
  };
}
