import { describe, expect, it } from 'vitest';
import { ownAddresses } from '../../../src/plugins/kubernetes/nameserver.js';
import { TestBlock } from '../../support/block.js';
import { SERVER } from '../../support/dns.js';
import { namespace, service, slice } from '../../support/kube.js';
import { clusterOf } from './cluster-of.js';

describe('addresses of this server', () => {
  const HOST = ['127.0.0.1', '192.0.2.7', 'fe80::7', '2001:db8::7'];
  const OF_HOST = ['192.0.2.7', '2001:db8::7'];
  it.each([
    { name: 'the one that it listens at', listens: ['192.0.2.53'], want: ['192.0.2.53'] },
    { name: 'all of the host, where it listens at any', listens: [''], want: OF_HOST },
    { name: 'of any IPv4 address', listens: ['0.0.0.0'], want: OF_HOST },
    { name: 'of any IPv6 address', listens: ['192.0.2.53', '::'], want: OF_HOST },
    { name: 'no loopback ones', listens: ['127.0.0.1', '127.9.9.9', '::1', '192.0.2.1'], want: ['192.0.2.1'] },
    { name: 'no link-local ones', listens: ['fe80::1%eth0', 'febf::1', 'fec0::1'], want: ['fec0::1'] },
    { name: 'without a zone', listens: ['2001:db8::1%eth0'], want: ['2001:db8::1'] },
    { name: 'each once', listens: ['192.0.2.1', '192.0.2.1'], want: ['192.0.2.1'] },
    { name: 'in one spelling', listens: ['2001:DB8:0::1'], want: ['2001:db8::1'] },
    { name: 'no names', listens: ['nowhere'], want: [] },
  ])('are $name', ({ listens, want }) => {
    const block = new TestBlock();
    block.served = listens.map((address) => ({ ...SERVER, address }));
    const interfaces = () => HOST.map((address) => ({ device: 'x', address, loopback: false }));
    Object.assign(block.runtime, { network: { ...block.runtime.network, interfaces } });
    expect(ownAddresses(block)).toEqual(want);
  });
});

describe('name servers', () => {
  const N = 'cluster.local.';
  const endpoint = (address: string, ready: boolean) => ({ addresses: [address], conditions: { ready } });
  it.each([
    { name: 'itself', objects: [], want: [`ns.dns.${N} 5 IN A 10.0.0.9`] },
    {
      name: 'the service that leads to it',
      objects: [service('dns'), slice('dns', ['10.0.0.9'])],
      want: [`dns.default.svc.${N} 5 IN A 10.96.0.1`],
    },
    {
      name: 'not one that it is not ready for',
      objects: [
        service('dns'),
        slice('dns', [], { endpoints: [endpoint('10.0.0.9', false), endpoint('10.0.0.8', true)] }),
      ],
      want: [`ns.dns.${N} 5 IN A 10.0.0.9`],
    },
    {
      name: 'the ready endpoints of a headless one',
      objects: [
        service('dns', { clusterIP: 'None', clusterIPs: ['None'] }),
        slice('dns', [], {
          endpoints: [endpoint('10.0.0.9', true), endpoint('10.0.0.8', true), endpoint('10.0.0.7', false)],
        }),
      ],
      want: [`10-0-0-9.dns.default.svc.${N} 5 IN A 10.0.0.9`, `10-0-0-8.dns.default.svc.${N} 5 IN A 10.0.0.8`],
    },
  ])('are $name', async ({ objects, want }) => {
    const cluster = await clusterOf([namespace('default'), ...objects]);
    Object.assign(cluster.handler, { ownAddresses: ['10.0.0.9'] });
    const names = want.map((address) => `${N} 5 IN NS ${address.split(' ')[0]}`);
    expect(await cluster.told(N, 'NS')).toBe(`NOERROR ${names.join(', ')} + ${want.join(', ')}`);
  });
});

describe('a zone in capitals', () => {
  it.each(['Az.test.', 'aZ.test.', 'az.test.', 'az.tEst.'])('%s is answered as it was written', async (zone) => {
    const cluster = await clusterOf([namespace('default')], { args: 'az.test' });
    expect(await cluster.told(`x.${zone}`)).toMatch(new RegExp(`^NXDOMAIN ${zone} 5 IN SOA `));
  });
});
