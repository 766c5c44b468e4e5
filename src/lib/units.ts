/** Whole seconds, as TTLs and most Corefile options count time. */
export type Seconds = number;
/** Milliseconds, with fractions where a monotonic clock gives them. */
export type Milliseconds = number;
/** Millionths of a second. */
export type Microseconds = number;
/** A count of 8-bit bytes. */
export type Octets = number;
