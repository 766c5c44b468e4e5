import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LAB_FOLDER, loadTopology, shownName } from '../../src/lab/topology/load.js';
import { parseTopology } from '../../src/lab/topology/parse.js';

const GOOD = `name: small
cluster: { dns: 10.96.0.10, serviceCidr: 10.96.0.0/16 }
nodes:
  - name: one
    resolvConf: "nameserver 10.0.0.2"
    interfaces: [{ name: eth0, addresses: [10.0.0.1/24], segment: lan }]
`;
const parse = (text: string): unknown => parseTopology('t.yaml', text, () => '');

describe('a topology', () => {
  it('has all that a file says of nodes, hosts and pins, and nothing of what it does not say', () => {
    const nic = {
      name: 'eth1',
      addresses: ['10.0.0.3/24'],
      segment: 'lan',
      mac: '02:00:00:00:00:01',
      mtu: 1500,
      gateway: '10.0.0.254',
      dhcp: { dns: '10.0.0.53', metric: 100 },
    };
    const bare = { name: 'eth1', addresses: [] };
    const routes = [{ to: '10.9.0.0/16', via: '10.0.0.9', device: 'eth1' }, { to: 'default' }];
    const node = {
      name: 'two',
      interfaces: [nic, { ...bare, dhcp: {} }, bare],
      routes,
      externalIps: ['192.0.2.1'],
      apiServer: true,
      resolvConf: 'nameserver 10.0.0.2',
      internalIp: '10.0.0.3',
      podCidr: '10.244.1.0/24',
      routerIp: '10.244.1.1',
      hostEndpointId: 7,
    };
    const plain = { name: 'three', interfaces: [], routes: [], externalIps: [], apiServer: false, resolvConf: 'x' };
    const host = { name: 'h', interfaces: [nic], routes, forward: true, upstream: true, delay: 5, web: 'hello' };
    const quiet = { name: 'q', interfaces: [], routes: [], forward: false, upstream: false, delay: 0 };
    const place = { node: 'two', ip: '10.244.1.9', identity: 300, endpointId: 9, device: 'lxc1', ifindex: 4 };
    const pod = { namespace: 'shop', name: 'a', of: 'daemonset/a', ...place, mac: nic.mac, nodeMac: nic.mac };
    const pinned = { name: 's', clusterIP: '10.96.0.9' };
    const file = {
      name: 'all',
      seed: 4,
      cluster: { domain: 'example.test', dns: '10.96.0.10', serviceCidr: '10.96.0.0/16' },
      cilium: { settings: { routing: 'native' }, ipam: { mode: 'multi-pool', pools: [] }, localRedirectPolicy: true },
      corefiles: { world: '. {\n}\n' },
      nodes: [node, { name: 'three', resolvConf: 'x' }],
      hosts: [{ ...host, corefile: 'world' }, { name: 'q' }],
      pins: { pods: [pod, { name: 'b' }], services: [{ namespace: 'shop', ...pinned, firstId: 3 }, pinned] },
    };
    expect(parse(JSON.stringify(file))).toEqual({
      name: 'all',
      seed: 4,
      cluster: file.cluster,
      settings: { routing: 'native' },
      ipam: { mode: 'multi-pool', pools: [] },
      localRedirectPolicy: true,
      nodes: [node, plain],
      hosts: [{ ...host, corefile: '. {\n}\n' }, quiet],
      podPins: [pod, { namespace: 'default', name: 'b' }],
      servicePins: [
        { namespace: 'shop', ...pinned, firstId: 3 },
        { namespace: 'default', ...pinned },
      ],
      manifests: [],
    });
  });

  it.each([
    { name: 'mtu', at: 'hosts: [{ name: h, interfaces: [{ name: a, mtu: N }] }]', least: 68, most: 65_535 },
    {
      name: 'metric',
      at: 'hosts: [{ name: h, interfaces: [{ name: a, dhcp: { metric: N } }] }]',
      least: 0,
      most: 2_147_483_647,
    },
    { name: 'delay', at: 'hosts: [{ name: h, delay: N }]', least: 0, most: 10_000 },
    { name: 'identity', at: 'pins: { pods: [{ name: a, identity: N }] }', least: 256, most: 65_535 },
    { name: 'endpointId', at: 'pins: { pods: [{ name: a, endpointId: N }] }', least: 1, most: 4095 },
    { name: 'ifindex', at: 'pins: { pods: [{ name: a, ifindex: N }] }', least: 1, most: 2_147_483_647 },
    {
      name: 'firstId',
      at: 'pins: { services: [{ name: a, clusterIP: 10.96.0.9, firstId: N }] }',
      least: 1,
      most: 65_535,
    },
    {
      name: 'hostEndpointId',
      at: 'nodes: [{ name: one, resolvConf: x, hostEndpointId: N }]',
      least: 1,
      most: 4095,
    },
    { name: 'seed', at: 'seed: N', least: 0, most: 2_147_483_647 },
  ])('takes $name from $least to $most', ({ at, least, most, name }) => {
    const head = at.startsWith('nodes') ? GOOD.replace(/nodes:[\s\S]*/, '') : GOOD;
    const said = (value: number): unknown => parse(head + at.replace('N', String(value)));
    for (const value of [least, most]) expect(JSON.stringify(said(value))).toContain(`"${name}":${value}`);
    for (const value of [least - 1, most + 1, least + 0.5])
      expect(() => said(value)).toThrow(`got ${value}, allowed: a whole number from ${least} to ${most}`);
  });

  it('takes what a key without a value stands for as not said', () => {
    expect(parse(`${GOOD}seed:\nhosts:\ncilium:\n`)).toMatchObject({ seed: 1, hosts: [], settings: {} });
  });

  it('takes what an anchor names, and reads the files beside it', () => {
    const text = `${GOOD}hosts: [&h { name: h, interfaces: [{ name: &n a }] }, { name: *n, delay: 1 }]\nmanifests: [{ file: m/a.yaml }]\n`;
    const read = (file: string): string => `apiVersion: v1\nkind: Pod\nmetadata: { name: "${file}" }\n`;
    const { hosts, manifests } = parseTopology('lab/t.yaml', text, read);
    expect(hosts.map(({ name }) => name)).toEqual(['h', 'a']);
    expect(manifests).toMatchObject([
      { kind: 'Pod', place: 'lab/m/a.yaml:1:1', raw: { metadata: { name: 'lab/m/a.yaml' } } },
    ]);
  });
});

describe('loadTopology', () => {
  it('knows those that come along, by name', () => {
    expect(loadTopology('two-nodes').nodes.map((node) => node.name)).toEqual(['k8s-ctr', 'k8s-w1']);
    expect(loadTopology(`${LAB_FOLDER}/two-nodes.yaml`).name).toBe('two-nodes');
  });

  it('says what is not there', () => {
    expect(() => loadTopology('nosuch')).toThrow(
      /^nosuch: there is no such topology, allowed: a file, or one of (?:[a-z0-9-]+, )*kind, (?:[a-z0-9-]+, )*two-nodes$/,
    );
  });

  it('says why a file cannot be read', () => {
    expect(() => loadTopology(LAB_FOLDER)).toThrow(`${LAB_FOLDER}: EISDIR`);
  });

  it.each([
    {
      name: 'below the working directory by the way to them',
      file: path.resolve('lab/kind.yaml'),
      want: 'lab/kind.yaml',
    },
    { name: 'elsewhere by their name', file: path.resolve('../elsewhere/own.yaml'), want: 'own.yaml' },
  ])('names files $name', ({ file, want }) => expect(shownName(file)).toBe(want));
});
