import { describe, expect, it } from 'vitest';
import { FlagError } from '../../src/lib/go-flags.js';
import {
  NODE_CACHE_FLAGS,
  NodeCacheFlagError,
  nodeCacheUsage,
  parseNodeCacheFlags,
} from '../../src/nodelocal/flags.js';

const LOCAL = ['-localip', '169.254.20.10,10.96.0.10'];

describe('parseNodeCacheFlags', () => {
  it('has the defaults of node-cache', () => {
    expect(parseNodeCacheFlags(LOCAL)).toEqual({
      localIps: ['169.254.20.10', '10.96.0.10'],
      dnsPort: 53,
      healthPort: 8080,
      setupInterface: true,
      interfaceName: 'nodelocaldns',
      setupRules: true,
      backend: 'iptables',
      iptablesMode: 'auto',
      skipTeardown: false,
      syncInterval: 60_000,
      upstreamService: 'kube-dns',
      kubeDnsFolder: '',
      baseCorefile: '/etc/coredns/Corefile.base',
      corefile: 'Corefile',
      pidfile: '',
      takeover: '',
      metricsAddress: { address: '0.0.0.0', port: 9353 },
      prometheusAddress: ':9253',
      reloadWithSignal: false,
      autopath: false,
      nodeName: '',
      dryRun: false,
      quiet: false,
      logFormat: 'text',
      io: { mode: 'auto', workers: expect.any(Number) as number },
      ask: undefined,
    });
  });

  it.each([
    {
      name: 'addresses of both families',
      args: ['-localip', '169.254.20.10,fd00::10'],
      want: { localIps: ['169.254.20.10', 'fd00::10'] },
    },
    {
      name: 'the rendered Corefile by -conf',
      args: [...LOCAL, '-conf', '/a', '-corefile', '/b'],
      want: { corefile: '/a' },
    },
    { name: 'the rendered Corefile by -corefile', args: [...LOCAL, '-corefile', '/b'], want: { corefile: '/b' } },
    { name: 'the template', args: [...LOCAL, '-basecorefile=/t'], want: { baseCorefile: '/t' } },
    { name: 'the ConfigMap', args: [...LOCAL, '-kubednscm', '/cm'], want: { kubeDnsFolder: '/cm' } },
    {
      name: 'the service',
      args: [...LOCAL, '-upstreamsvc', 'kube-dns-upstream'],
      want: { upstreamService: 'kube-dns-upstream' },
    },
    { name: 'no link', args: [...LOCAL, '-setupinterface=false'], want: { setupInterface: false } },
    { name: 'another link', args: [...LOCAL, '-interfacename', 'dns-0.a_b'], want: { interfaceName: 'dns-0.a_b' } },
    { name: 'no rules', args: [...LOCAL, '-setupiptables=0'], want: { setupRules: false } },
    { name: 'rules by nft', args: [...LOCAL, '-backend', 'nft'], want: { backend: 'nft' } },
    { name: 'leaving things behind', args: [...LOCAL, '-skipteardown'], want: { skipTeardown: true } },
    { name: 'an interval as written', args: [...LOCAL, '-syncinterval', '90s'], want: { syncInterval: 90_000 } },
    { name: 'an interval of a day', args: [...LOCAL, '-syncinterval', '24h'], want: { syncInterval: 86_400_000 } },
    { name: 'an interval in seconds', args: [...LOCAL, '-syncinterval', '30'], want: { syncInterval: 30_000 } },
    {
      name: 'an interval in the nanoseconds that node-cache takes for seconds',
      args: [...LOCAL, '-syncinterval', '60ns'],
      want: { syncInterval: 60_000 },
    },
    {
      name: 'ports',
      args: [...LOCAL, '-health-port', '8081', '-dns.port', '1053'],
      want: { healthPort: 8081, dnsPort: 1053 },
    },
    {
      name: 'the first and the last port',
      args: [...LOCAL, '-health-port', '1', '-dns.port', '65535', '-metrics-listen-address', ':65535'],
      want: { healthPort: 1, dnsPort: 65_535, metricsAddress: { address: '', port: 65_535 } },
    },
    {
      name: 'metrics at an IPv6 address',
      args: [...LOCAL, '-metrics-listen-address', '[::1]:9999'],
      want: { metricsAddress: { address: '::1', port: 9999 } },
    },
    {
      name: 'metrics everywhere',
      args: [...LOCAL, '-metrics-listen-address', ':9999'],
      want: { metricsAddress: { address: '', port: 9999 } },
    },
    {
      name: 'metrics at localhost',
      args: [...LOCAL, '-metrics-listen-address', 'localhost:0'],
      want: { metricsAddress: { address: '127.0.0.1', port: 0 } },
    },
    { name: 'reloads by signal', args: [...LOCAL, '-reloadwithsignal'], want: { reloadWithSignal: true } },
    { name: 'a walk', args: [...LOCAL, '-autopath', '-nodename', 'w1'], want: { autopath: true, nodeName: 'w1' } },
    { name: 'a dry run with two dashes', args: [...LOCAL, '--dry-run'], want: { dryRun: true } },
    {
      name: 'pidfile, quiet and log format',
      args: [...LOCAL, '-pidfile', '/p', '-quiet', '-log.format', 'json'],
      want: { pidfile: '/p', quiet: true, logFormat: 'json' },
    },
    {
      name: 'how datagrams are taken',
      args: [...LOCAL, '-io', 'batched', '-workers', '2'],
      want: { io: { mode: 'batched', workers: 2 } },
    },
    { name: 'a question for the plugins', args: ['-plugins'], want: { ask: 'plugins', localIps: [] } },
    { name: 'a question for the version', args: ['-version'], want: { ask: 'version', localIps: [] } },
  ])('takes $name', ({ args, want }) => expect(parseNodeCacheFlags(args)).toMatchObject(want));

  it.each([
    { name: 'nothing but a comma', args: ['-localip', ','], error: 'invalid localip specified - ""' },
    { name: 'two commas at the end', args: ['-localip', '10.0.0.1,,'], error: 'invalid localip specified - ""' },
    { name: 'no address', args: [], error: 'invalid localip specified - ""' },
    { name: 'a word for an address', args: ['-localip', 'nonsense'], error: 'invalid localip specified - "nonsense"' },
    {
      name: 'one bad address among good ones',
      args: ['-localip', '169.254.20.10,10.96.0'],
      error: 'invalid localip specified - "10.96.0"',
    },
    {
      name: 'a blank between addresses',
      args: ['-localip', '169.254.20.10, 10.96.0.10'],
      error: 'invalid localip specified - " 10.96.0.10"',
    },
    { name: 'a word for the DNS port', args: [...LOCAL, '-dns.port', 'x'], error: 'invalid port specified - "x"' },
    {
      name: 'a port that does not exist',
      args: [...LOCAL, '-dns.port', '65536'],
      error: 'invalid port specified - "65536"',
    },
    {
      name: 'a word for the health port',
      args: [...LOCAL, '-health-port', 'x'],
      error: 'invalid healthcheck port specified - "x"',
    },
    { name: 'health port 0', args: [...LOCAL, '-health-port', '0'], error: 'invalid healthcheck port specified - "0"' },
    {
      name: 'a link name that is too long',
      args: [...LOCAL, '-interfacename', 'sixteencharacter'],
      error:
        'invalid interfacename specified - "sixteencharacter", want 1 to 15 letters, digits, _, . or -, the first no -',
    },
    {
      name: 'a link that is an option',
      args: [...LOCAL, '-interfacename=-d'],
      error: 'invalid interfacename specified - "-d", want 1 to 15 letters, digits, _, . or -, the first no -',
    },
    {
      name: 'another backend',
      args: [...LOCAL, '-backend', 'ipvs'],
      error: 'invalid backend specified - "ipvs", want iptables or nft',
    },
    {
      name: 'another log format',
      args: [...LOCAL, '-log.format', 'xml'],
      error: 'invalid log.format specified - "xml", want text or json',
    },
    {
      name: 'another way to take datagrams',
      args: [...LOCAL, '-io', 'fast'],
      error: "invalid -io: expected auto, batched, kernel, dgram or kernel=DEVICE,..., got 'fast'",
    },
    { name: 'no thread', args: [...LOCAL, '-workers', '0'], error: "invalid -workers: expected 1 to 16, got '0'" },
    {
      name: 'metrics at a name',
      args: [...LOCAL, '-metrics-listen-address', 'node:1'],
      error: 'invalid metrics-listen-address specified - "node:1", want IP:PORT, [IPV6]:PORT or :PORT',
    },
    {
      name: 'metrics at a port that is none',
      args: [...LOCAL, '-metrics-listen-address', ':65536'],
      error: 'invalid metrics-listen-address specified - ":65536", want IP:PORT, [IPV6]:PORT or :PORT',
    },
    {
      name: 'metrics without port',
      args: [...LOCAL, '-metrics-listen-address', '0.0.0.0'],
      error: 'invalid metrics-listen-address specified - "0.0.0.0", want IP:PORT, [IPV6]:PORT or :PORT',
    },
    {
      name: 'an interval of more than a day',
      args: [...LOCAL, '-syncinterval', '24h1s'],
      error: 'invalid syncinterval specified - "24h1s", want 1s to 24h',
    },
    {
      name: 'an interval of half a second',
      args: [...LOCAL, '-syncinterval', '500ms'],
      error: 'invalid syncinterval specified - "500ms", want 1s to 24h',
    },
    {
      name: 'an interval of no time',
      args: [...LOCAL, '-syncinterval', '0'],
      error: 'invalid syncinterval specified - "0", want 1s to 24h',
    },
    {
      name: 'an interval of two days',
      args: [...LOCAL, '-syncinterval', '48h'],
      error: 'invalid syncinterval specified - "48h", want 1s to 24h',
    },
    { name: 'a word too many', args: [...LOCAL, 'serve'], error: 'unexpected argument - "serve"' },
  ])('refuses $name', ({ args, error }) =>
    expect(() => parseNodeCacheFlags(args)).toThrow(new NodeCacheFlagError(error)),
  );

  it.each([
    { name: 'an unknown flag', args: ['-nosuchflag'], error: 'flag provided but not defined: -nosuchflag' },
    {
      name: 'an interval that is no duration',
      args: [...LOCAL, '-syncinterval', 'often'],
      error: 'invalid value "often" for flag -syncinterval: parse error',
    },
    {
      name: 'a boolean that is none',
      args: [...LOCAL, '-setupiptables=maybe'],
      error: 'invalid boolean value "maybe" for -setupiptables: parse error',
    },
  ])('refuses $name with the usage', ({ args, error }) =>
    expect(() => parseNodeCacheFlags(args)).toThrow(new FlagError(error)),
  );
});

describe('nodeCacheUsage', () => {
  it('begins as that of node-cache and lists each flag', () => {
    const text = nodeCacheUsage('1.2.3');
    expect(text.split('\n').slice(0, 3)).toEqual([
      'Usage of node-cache:',
      'Serves DNS on a node by nodens 1.2.3, from a cache beside the pods, at the addresses of -localip',
      '',
    ]);
    expect(NODE_CACHE_FLAGS.filter(({ name, help }) => !text.includes(`  -${name}`) || !text.includes(help))).toEqual(
      [],
    );
  });
});
