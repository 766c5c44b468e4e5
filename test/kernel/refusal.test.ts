import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/kernel/bpf-error.js';
import { explained } from '../../src/kernel/refusal.js';

/** Of a process with these bits among its capabilities. */
const having = (...bits: bigint[]): string =>
  `Name:\tnode\nCapEff:\t${bits
    .reduce((all, bit) => all | (1n << bit), 0n)
    .toString(16)
    .padStart(16, '0')}\n`;
const NEEDED = 'CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed';

describe('a refusal says', () => {
  it.each<{ name: string; what?: string; code: string; status?: string; want: string }>([
    { name: 'what right is missing', code: 'EPERM', status: having(12n, 38n), want: `missing: CAP_BPF; ${NEEDED}` },
    {
      name: 'all that are',
      code: 'EPERM',
      status: having(10n),
      want: `missing: CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF; ${NEEDED}`,
    },
    {
      name: 'that CAP_SYS_ADMIN is not for devices',
      code: 'EPERM',
      status: having(21n),
      want: `missing: CAP_NET_ADMIN; ${NEEDED}`,
    },
    {
      name: 'that rights are not what is missing',
      code: 'EPERM',
      status: having(12n, 21n),
      want: 'the system refuses it in spite of the capabilities: a user namespace, a seccomp profile or a lockdown of the kernel',
    },
    {
      name: 'what kernel is needed',
      what: 'attaching the program by tcx',
      code: 'EINVAL',
      want: 'attaching a program by tcx needs Linux 6.6, this is 5.15.0',
    },
    {
      name: 'that there is one already',
      what: 'attaching the program by xdp',
      code: 'EBUSY',
      want: 'the device has a program of XDP, and takes no second one',
    },
    {
      name: 'that the verifier is as strict as without a right',
      what: 'loading the program',
      code: 'EACCES',
      status: having(12n, 39n),
      want: `missing: CAP_PERFMON; ${NEEDED}`,
    },
    {
      name: 'what the verifier says',
      what: 'loading the program',
      code: 'EACCES',
      status: having(12n, 21n),
      want: 'this kernel (Linux 5.15.0) does not take the program: loading the program: EACCES: R1 is no pointer',
    },
    { name: 'that there is none', code: 'ENOSYS', want: 'this kernel was built without BPF (Linux 5.15.0)' },
    { name: 'anything else as it is', code: 'ENOMEM', want: 'making the map x: ENOMEM' },
  ])('$name', ({ what = 'making the map x', code, status = having(), want }) => {
    const error = new BpfError(what, code, what.startsWith('loading') ? 'R1 is no pointer' : '');
    expect((explained(error, () => status, '5.15.0') as Error).message).toBe(want);
  });
});
