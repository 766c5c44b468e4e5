import { installed } from './process.js';
import { addressOf, clientsOf, dir, write, type Command, type Peer, type Work } from './peer.js';

/** A server that is measured in cache hits alone. */
const cacheOnly = (name: string, program: string, start: (work: Work) => Command): Peer => ({
  name,
  available: () => installed(program),
  command: (work) => (work.kind !== 'cache' || (work.threads ?? 1) > 1 ? undefined : start(work)),
});

/** An authoritative server has no cache: it has the names in a zone. */
const nsd = cacheOnly('nsd', 'nsd', ({ port, address }) => {
  const names = Array.from({ length: 1000 }, (_, i) => `n${i + 1}.bench A 198.51.100.1`);
  const zone = write(
    'nsd-zone',
    ['$ORIGIN example.org.', '$TTL 300', '@ SOA ns host 1 7200 1800 86400 300', '@ NS ns', ...names, ''].join('\n'),
  );
  const config = [
    'server:',
    ' server-count: 1',
    ' rrl-ratelimit: 0',
    ` port: ${port}`,
    ` ip-address: ${addressOf({ address })}`,
    ' username: ""',
    ` zonesdir: "${dir}"`,
    ` xfrdir: "${dir}"`,
    ` pidfile: "${dir}/nsd.pid"`,
    ` xfrdfile: "${dir}/xfrd.state"`,
    ` zonelistfile: "${dir}/zone.list"`,
    ' database: ""',
    'remote-control:',
    ' control-enable: no',
    'zone:',
    ' name: example.org',
    ` zonefile: "${zone}"`,
  ];
  return { command: 'nsd', args: ['-d', '-c', write('nsd-conf', config.join('\n'))] };
});

const dnsdist = cacheOnly('dnsdist', 'dnsdist', ({ port, upstream, address }) => ({
  command: 'dnsdist',
  args: [
    '--supervised',
    '--disable-syslog',
    '-C',
    write(
      'dnsdist-conf',
      [
        `setLocal('${addressOf({ address })}:${port}')`,
        `setACL({'${clientsOf({ address })}'})`,
        `newServer({ address = '127.0.0.1:${upstream}', healthCheckMode = 'up' })`,
        "getPool(''):setCache(newPacketCache(10000, { maxTTL = 3600, minTTL = 0 }))",
      ].join('\n'),
    ),
  ],
}));

const recursor = cacheOnly('pdns-recursor', 'pdns_recursor', ({ port, upstream, address }) => ({
  command: 'pdns_recursor',
  args: [
    `--config-dir=${dir}`,
    `--socket-dir=${dir}`,
    '--daemon=no',
    '--threads=1',
    `--local-address=${addressOf({ address })}`,
    `--allow-from=${clientsOf({ address })}`,
    `--local-port=${port}`,
    `--forward-zones-recurse=.=127.0.0.1:${upstream}`,
    '--dont-query=',
    '--dnssec=off',
    '--minimum-ttl-override=3600',
    '--packetcache-ttl=3600',
    '--disable-syslog',
    '--quiet=yes',
  ],
}));

const kresd = cacheOnly('knot-resolver', 'kresd', ({ port, upstream, address }) => ({
  command: 'kresd',
  args: [
    '-n',
    '-c',
    write(
      'kresd-conf',
      [
        `net.listen('${addressOf({ address })}', ${port})`,
        "trust_anchors.remove('.')",
        'cache.size = 64 * MB',
        'cache.min_ttl(3600)',
        `policy.add(policy.all(policy.FORWARD('127.0.0.1@${upstream}')))`,
      ].join('\n'),
    ),
    dir,
  ],
}));

/** Servers whose cache, or zone, is measured beside ours. */
export const OTHER_SERVERS: readonly Peer[] = [nsd, dnsdist, recursor, kresd];
