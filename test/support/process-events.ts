import { afterEach, beforeEach, vi } from 'vitest';

/** What a process is told: a signal, or a fault that nothing caught. */
type Listener = (...args: unknown[]) => void;

/**
 * Keeps those who listen to this process from it, from the beginning of each test of the file: the test alone tells
 * them. Gives what tells all that listen to an event, and how many those are.
 */
export function processEvents(): (event: string, ...args: unknown[]) => number {
  let listeners: (readonly [event: string, tell: Listener])[] = [];
  beforeEach(() => {
    listeners = [];
    for (const way of ['on', 'once'] as const)
      vi.spyOn(process, way).mockImplementation((event: string | symbol, tell: Listener) => {
        listeners.push([String(event), tell]);
        return process;
      });
  });
  afterEach(() => vi.restoreAllMocks());
  return (event, ...args) => {
    const told = listeners.filter(([one]) => one === event);
    for (const [, tell] of told) tell(...args);
    return told.length;
  };
}
