import { definePlugin, onlyOne, type ProxyRules } from '../../chain/index.js';
import type { Option } from '../../corefile/index.js';
import { parseCidr, type Cidr } from '../../lib/cidr.js';
import { Networks, sourceIp } from '../../lib/networks.js';
import type { Milliseconds } from '../../lib/units.js';

const POLICIES = ['use', 'ignore', 'reject', 'skip'] as const;
const OPTIONS = ['allow', 'default', 'udp_session_tracking'];
/** Sessions where the Corefile does not say how many. */
const SESSIONS = 10_240;
const MAX_SESSIONS = 2 ** 24;
const DAY: Milliseconds = 86_400_000;

export const proxyproto = definePlugin('proxyproto', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 0, 'proxyproto { allow CIDR... }');
  const allowed: Cidr[] = [];
  let otherwise: (typeof POLICIES)[number] | undefined;
  let sessions: ProxyRules['sessions'];
  for (const option of directive.options ?? []) {
    option.noOptions();
    if (option.name === 'allow') allowed.push(...readNetworks(option));
    else if (option.name === 'default')
      otherwise = option.oneOf(option.one(`default ${POLICIES.join('|')}`).toLowerCase(), POLICIES);
    else if (option.name === 'udp_session_tracking') sessions = readSessions(option);
    else option.unknown(OPTIONS);
  }
  if (allowed.length === 0 && (otherwise ?? 'use') === 'use')
    block.logger('proxyproto').warning("without 'allow' any client can say that it is another one");
  const trusted = new Networks(allowed);
  const rest = otherwise ?? (allowed.length === 0 ? 'use' : 'ignore');
  block.settings.proxies = {
    policyFor(address) {
      if (allowed.length === 0) return rest;
      const ip = sourceIp(address);
      if (ip === undefined) return 'reject';
      return trusted.contains(ip) ? 'use' : rest;
    },
    sessions,
  };
  return undefined;
});

function readNetworks(option: Option): Cidr[] {
  option.argCount(1, Infinity, 'allow CIDR...');
  return option.args.map((text) => (text.includes('/') ? parseCidr(text) : undefined) ?? option.wrong(text, 'CIDR'));
}

function readSessions(option: Option): ProxyRules['sessions'] {
  option.argCount(1, 2, 'udp_session_tracking DURATION [MAX_SESSIONS]');
  const [duration = '', most] = option.args;
  const time = option.duration(duration, { min: 0, max: DAY });
  const count =
    most === undefined ? SESSIONS : option.integer(most, { min: 1, max: MAX_SESSIONS, what: 'MAX_SESSIONS' });
  return time === 0 ? undefined : { time, most: count };
}
