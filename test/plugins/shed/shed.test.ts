import { describe, expect, it } from 'vitest';
import { belongsTo, socketsOf } from '../../../src/plugins/shed/kernel-drops.js';
import { shed } from '../../../src/plugins/shed/setup.js';
import { setup } from '../../support/block.js';
import { SERVER } from '../../support/dns.js';

const HEAD =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
const row = (local: string, drops: number): string =>
  ` 1234: ${local} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 54321 2 0000000000000000 ${drops}\n`;
const UDP =
  HEAD + row('0100007F:0035', 7) + row('0100007F:0035', 4) + row('00000000:0035', 100) + row('0100007F:0036', 9);
const UDP6 = HEAD + row('00000000000000000000000001000000:0035', 3) + row('00000000000000000000000000000000:0035', 20);

describe('kernel drops', () => {
  it('reads both tables', () => {
    expect(socketsOf(UDP).map(({ address, port, drops }) => [address, port, drops])).toEqual([
      ['127.0.0.1', 53, 7],
      ['127.0.0.1', 53, 4],
      ['0.0.0.0', 53, 100],
      ['127.0.0.1', 54, 9],
    ]);
    expect(socketsOf(UDP6).map(({ address }) => address)).toEqual(['::1', '::']);
    expect(socketsOf('nothing\nof the: kind\n\n')).toEqual([]);
  });

  it.each([
    { socket: '127.0.0.1', address: '127.0.0.1', want: true },
    { socket: '127.0.0.1', address: '', want: false },
    { socket: '::', address: '', want: true },
    { socket: '0.0.0.0', address: '', want: true },
    { socket: 'fe80::1', address: 'fe80::1%eth0', want: true },
    { socket: '::1', address: '127.0.0.1', want: false },
  ])('a socket of $socket belongs to "$address": $want', ({ socket, address, want }) => {
    expect(belongsTo({ address: socket, port: 53, drops: 0 }, address, 53)).toBe(want);
    expect(belongsTo({ address: socket, port: 54, drops: 0 }, address, 53)).toBe(false);
  });
});

describe('shed', () => {
  const shown = async (files: Record<string, string>): Promise<string[]> => {
    const { block } = setup(shed, 'shed', { files });
    return (await block.metrics.text()).split('\n').filter((line) => line.startsWith('coredns_shed_'));
  };
  const lines = (query: number): string[] => [
    `coredns_shed_dropped_total{reason="query",server="${SERVER.label}"} ${query}`,
    `coredns_shed_dropped_total{reason="response",server="${SERVER.label}"} 0`,
  ];

  it.each<{ name: string; files: Record<string, string>; want: string[] }>([
    { name: 'what the kernel dropped', files: { '/proc/net/udp': UDP, '/proc/net/udp6': UDP6 }, want: lines(11) },
    { name: 'nothing where there is no table', files: {}, want: lines(0) },
  ])('shows $name', async ({ files, want }) => expect(await shown(files)).toEqual(want));

  it('stops with its configuration', async () => {
    const { block } = setup(shed, 'shed', { files: { '/proc/net/udp': UDP } });
    await block.run('stop');
    expect(await block.metrics.text()).not.toContain('coredns_shed_dropped_total{');
  });

  it.each([
    { name: 'a second one', text: 'shed\nshed', error: '3: shed: got it a second time' },
    { name: 'an argument', text: 'shed 5', error: "2: shed: got 1 argument ('5'), allowed: no argument" },
    { name: 'a block', text: 'shed {\n}', error: '2: shed: got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) => expect(() => setup(shed, text)).toThrow(`Corefile:${error}`));
});
