import { describe, expect, it } from 'vitest';
import { EACH_CLIENT, type Handler } from '../../src/chain/index.js';
import { describeSharing, sharingOf } from '../../src/server/sharing.js';
import { reply } from '../support/dns.js';

const handler = (name: string, declared: Partial<Handler> = {}): Handler => ({
  name,
  handle: () => reply(),
  ...declared,
});
const plain = handler('cache', { dependsOn: 'question' });

describe('what a chain lets others have', () => {
  it.each([
    { name: 'all that depend on the question', parts: [plain, plain], want: { networks: undefined }, because: [] },
    { name: 'none at all', parts: [], want: { networks: undefined }, because: [] },
    { name: 'one that says nothing', parts: [plain, handler('mine')], want: undefined, because: ['mine'] },
    {
      name: 'one that wants every query, last',
      parts: [plain, handler('log', { dependsOn: 'query' })],
      want: undefined,
      because: ['log'],
    },
    {
      name: 'one that looks at the client',
      parts: [handler('acl', { dependsOn: 'client' }), plain],
      want: { networks: EACH_CLIENT },
      because: ['acl'],
    },
    {
      name: 'two that look at networks',
      parts: [
        handler('acl', { dependsOn: 'client', clientNetworks: { ipv4: 24, ipv6: 48 } }),
        handler('geo', { dependsOn: 'client', clientNetworks: { ipv4: 16, ipv6: 64 } }),
      ],
      want: { networks: { ipv4: 24, ipv6: 64 } },
      because: ['acl', 'geo'],
    },
    {
      name: 'a client and one that says nothing',
      parts: [handler('acl', { dependsOn: 'client' }), handler('mine')],
      want: undefined,
      because: ['mine'],
    },
  ])('$name', ({ parts, want, because }) => {
    expect(sharingOf(parts)).toEqual({ sharing: want, because });
  });

  it.each([
    { parts: [plain], line: 'answers for a. b. are shared' },
    { parts: [handler('mine')], line: 'answers for a. b. are not shared: every query has to reach mine' },
    {
      parts: [handler('acl', { dependsOn: 'client', clientNetworks: { ipv4: 24, ipv6: 56 } })],
      line: 'answers for a. b. are shared within /24 (IPv4) and /56 (IPv6) networks of clients, because of acl',
    },
  ])('is said: $line', ({ parts, line }) => {
    expect(describeSharing(['a.', 'b.'], sharingOf(parts))).toBe(line);
  });
});
