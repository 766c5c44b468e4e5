import { frontendKey } from '../datapath/loadbalancer/service.js';
import { LrpError, policyKey, type LocalRedirectPolicy } from './policy.js';

/** Throws an LrpError where one of `others` is for the same service or address: by 1.17 rules there is one policy. */
export function checkUnique(policy: LocalRedirectPolicy, others: Iterable<LocalRedirectPolicy>): void {
  for (const other of others) {
    if (
      policy.frontend.kind === 'service' &&
      other.frontend.kind === 'service' &&
      policy.frontend.name === other.frontend.name &&
      policy.namespace === other.namespace
    ) {
      throw new LrpError(
        'spec.redirectFrontend.serviceMatcher.serviceName',
        `a policy for service ${policy.frontend.name} already exists in namespace ${policy.namespace}: ${other.name}`,
      );
    }
    if (
      policy.frontend.kind !== 'address' ||
      other.frontend.kind !== 'address' ||
      policy.frontend.ip !== other.frontend.ip
    )
      continue;
    const taken = other.frontend.ports;
    const clash = policy.frontend.ports.find((port) =>
      taken.some((mine) => mine.port === port.port && mine.protocol === port.protocol),
    );
    if (clash)
      throw new LrpError(
        'spec.redirectFrontend.addressMatcher',
        `${frontendKey(policy.frontend.ip, clash.port, clash.protocol)} is already redirected by policy ${policyKey(other)}`,
      );
  }
}
