import { describe, expect, it } from 'vitest';
import type { ArpEvent } from '../../src/datapath/events.js';
import { NamedLines } from '../../src/observe/tcpdump/named-lines.js';

const frame = (seq: number, targetIp: string): ArpEvent => ({
  kind: 'arp',
  time: 0,
  seq,
  node: 'a',
  netns: 'node/a',
  device: 'eth0',
  deviceIndex: 2,
  direction: 'In',
  operation: 'request',
  senderIp: '10.0.0.1',
  senderMac: '02:00:00:00:00:01',
  targetIp,
  targetMac: '00:00:00:00:00:00',
});
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Names that come when a test says so, and the frames that were printed, with what their addresses are called. */
function named() {
  const asked = new Map<string, (name: string | undefined) => void>();
  const printed: string[] = [];
  const lines = new NamedLines(
    (address) => new Promise((resolve) => void asked.set(address, resolve)),
    ({ seq, ...rest }) => printed.push(`${seq} ${rest.kind === 'arp' ? lines.nameOf(rest.targetIp) : ''}`),
  );
  return { lines, asked, printed };
}

describe('lines that wait for names', () => {
  it('are printed in their order, each when its names are there', async () => {
    const { lines, asked, printed } = named();
    lines.take(frame(1, '10.0.0.2'));
    lines.take(frame(2, '10.0.0.3'));
    asked.get('10.0.0.1')!('one');
    asked.get('10.0.0.3')!('three');
    await settled();
    expect([printed, lines.left]).toEqual([[], 2]);
    asked.get('10.0.0.2')!(undefined);
    await settled();
    expect([printed, lines.left]).toEqual([['1 10.0.0.2', '2 three'], 0]);
  });

  it('are printed once, where nobody waits any more', async () => {
    const { lines, asked, printed } = named();
    lines.take(frame(1, '10.0.0.2'));
    lines.flush();
    lines.take(frame(2, '10.0.0.3'));
    for (const address of ['10.0.0.1', '10.0.0.2']) asked.get(address)!('late');
    await settled();
    expect([printed, lines.left]).toEqual([['1 10.0.0.2'], 1]);
    asked.get('10.0.0.3')!('three');
    await settled();
    expect(printed).toEqual(['1 10.0.0.2', '2 three']);
  });
});
