import { Registry, collectDefaultMetrics } from 'prom-client';

let registry: Registry | undefined;

/**
 * CPU, memory, descriptors and event loop of this process in the text exposition format. They belong to the process and not to a server, so all
 * servers in it share one set of observers, which start with the first scrape.
 */
export function processText(): Promise<string> {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry.metrics();
}
