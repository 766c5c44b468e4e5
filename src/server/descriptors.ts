import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './http-connections.js';
import { DEFAULT_TCP_LIMITS, type TcpLimits } from './tcp-limits.js';

/** Each HTTP port's part of the descriptors: what clients of some ports leave open never takes those that DNS needs. */
const HTTP_PART = 16;
/** As many as probes and a scraper need at once. */
const LEAST_HTTP = 4;

/** Limits of an HTTP port in a process that may open so many descriptors. */
export const httpLimitsWithin = (descriptors: number): HttpLimits => ({
  ...DEFAULT_HTTP_LIMITS,
  connections: Math.max(LEAST_HTTP, Math.min(DEFAULT_HTTP_LIMITS.connections, Math.floor(descriptors / HTTP_PART))),
});

/** TCP clients may take half of the descriptors: upstreams, and clients that come next, have the others. */
const TCP_PART = 2;

/** Limits of TCP clients in a process that may open so many descriptors. */
export const tcpLimitsWithin = (descriptors: number): TcpLimits => ({
  ...DEFAULT_TCP_LIMITS,
  connections: Math.min(DEFAULT_TCP_LIMITS.connections, Math.floor(descriptors / TCP_PART)),
});
