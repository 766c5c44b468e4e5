import type * as PromClient from 'prom-client';
import { loadPackage } from '../lib/package.js';

let registry: PromClient.Registry | undefined;

/**
 * CPU, memory, descriptors and event loop of this process in the text exposition format. They belong to the process
 * and not to a server, so all
 * servers in it share one set of observers, which are loaded and start with the first scrape.
 */
export function processText(): Promise<string> {
  if (registry === undefined) {
    const { Registry, collectDefaultMetrics } = loadPackage('prom-client') as typeof PromClient;
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry.metrics();
}
