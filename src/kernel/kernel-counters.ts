/** What became of queries at the server's own addresses, in the order of `enum reason` of answers.bpf.c. */
export const KERNEL_REASONS = [
  'answered',
  'other sender',
  'fragment or options',
  'checksum',
  'form',
  'long name',
  'kept apart by network',
  'not in the table',
  'being written',
  'expired',
  'spelling',
  'long answer',
  'no memory',
  'dropped: response',
  'dropped: no header',
  'dropped: limit',
] as const;
