import { describe, expect, it } from 'vitest';
import type { InterfaceAddress, Network } from '../../../src/net/network.js';
import { bind } from '../../../src/plugins/bind/setup.js';
import { setup } from '../../support/block.js';

const interfaces: InterfaceAddress[] = [
  { device: 'lo', address: '127.0.0.1', loopback: true },
  { device: 'lo', address: '::1', loopback: true },
  { device: 'eth0', address: '192.168.1.5', loopback: false },
  { device: 'eth0', address: 'fe80::5054:ff:fe12:3456', loopback: false },
  { device: 'dummy0', address: 'fe80::1%dummy0', loopback: false },
];
const none = (): never => {
  throw new Error('bind opens nothing');
};
const network = (addresses: InterfaceAddress[]): Network => ({
  bindUdp: none,
  connectUdp: none,
  listenTcp: none,
  connectTcp: none,
  interfaces: () => addresses,
});

describe('bind', () => {
  it.each([
    { name: 'one address', text: 'bind 169.254.20.10', listen: ['169.254.20.10'] },
    { name: 'addresses of both families, in order', text: 'bind ::1 127.0.0.1', listen: ['::1', '127.0.0.1'] },
    { name: 'an address in another spelling', text: 'bind 2001:DB8:0::1', listen: ['2001:db8::1'] },
    { name: 'a device', text: 'bind lo', listen: ['127.0.0.1', '::1'] },
    {
      name: 'a device with a link-local address',
      text: 'bind eth0',
      listen: ['192.168.1.5', 'fe80::5054:ff:fe12:3456%eth0'],
    },
    { name: 'a link-local address that has its scope already', text: 'bind dummy0', listen: ['fe80::1%dummy0'] },
    { name: 'device and address together', text: 'bind 10.96.0.10 lo', listen: ['10.96.0.10', '127.0.0.1', '::1'] },
    { name: 'several lines', text: 'bind 127.0.0.1\nbind ::1', listen: ['127.0.0.1', '::1'] },
    { name: 'an address named twice', text: 'bind 127.0.0.1 lo\nbind 127.0.0.1', listen: ['127.0.0.1', '::1'] },
    { name: 'all but an address', text: 'bind lo {\n except 127.0.0.1\n}', listen: ['::1'] },
    { name: 'all but an address in another spelling', text: 'bind lo {\n except 0:0::1\n}', listen: ['127.0.0.1'] },
    { name: 'all but a device', text: 'bind lo 10.0.0.1 {\n except lo\n}', listen: ['10.0.0.1'] },
    {
      name: 'several except lines',
      text: 'bind lo 10.0.0.1 {\n except ::1\n except 127.0.0.1\n}',
      listen: ['10.0.0.1'],
    },
    {
      name: 'except for its own line only',
      text: 'bind lo {\n except 127.0.0.1\n}\nbind 127.0.0.1',
      listen: ['::1', '127.0.0.1'],
    },
    {
      name: 'except for an address that is not among them',
      text: 'bind 127.0.0.1 {\n except 10.0.0.1\n}',
      listen: ['127.0.0.1'],
    },
  ])('listens on $name', ({ text, listen }) => {
    const { block, handlers } = setup(bind, text, { network: network(interfaces) });
    expect(block.settings.listen).toEqual(listen);
    expect(handlers).toEqual([]);
  });

  it.each([
    {
      name: 'no address',
      text: 'bind',
      error: 'Corefile:2: bind: got no argument, allowed: at least 1 argument; usage: bind ADDRESS|DEVICE...',
    },
    {
      name: 'what is neither address nor device',
      text: 'bind 300.1.1.1',
      error:
        'Corefile:2: bind: not a valid IP address or interface name: "300.1.1.1"; allowed: an IPv4 or IPv6 address, or one of the devices with an address: lo, eth0, dummy0',
    },
    {
      name: 'a port',
      text: 'bind 127.0.0.1:53',
      error: 'Corefile:2: bind: not a valid IP address or interface name: "127.0.0.1:53"',
    },
    {
      name: 'an unknown device after except',
      text: 'bind lo {\n except eth9\n}',
      error: 'Corefile:3: bind: except: not a valid IP address or interface name: "eth9"',
    },
    {
      name: 'except without address',
      text: 'bind lo {\n except\n}',
      error: 'Corefile:3: bind: except: got no argument, allowed: at least 1 argument; usage: except ADDRESS|DEVICE...',
    },
    {
      name: 'except with a block',
      text: 'bind lo {\n except ::1 {\n }\n}',
      error: 'Corefile:3: bind: except: got a block in { }, allowed: none',
    },
    {
      name: 'another option',
      text: 'bind lo {\n expect ::1\n}',
      error: "Corefile:3: bind: unknown option 'expect'; allowed: except",
    },
    {
      name: 'a line from which nothing is left',
      text: 'bind lo {\n except 127.0.0.1 ::1\n}',
      error:
        "Corefile:2: bind: no address is left to listen on: 'lo' stands for 127.0.0.1 ::1, except takes away 127.0.0.1 ::1",
    },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(bind, text, { network: network(interfaces) })).toThrow(error);
  });

  it('says so where no device has an address', () => {
    expect(() => setup(bind, 'bind lo', { network: network([]) })).toThrow(
      'one of the devices with an address: there is none',
    );
  });
});
