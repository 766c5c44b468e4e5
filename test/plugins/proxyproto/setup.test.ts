import { describe, expect, it } from 'vitest';
import { proxyproto } from '../../../src/plugins/proxyproto/setup.js';
import { setup } from '../../support/block.js';

const ALLOW = 'proxyproto {\nallow 192.0.2.0/24 2001:db8::/32';

describe('proxyproto', () => {
  it.each([
    { text: 'proxyproto', address: '198.51.100.1', policy: 'use' },
    { text: 'proxyproto {\ndefault reject\n}', address: '198.51.100.1', policy: 'reject' },
    { text: `${ALLOW}\n}`, address: '192.0.2.1', policy: 'use' },
    { text: `${ALLOW}\n}`, address: '::ffff:192.0.2.1', policy: 'use' },
    { text: `${ALLOW}\n}`, address: '2001:db8::1', policy: 'use' },
    { text: `${ALLOW}\n}`, address: '198.51.100.1', policy: 'ignore' },
    { text: `${ALLOW}\ndefault SKIP\n}`, address: '198.51.100.1', policy: 'skip' },
    { text: `${ALLOW}\ndefault use\n}`, address: 'nonsense', policy: 'reject' },
  ])('$text: $address is $policy', ({ text, address, policy }) =>
    expect(setup(proxyproto, text).block.settings.proxies!.policyFor(address)).toBe(policy),
  );

  it.each([
    { text: 'proxyproto', warns: true },
    { text: 'proxyproto {\ndefault use\n}', warns: true },
    { text: 'proxyproto {\ndefault ignore\n}', warns: false },
    { text: `${ALLOW}\n}`, warns: false },
  ])('$text: believes everybody is $warns', ({ text, warns }) =>
    expect(setup(proxyproto, text).block.log.lines.some((line) => line.includes('[WARNING]'))).toBe(warns),
  );

  it.each([
    { option: '28s', sessions: { time: 28_000, most: 10_240 } },
    { option: '28s 20', sessions: { time: 28_000, most: 20 } },
    { option: '28s 16777216', sessions: { time: 28_000, most: 16_777_216 } },
    { option: '0s', sessions: undefined },
  ])('udp_session_tracking $option', ({ option, sessions }) =>
    expect(
      setup(proxyproto, `proxyproto {\nudp_session_tracking ${option}\n}`).block.settings.proxies!.sessions,
    ).toEqual(sessions),
  );

  it.each([
    { text: 'proxyproto 1', error: 'Corefile:2: proxyproto:' },
    { text: 'proxyproto {\nallow\n}', error: 'Corefile:3: proxyproto: allow:' },
    {
      text: 'proxyproto {\nallow 192.0.2.1\n}',
      error: "Corefile:3: proxyproto: allow: got '192.0.2.1', allowed: CIDR",
    },
    { text: 'proxyproto {\ndefault maybe\n}', error: "Corefile:3: proxyproto: default: got 'maybe', allowed: use," },
    { text: 'proxyproto {\nudp_session_tracking\n}', error: 'Corefile:3: proxyproto: udp_session_tracking:' },
    { text: 'proxyproto {\nudp_session_tracking 1s 0\n}', error: "MAX_SESSIONS: got '0'" },
    { text: 'proxyproto {\nudp_session_tracking 1s 16777217\n}', error: "MAX_SESSIONS: got '16777217'" },
    { text: 'proxyproto {\nrequire\n}', error: "Corefile:3: proxyproto: unknown option 'require'" },
    { text: 'proxyproto\nproxyproto', error: 'Corefile:3: proxyproto: got it a second time' },
  ])('refuses $text', ({ text, error }) => expect(() => setup(proxyproto, text)).toThrow(error));
});
