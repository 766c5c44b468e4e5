import { expect, it } from 'vitest';
import type { NetNs } from '../../src/datapath/netns/netns.js';
import { socketList } from '../../src/observe/host-tools.js';

const peer = { ip: '10.0.0.9', port: 50_000 };
const NETNS = {
  ports: {
    list: () => [
      { protocol: 'TCP', localAddress: '', localPort: 80 },
      { protocol: 'TCP', localAddress: '10.0.0.1', localPort: 80, peer },
      { protocol: 'UDP', localAddress: '::', localPort: 53 },
      { protocol: 'UDP', localAddress: 'fd00::1', localPort: 53, peer: { ip: 'fd00::9', port: 50_000 } },
    ],
  },
} as unknown as NetNs;

it.each([
  { name: 'TCP that waits', query: { tcp: true, listening: true }, want: ['LISTEN 0 4096 0.0.0.0:80 0.0.0.0:*'] },
  { name: 'TCP that talks', query: { tcp: true, connected: true }, want: ['ESTAB 0 0 10.0.0.1:80 10.0.0.9:50000'] },
  { name: 'UDP that waits', query: { udp: true, listening: true }, want: ['UNCONN 0 0 [::]:53 [::]:*'] },
  { name: 'UDP that talks', query: { udp: true, connected: true }, want: ['ESTAB 0 0 [fd00::1]:53 [fd00::9]:50000'] },
  {
    name: 'all that waits',
    query: { tcp: true, udp: true, listening: true },
    want: ['tcp LISTEN 0 4096 0.0.0.0:80 0.0.0.0:*', 'udp UNCONN 0 0 [::]:53 [::]:*'],
  },
  { name: 'none', query: { listening: true, connected: true }, want: [] },
])('ss lists $name', ({ query, want }) => {
  const [, ...rows] = socketList(NETNS, { tcp: false, udp: false, listening: false, connected: false, ...query });
  expect(rows.map((row) => row.trim().split(/\s+/).join(' '))).toEqual(want);
});

it('ss has two blanks between its columns', () =>
  expect(socketList(NETNS, { tcp: true, udp: true, listening: true, connected: false })).toEqual([
    'Netid  State   Recv-Q  Send-Q  Local Address:Port  Peer Address:Port',
    'tcp    LISTEN  0       4096    0.0.0.0:80          0.0.0.0:*',
    'udp    UNCONN  0       0       [::]:53             [::]:*',
  ]));
