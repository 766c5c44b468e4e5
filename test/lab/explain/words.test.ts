import { describe, expect, it } from 'vitest';
import type { Node } from '../../../src/datapath/cluster/node.js';
import type { Frontend } from '../../../src/datapath/loadbalancer/service.js';
import { translationText } from '../../../src/lab/explain/words.js';

const OWN = '10.0.0.1';
const node = { name: 'w1', netns: { hasAddress: (address: string) => address === OWN } } as unknown as Node;
const frontend = (ips: readonly string[], policy?: string): Frontend =>
  ({
    owner: 'default/web',
    backends: ips.map((ip) => ({ ip })),
    redirect: policy === undefined ? undefined : { policy },
  }) as unknown as Frontend;

describe('what a node makes of an address', () => {
  const passedBy = '; w1 has the address itself and is passed by: sockets are translated before a packet is sent';
  it.each([
    { name: 'no service', address: '10.0.0.9', of: undefined, want: 'no service, straight to the address' },
    { name: 'its own', address: OWN, of: undefined, want: 'an address of w1 itself' },
    { name: 'a service', address: '10.0.0.9', of: frontend(['1', '2']), want: 'service default/web: to 1 or 2' },
    {
      name: 'a service without endpoints',
      address: '10.0.0.9',
      of: frontend([]),
      want: 'service default/web: to nobody, it has no endpoints',
    },
    {
      name: 'a service that is its own',
      address: OWN,
      of: frontend(['1']),
      want: `service default/web: to 1${passedBy}`,
    },
    {
      name: 'a redirect',
      address: OWN,
      of: frontend(['1', '2'], 'p'),
      want: 'redirect p on w1: to 1 or 2 in place of service default/web',
    },
    {
      name: 'a redirect to nobody',
      address: '10.0.0.9',
      of: frontend([], 'p'),
      want: 'redirect p on w1: to nobody in place of service default/web',
    },
  ])('$name', ({ address, of, want }) => expect(translationText(address, node, of)).toBe(want));
});
