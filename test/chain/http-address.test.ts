import { describe, expect, it } from 'vitest';
import { httpAddress } from '../../src/chain/index.js';
import { directives } from '../support/block.js';

const entry = (text: string): ReturnType<typeof directives>[0] => directives(`health ${text}`, 'health')[0];

describe('httpAddress', () => {
  it.each([
    { text: ':8080', address: '', port: 8080 },
    { text: '0.0.0.0:8080', address: '0.0.0.0', port: 8080 },
    { text: '127.0.0.1:0', address: '127.0.0.1', port: 0 },
    { text: 'localhost:8080', address: '127.0.0.1', port: 8080 },
    { text: '[2001:DB8:0::1]:8080', address: '2001:db8::1', port: 8080 },
    { text: '[fe80::1%eth0]:8080', address: 'fe80::1%eth0', port: 8080 },
  ])('reads $text', ({ text, address, port }) => {
    expect(httpAddress(entry(text), text)).toEqual({ address, port });
  });

  it.each([
    {
      text: 'localhost',
      error: "Corefile:2: health: address: got 'localhost', allowed: HOST:PORT, [IPV6]:PORT, :PORT",
    },
    {
      text: '127.0.0.1:99999',
      error: "Corefile:2: health: address: got '127.0.0.1:99999', allowed: HOST:PORT, [IPV6]:PORT, :PORT",
    },
    {
      text: 'pod.example:80',
      error:
        "Corefile:2: health: address: got 'pod.example:80', allowed: IP:PORT, [IPV6]:PORT, localhost:PORT, or :PORT for all addresses",
    },
    {
      text: '300.1.1.1:80',
      error:
        "Corefile:2: health: address: got '300.1.1.1:80', allowed: IP:PORT, [IPV6]:PORT, localhost:PORT, or :PORT for all addresses",
    },
  ])('refuses $text', ({ text, error }) => {
    expect(() => httpAddress(entry(text), text)).toThrow(error);
  });
});
