import type { FlagSpec } from '../lib/go-flags.js';
import { ADMIN_FLAGS } from './admin-flags.js';
import { IO_FLAGS } from './io-flags.js';

/**
 * Flags of every program that serves a Corefile, the server's and the node cache's: those of CoreDNS but for `-conf`,
 * the form of log lines, and how datagrams are taken.
 */
export const SERVING_FLAGS: readonly FlagSpec[] = [
  { name: 'dns.port', alias: 'p', type: 'string', help: 'Default port', default: '53' },
  { name: 'log.format', alias: 'log-format', type: 'string', help: 'Form of log lines: text or json', default: 'text' },
  { name: 'pidfile', type: 'string', help: 'Path to write pid file' },
  { name: 'plugins', type: 'bool', help: 'List installed plugins' },
  { name: 'quiet', type: 'bool', help: 'Quiet mode (no initialization output)' },
  {
    name: 'takeover',
    type: 'string',
    help: 'Path of a unix socket by which a process that starts gets the sockets of the one that serves',
  },
  { name: 'version', type: 'bool', help: 'Show version' },
  ...IO_FLAGS,
  ...ADMIN_FLAGS,
];
