import os from 'node:os';
import { hasCapability, threadStatus } from '../fastpath/capabilities.js';
import { BpfError } from './bpf-error.js';

/** Numbers of capabilities(7) that are needed; the last one stands in for all but the first. */
const NEEDED = { CAP_NET_ADMIN: 12n, CAP_PERFMON: 38n, CAP_BPF: 39n } as const;
const SYS_ADMIN = 21n;

/**
 * What is missing, in words of the operator's; any other error as it is.
 *
 * @param status of this process, as /proc has it
 * @param release of the kernel
 */
export function explained(error: unknown, status = threadStatus, release = os.release()): unknown {
  if (!(error instanceof BpfError)) return error;
  const said = wordsFor(error, status, release);
  return said === undefined ? error : new Error(said, { cause: error });
}

function wordsFor({ code, message }: BpfError, status: () => string, release: string): string | undefined {
  const loading = message.startsWith('loading');
  // Without CAP_PERFMON the verifier refuses what it lets others do.
  if (code === 'EPERM' || (code === 'EACCES' && loading)) {
    const missing = missingRights(status());
    if (missing.length > 0) return `missing: ${missing.join(', ')}; CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed`;
  }
  if (code === 'EPERM')
    return 'the system refuses it in spite of the capabilities: a user namespace, a seccomp profile or a lockdown of the kernel';
  if (code === 'ENOSYS') return `this kernel was built without BPF (Linux ${release})`;
  if (code === 'EBUSY' && message.startsWith('attaching the program by xdp'))
    return 'the device has a program of XDP, and takes no second one';
  if (code === 'EINVAL' && message.startsWith('attaching the program by tcx'))
    return `attaching a program by tcx needs Linux 6.6, this is ${release}`;
  return loading ? `this kernel (Linux ${release}) does not take the program: ${message}` : undefined;
}

function missingRights(status: string): string[] {
  const has = (number: bigint): boolean => hasCapability(status, 'CapEff', number);
  return Object.entries(NEEDED)
    .filter(([name, number]) => !has(number) && (name === 'CAP_NET_ADMIN' || !has(SYS_ADMIN)))
    .map(([name]) => name);
}
