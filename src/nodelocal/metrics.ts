import type { Metrics, Value } from '../metrics/metrics.js';

/**
 * What went wrong: rules, the lock of xtables, making the link, looking at the link, reading or writing the
 * configuration.
 */
export type SetupErrorType = 'iptables' | 'iptables_lock' | 'interface_add' | 'interface_check' | 'configmap';

const TYPES: readonly SetupErrorType[] = ['iptables', 'iptables_lock', 'interface_add', 'interface_check', 'configmap'];

/** Counters of faults by type, all there from the start, so that an alert on their increase sees the first one. */
export function setupErrors(metrics: Metrics): Readonly<Record<SetupErrorType, Value>> {
  const family = metrics.counter(
    'nodecache',
    'setup_errors_total',
    'The number of errors during periodic network setup for node-cache',
    ['errortype'],
  );
  return Object.fromEntries(TYPES.map((type) => [type, family.with({ errortype: type })])) as Record<
    SetupErrorType,
    Value
  >;
}
