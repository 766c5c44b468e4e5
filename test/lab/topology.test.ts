import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { Lab } from '../../src/lab/lab.js';
import { drive } from '../../src/lab/session/driven-clock.js';
import { parseTopology } from '../../src/lab/topology/parse.js';

const GOOD = `name: small
cluster: { dns: 10.96.0.10, serviceCidr: 10.96.0.0/16 }
nodes:
  - name: one
    resolvConf: "nameserver 10.0.0.2"
    interfaces: [{ name: eth0, addresses: [10.0.0.1/24], segment: lan }]
`;
const noFile = (file: string): never => {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT', path: file });
};
const parse = (text: string): unknown => parseTopology('t.yaml', text, noFile);

describe('parseTopology', () => {
  it('fills in what is left out', () => {
    expect(parse(GOOD)).toMatchObject({
      name: 'small',
      seed: 1,
      cluster: { domain: 'cluster.local' },
      localRedirectPolicy: false,
      hosts: [],
      ipam: { mode: 'cluster-pool' },
    });
  });

  it.each([
    { name: 'text that is no YAML', text: `${GOOD}x: [`, error: 't.yaml:7:5: ' },
    {
      name: 'a name that is empty',
      text: GOOD.replace('small', '""'),
      error: 't.yaml:1:7: name: got "", allowed: text',
    },
    {
      name: 'a name that is a number',
      text: GOOD.replace('small', '3'),
      error: 't.yaml:1:7: name: got 3, allowed: text',
    },
    {
      name: 'an anchor that is not there',
      text: `${GOOD}hosts: [*h]`,
      error: 't.yaml:7:9: got the alias *h, allowed: an anchor that stands before it',
    },
    {
      name: 'an anchor of what the alias is part of',
      text: `${GOOD}hosts: &h [*h]`,
      error: 't.yaml:7:12: got the alias *h, allowed: an anchor that stands before it',
    },
    { name: 'text that is no topology', text: 'nodes', error: /^t.yaml:1:1: got "nodes", allowed: a mapping$/ },
    {
      name: 'a place within a list of texts',
      text: GOOD.replace('10.0.0.1/24', '10.0.0.1/24, []'),
      error: 't.yaml:6:57: nodes[0].interfaces[0].addresses[1]: got a list, allowed: text',
    },
    {
      name: 'an unknown key of a pool',
      text: `${GOOD}cilium: { ipam: { pools: [{ cidr: x }] } }`,
      error: 't.yaml:7:29: cilium.ipam.pools[0].cidr: unknown key, allowed: name, cidrs, maskSize',
    },
    {
      name: 'a setting that is wrong deep inside',
      text: `${GOOD}cilium: { settings: { ipMasqAgent: { nonMasqueradeCIDRs: [x] } } }`,
      error: `t.yaml:7:36: cilium.settings.ipMasqAgent: "x" is no address block`,
    },
    {
      name: 'a Corefile of another name',
      text: `${GOOD}corefiles: { a: x, b: y }\nhosts: [{ name: h, corefile: c }]`,
      error: 't.yaml:8:30: hosts[0].corefile: got "c", allowed: a key of corefiles (a, b)',
    },
    {
      name: 'a manifest of both kinds',
      text: `${GOOD}manifests: [{ file: x.yaml, inline: x }]`,
      error: 't.yaml:7:13: manifests[0]: got both or none of file and inline, allowed: one of them',
    },
    {
      name: 'an unknown key',
      text: `${GOOD}nods: []`,
      error:
        't.yaml:7:1: nods: unknown key, allowed: name, seed, cluster, cilium, corefiles, nodes, hosts, pins, manifests',
    },
    {
      name: 'an unknown key deep inside',
      text: GOOD.replace('segment', 'link'),
      error:
        't.yaml:6:58: nodes[0].interfaces[0].link: unknown key, allowed: name, addresses, segment, mac, mtu, gateway, dhcp',
    },
    {
      name: 'no nodes',
      text: GOOD.replace(/nodes:[\s\S]*/, ''),
      error: 'nodes: got nothing, allowed: a list with a node or more',
    },
    { name: 'no name', text: GOOD.replace('name: small', 'seed: 1'), error: 'name: got nothing, allowed: text' },
    {
      name: 'a seed that is no number',
      text: `${GOOD}seed: x`,
      error: 't.yaml:7:7: seed: got "x", allowed: a whole number from 0 to 2147483647',
    },
    {
      name: 'an address that is none',
      text: GOOD.replace('10.96.0.10', 'dns'),
      error: 't.yaml:2:17: cluster.dns: got "dns", allowed: an IP address',
    },
    {
      name: 'a block that is none',
      text: GOOD.replace('10.96.0.0/16', '10.96/16'),
      error: 'cluster.serviceCidr: got "10.96/16", allowed: an address block such as 10.96.0.0/16',
    },
    {
      name: 'a list in place of a mapping',
      text: `${GOOD}cilium: [1]`,
      error: 't.yaml:7:9: cilium: got a list, allowed: a mapping',
    },
    {
      name: 'a mapping in place of a list',
      text: `${GOOD}hosts: { a: 1 }`,
      error: 't.yaml:7:8: hosts: got a mapping, allowed: a list',
    },
    {
      name: 'a setting that does not exist',
      text: `${GOOD}cilium: { settings: { mode: x } }`,
      error: 't.yaml:7:23: cilium.settings.mode: unknown key',
    },
    {
      name: 'a setting out of its range',
      text: `${GOOD}cilium: { settings: { routing: ipip } }`,
      error: 't.yaml:7:32: cilium.settings.routing: got "ipip", want one of native, vxlan, geneve',
    },
    {
      name: 'an IPAM mode that does not exist',
      text: `${GOOD}cilium: { ipam: { mode: eni } }`,
      error: 't.yaml:7:25: cilium.ipam.mode: got "eni", allowed: kubernetes, cluster-pool, multi-pool',
    },
    {
      name: 'a flag that is none',
      text: `${GOOD}cilium: { localRedirectPolicy: 3 }`,
      error: 'cilium.localRedirectPolicy: got 3, allowed: true or false',
    },
    {
      name: 'a Corefile that is not there',
      text: `${GOOD}hosts: [{ name: h, corefile: world }]`,
      error: 't.yaml:7:30: hosts[0].corefile: got "world", allowed: a key of corefiles (none is there)',
    },
    {
      name: 'a workload that cannot be',
      text: `${GOOD}pins: { pods: [{ name: a, of: job/x }] }`,
      error: 't.yaml:7:31: pins.pods[0].of: got "job/x", allowed: deployment/NAME or daemonset/NAME',
    },
    {
      name: 'an identity out of its range',
      text: `${GOOD}pins: { pods: [{ name: a, identity: 5 }] }`,
      error: 'pins.pods[0].identity: got 5, allowed: a whole number from 256 to 65535',
    },
    {
      name: 'a manifest of no kind',
      text: `${GOOD}manifests: [{}]`,
      error: 't.yaml:7:13: manifests[0]: got both or none of file and inline, allowed: one of them',
    },
    {
      name: 'a manifest file that is not there',
      text: `${GOOD}manifests: [{ file: x.yaml }]`,
      error: 't.yaml:7:21: manifests[0].file: cannot read x.yaml: no such file',
    },
    {
      name: 'a manifest that is no YAML',
      text: `${GOOD}manifests:\n  - inline: |\n      kind: Pod\n      kind: Pod\n`,
      error: 't.yaml:10:1: Map keys must be unique',
    },
  ])('refuses $name', ({ text, error }) => {
    expect(() => parse(text)).toThrow(error);
  });
});

describe('Lab.create', () => {
  const create = async (more: string): Promise<unknown> => {
    const clock = new ManualClock();
    const made = drive(clock, Lab.create(parseTopology('t.yaml', GOOD + more, noFile), { clock }));
    return made.then((lab) => drive(clock, lab.stop()));
  };
  const manifest = (...lines: string[]): string =>
    `manifests:\n  - inline: |\n${lines.map((line) => `      ${line}\n`).join('')}`;

  it('makes a small cluster', async () => {
    await expect(create('')).resolves.toBeUndefined();
  });

  it.each([
    {
      name: 'a device twice',
      more: 'hosts: [{ name: h, interfaces: [{ name: a, addresses: [10.0.0.1/24], segment: lan }] }]',
      error: "hosts.h.interfaces[0].addresses: 10.0.0.1 is already one's on link lan",
    },
    {
      name: 'an object of an unknown kind',
      more: manifest('apiVersion: batch/v1', 'kind: Job', 'metadata: { name: a }'),
      error: 't.yaml:9:1: no matches for kind "Job" in version "batch/v1"',
    },
    {
      name: 'a redirect policy without the setting',
      more: manifest(
        'apiVersion: cilium.io/v2',
        'kind: CiliumLocalRedirectPolicy',
        'metadata: { name: a, namespace: default }',
      ),
      error: 't.yaml:9:1: no matches for kind "CiliumLocalRedirectPolicy"',
    },
    {
      name: 'a pod for a node that is not there',
      more: manifest('apiVersion: v1', 'kind: Pod', 'metadata: { name: a }', 'spec: { nodeName: two, containers: [] }'),
      error: 'pods.default/a.node: there is no node named two',
    },
    {
      name: 'a workload that fits nowhere',
      more: manifest(
        'apiVersion: apps/v1',
        'kind: Deployment',
        'metadata: { name: a }',
        'spec: { template: { spec: { nodeSelector: { kubernetes.io/hostname: two } } } }',
      ),
      error: 'Deployment default/a: no node fits its nodeSelector; there are one',
    },
    {
      name: 'a policy of DNS that does not exist',
      more: manifest('apiVersion: v1', 'kind: Pod', 'metadata: { name: a }', 'spec: { dnsPolicy: Mine }'),
      error: 'spec.dnsPolicy: got "Mine", allowed: ClusterFirst, ClusterFirstWithHostNet, Default, None',
    },
    {
      name: 'a server that does not start',
      more: manifest(
        'apiVersion: v1',
        'kind: Pod',
        'metadata: { name: a }',
        'spec: { containers: [{ image: coredns, args: [-conf, /x] }] }',
      ),
      error: "pod default/a did not start: [ERROR] ENOENT: no such file or directory, open '/x'",
    },
  ])('refuses $name', async ({ more, error }) => {
    await expect(create(more)).rejects.toThrow(error);
  });
});
