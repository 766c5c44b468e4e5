import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DatapathConfig } from '../../src/datapath/config.js';
import { iptablesSave } from '../../src/observe/host-lists.js';
import { lab } from './lab.js';

/** All rules that agents and kube-proxy write: more than the recordings hold, which show what changed only. */
const CASES: readonly { name: string; config: Partial<DatapathConfig> }[] = [
  { name: 'routes of endpoints, kube-proxy', config: { kubeProxy: true } },
  { name: 'neither', config: { endpointRoutes: false, installNoConntrackRules: false } },
  {
    name: 'masquerading of what leaves the block of the node',
    config: { masquerade: 'iptables', hostRouting: 'legacy', nativeRoutingCidr: undefined },
  },
  {
    name: 'masquerading on two devices of what leaves the native network',
    config: { masquerade: 'iptables', hostRouting: 'legacy', masqueradeDevices: ['eth0', 'eth1'] },
  },
];

const lists = new Map(
  readFileSync(new URL('data/rule-lists.txt', import.meta.url), 'utf8')
    .split(/^\$ /m)
    .slice(1)
    .map((block) => [block.slice(0, block.indexOf('\n')), block.trimEnd().split('\n').slice(1)] as const),
);

describe('iptables-save', () => {
  it.each(CASES)('$name', ({ name, config }) => {
    const { world } = lab(config);
    const lines = iptablesSave(world.node('k8s-w1'), { now: 0 }).filter((line) => !line.startsWith('#'));
    expect(lines).toEqual(lists.get(name));
  });
});
