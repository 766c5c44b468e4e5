// Cases whose answers were recorded from CoreDNS 1.13.2 (answers.json). Order of records in a section and the SOA serial are not compared; sizes are.
const K8S = `.:{PORT} {
    bind 127.0.0.1
    errors
    log
    health 127.0.0.1:{HEALTH} {
        lameduck 1s
    }
    ready 127.0.0.1:{READY}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        endpoint {API}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus 127.0.0.1:{METRICS}
    forward . {UP} {
        max_concurrent 1000
    }
    cache 30 {
        disable success cluster.local
        disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`;
const q = (name, type = 'A', o = {}) => ({ name, type, ...o });
const S = '.default.svc.cluster.local.';
const waitFor = q('webpod' + S);

export const sets = [
  {
    name: 'kubernetes',
    corefile: K8S,
    manifests: 'lab-cluster.yaml',
    waitFor,
    steps: [
      ...['webpod', 'kubernetes', 'db', 'peers', 'idle', 'idle-headless', 'search-engine', 'dual', 'nosuch'].flatMap(
        (n) => ['A', 'AAAA', 'SRV', 'TXT'].map((t) => q(n + S, t)),
      ),
      q('kube-dns.kube-system.svc.cluster.local.'),
      q('_dns._udp.kube-dns.kube-system.svc.cluster.local.', 'SRV'),
      q('_dns-tcp._tcp.kube-dns.kube-system.svc.cluster.local.', 'SRV'),
      q('_metrics._tcp.kube-dns.kube-system.svc.cluster.local.', 'SRV'),
      q('_nosuch._tcp.kube-dns.kube-system.svc.cluster.local.', 'SRV'),
      q('_dns._tcp.kube-dns.kube-system.svc.cluster.local.', 'SRV'),
      q('_http._tcp.webpod' + S, 'SRV'),
      q('_postgres._tcp.db' + S, 'SRV'),
      q('_gossip._udp.db' + S, 'SRV'),
      q('_http._tcp.peers' + S, 'SRV'),
      q('_http._tcp.dual' + S, 'SRV'),
      q('_postgres._tcp.db' + S, 'A'),
      q('db-0.db' + S),
      q('db-1.db' + S),
      q('db-2.db' + S),
      q('db-0.db' + S, 'AAAA'),
      q('db-0.db' + S, 'SRV'),
      q('172-20-1-60.peers' + S),
      q('172-20-1-61.peers' + S),
      q('172-20-1-62.peers' + S),
      q('a.b.db' + S),
      q('cluster.local.', 'SOA'),
      q('cluster.local.', 'NS'),
      q('cluster.local.', 'A'),
      q('ns.dns.cluster.local.'),
      q('ns.dns.cluster.local.', 'AAAA'),
      q('dns-version.cluster.local.', 'TXT'),
      q('svc.cluster.local.'),
      q('default.svc.cluster.local.'),
      q('empty.svc.cluster.local.'),
      q('nosuchns.svc.cluster.local.'),
      q('webpod.nosuchns.svc.cluster.local.'),
      q('pod.cluster.local.'),
      q('default.pod.cluster.local.'),
      q('foo.cluster.local.'),
      q('webpod.default.cluster.local.'),
      q('kube-system.svc.cluster.local.', 'NS'),
      q('172-20-1-236.default.pod.cluster.local.'),
      q('1-2-3-4.default.pod.cluster.local.'),
      q('1-2-3-4.nosuchns.pod.cluster.local.'),
      q('1-2-3.default.pod.cluster.local.'),
      q('fd00-244--70.default.pod.cluster.local.', 'AAAA'),
      q('1-2-3-4.default.pod.cluster.local.', 'AAAA'),
      q('abc.default.pod.cluster.local.'),
      q('212.152.96.10.in-addr.arpa.', 'PTR'),
      q('10.0.96.10.in-addr.arpa.', 'PTR'),
      q('50.1.20.172.in-addr.arpa.', 'PTR'),
      q('60.1.20.172.in-addr.arpa.', 'PTR'),
      q('236.1.20.172.in-addr.arpa.', 'PTR'),
      q('0.3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.0.d.f.ip6.arpa.', 'PTR'),
      q('9.9.9.9.in-addr.arpa.', 'PTR'),
      q('WebPod.Default.SVC.Cluster.LOCAL.'),
      q('webpod' + S, 'A', { edns: 1232 }),
      q('webpod' + S, 'A', { edns: 1232, do: true }),
      q('webpod' + S, 'A', { rd: false }),
      q('webpod' + S, 'A', { cd: true, ad: true }),
      q('webpod' + S, 'A', { proto: 'tcp' }),
      q('webpod' + S, 'ANY'),
      q('webpod' + S, 'MX'),
      q('webpod' + S, 'TYPE65'),
      q('google.com.default.svc.cluster.local.'),
      q('google.com.svc.cluster.local.'),
      q('google.com.cluster.local.'),
    ],
  },
  {
    name: 'forward',
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    errors\n    forward . {UP}\n}\n`,
    steps: [
      q('www.example.org.'),
      q('www.example.org.', 'AAAA'),
      q('www.example.org.', 'MX'),
      q('alias.example.org.'),
      q('nodata.example.org.'),
      q('nosuch.example.org.'),
      q('fail.example.org.'),
      q('refused.example.org.'),
      q('mail.example.org.', 'MX'),
      q('text.example.org.', 'TXT'),
      q('many.example.org.'),
      q('many.example.org.', 'A', { proto: 'tcp' }),
      q('many.example.org.', 'A', { edns: 4096 }),
      q('www.example.org.', 'A', { edns: 1232, do: true }),
      q('www.example.org.', 'A', { rd: false }),
      q('www.example.org.', 'A', { cd: true }),
      q('WWW.Example.ORG.'),
      { counts: true },
    ],
  },
  {
    name: 'forward-force-tcp',
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    forward . {UP} {\n        force_tcp\n    }\n}\n`,
    steps: [
      q('www.example.org.'),
      q('google.com.'),
      q('many.example.org.'),
      q('many.example.org.', 'A', { edns: 4096 }),
      q('nosuch.example.org.'),
      { counts: 'conns' },
    ],
  },
  {
    name: 'forward-prefer-udp',
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    forward . {UP} {\n        prefer_udp\n    }\n}\n`,
    steps: [
      q('www.example.org.', 'A', { proto: 'tcp' }),
      q('many.example.org.', 'A', { proto: 'tcp' }),
      { counts: true },
    ],
  },
  {
    name: 'cache',
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    prometheus 127.0.0.1:{METRICS}\n    cache 30\n    forward . {UP}\n}\n`,
    steps: [
      q('www.example.org.'),
      q('www.example.org.'),
      q('WWW.example.org.'),
      q('www.example.org.', 'A', { proto: 'tcp' }),
      q('www.example.org.', 'A', { edns: 1232, do: true }),
      q('www.example.org.', 'A', { edns: 1232, do: true }),
      q('nosuch.example.org.'),
      q('nosuch.example.org.'),
      q('nodata.example.org.'),
      q('nodata.example.org.'),
      q('short.example.org.'),
      q('zero.example.org.'),
      q('zero.example.org.'),
      q('week.example.org.'),
      q('fail.example.org.'),
      q('fail.example.org.'),
      q('many.example.org.'),
      q('many.example.org.'),
      q('alias.example.org.'),
      { counts: true },
      { sleep: 1200 },
      q('www.example.org.', 'A', { ttlSlack: 1 }),
      q('short.example.org.', 'A', { ttlSlack: 1 }),
      { counts: true },
      {
        http: 'http://127.0.0.1:{METRICS}/metrics',
        match: '^coredns_cache_(entries|hits_total|misses_total|requests_total)',
      },
    ],
  },
  {
    name: 'cache-node-local',
    corefile: `cluster.local:{PORT} {\n    log\n    errors\n    cache {\n        success 9984 30\n        denial 9984 5\n    }\n    reload\n    loop\n    bind 127.0.0.1\n    forward . {UP} {\n        force_tcp\n    }\n    prometheus 127.0.0.1:{METRICS}\n    health 127.0.0.1:{HEALTH}\n}\n.:{PORT} {\n    log\n    errors\n    cache 30\n    reload\n    loop\n    bind 127.0.0.1\n    forward . {UP2}\n    prometheus 127.0.0.1:{METRICS}\n}\n`,
    steps: [
      { sleep: 2500 },
      { reset: true },
      q('webpod.default.svc.cluster.local.'),
      q('google.com.default.svc.cluster.local.'),
      q('google.com.default.svc.cluster.local.'),
      q('google.com.'),
      q('google.com.'),
      q('google.com.', 'AAAA'),
      { counts: true },
      { http: 'http://127.0.0.1:{METRICS}/metrics', match: '^coredns_cache_(entries|hits_total|requests_total)' },
      { http: 'http://127.0.0.1:{HEALTH}/health', body: true },
      { log: '^\\[INFO\\] 127.*google' },
    ],
  },
  {
    name: 'log',
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    log\n    forward . {UP}\n}\n`,
    steps: [
      q('www.example.org.'),
      q('www.example.org.', 'AAAA', { edns: 1232, do: true }),
      q('nosuch.example.org.'),
      q('many.example.org.', 'A', { proto: 'tcp' }),
      q('fail.example.org.'),
      q('WWW.EXAMPLE.org.', 'TXT'),
      { log: '^\\[INFO\\] 127.*example' },
    ],
  },
  {
    name: 'log-class-format',
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    log example.org "{remote}:{port} {>id} {type} {class} {name} {proto} {size} {>do} {>bufsize} {rcode} {>rflags} {rsize} {>opcode} {local}" {\n        class denial error\n    }\n    forward . {UP}\n}\n`,
    steps: [
      q('www.example.org.', 'A', { id: 11 }),
      q('nosuch.example.org.', 'A', { id: 12 }),
      q('nodata.example.org.', 'A', { id: 13 }),
      q('fail.example.org.', 'A', { id: 14 }),
      q('google.com.', 'A', { id: 15 }),
      { log: 'example' },
    ],
  },
  {
    name: 'health-ready-metrics',
    corefile: K8S,
    manifests: 'lab-cluster.yaml',
    waitFor,
    steps: [
      { http: 'http://127.0.0.1:{HEALTH}/health', body: true },
      { http: 'http://127.0.0.1:{READY}/ready', body: true },
      { http: 'http://127.0.0.1:{METRICS}/metrics', match: '^coredns_(plugin_enabled|panics_total)' },
      q('webpod' + S, 'AAAA'),
      q('google.com.', 'MX'),
      q('google.com.', 'MX', { proto: 'tcp' }),
      { http: 'http://127.0.0.1:{METRICS}/metrics', match: '^coredns_dns_requests_total.*type="(AAAA|MX)"' },
      { http: 'http://127.0.0.1:{METRICS}/metrics', match: '^coredns_forward_max_concurrent_rejects_total' },
    ],
  },
  {
    name: 'zones',
    corefile: `example.org:{PORT} {\n    bind 127.0.0.1\n    forward . {UP}\n}\nwww.example.org:{PORT} {\n    bind 127.0.0.1\n    forward . {UP2}\n}\n10.0.0.0/9:{PORT} {\n    bind 127.0.0.1\n    forward . {UP}\n}\n`,
    steps: [
      q('www.example.org.'),
      q('a.www.example.org.'),
      q('mail.example.org.', 'MX'),
      q('google.com.'),
      q('1.2.3.10.in-addr.arpa.', 'PTR'),
      q('1.2.200.10.in-addr.arpa.', 'PTR'),
      q('.', 'NS'),
      { counts: true },
    ],
  },
  {
    name: 'snippet-import-env',
    env: { FORWARD_TTL: '17' },
    files: { 'common.conf': 'cache {$FORWARD_TTL}\n' },
    corefile: `(base) {\n    bind 127.0.0.1\n    errors\n    # a comment\n    import {DIR}/common.conf\n}\n.:{PORT} {\n    import base\n    forward . {UP}\n}\n`,
    steps: [q('www.example.org.'), q('nosuch.example.org.')],
  },
  {
    name: 'reload',
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    reload 2s 1s\n    forward . {UP}\n}\n`,
    steps: [
      q('www.example.org.'),
      {
        write: { Corefile: `.:{PORT} {\n    bind 127.0.0.1\n    reload 2s 1s\n    cache 11\n    forward . {UP}\n}\n` },
      },
      { sleep: 5000 },
      q('www.example.org.'),
      { write: { Corefile: `.:{PORT} {\n    bind 127.0.0.1\n    reload 2s 1s\n    nosuchplugin\n}\n` } },
      { sleep: 5000 },
      q('www.example.org.', 'A', { ttlSlack: 6 }),
    ],
  },
  {
    name: 'watch',
    corefile: K8S,
    manifests: 'lab-cluster.yaml',
    waitFor,
    steps: [
      q('fresh' + S),
      {
        kube: (k) =>
          k.apply({
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 'fresh', namespace: 'default' },
            spec: {
              type: 'ClusterIP',
              clusterIP: '10.96.50.50',
              clusterIPs: ['10.96.50.50'],
              ipFamilies: ['IPv4'],
              ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
            },
          }),
      },
      q('fresh' + S),
      q('50.50.96.10.in-addr.arpa.', 'PTR'),
      {
        kube: (k) =>
          k.apply({
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 'fresh', namespace: 'default' },
            spec: {
              type: 'ClusterIP',
              clusterIP: '10.96.50.51',
              clusterIPs: ['10.96.50.51'],
              ipFamilies: ['IPv4'],
              ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
            },
          }),
      },
      q('fresh' + S),
      q('50.50.96.10.in-addr.arpa.', 'PTR'),
      { kube: (k) => k.delete('Service', 'default', 'fresh') },
      q('fresh' + S),
      { kube: (k) => k.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'newns' } }) },
      q('newns.svc.cluster.local.'),
    ],
  },
  {
    name: 'hosts',
    files: {
      hosts:
        '192.0.2.10 a.example.test b.example.test\n2001:db8::10 a.example.test\n# comment\n192.0.2.11 c.example.test # tail\n192.0.2.11 d.example.test\n',
    },
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    hosts {DIR}/hosts example.test 2.0.192.in-addr.arpa {\n        192.0.2.99 inline.example.test\n        ttl 77\n        fallthrough\n    }\n    forward . {UP}\n}\n`,
    steps: [
      q('a.example.test.'),
      q('a.example.test.', 'AAAA'),
      q('b.example.test.', 'AAAA'),
      q('c.example.test.'),
      q('C.EXAMPLE.test.'),
      q('inline.example.test.'),
      q('nosuch.example.test.'),
      q('10.2.0.192.in-addr.arpa.', 'PTR'),
      q('11.2.0.192.in-addr.arpa.', 'PTR'),
      q('12.2.0.192.in-addr.arpa.', 'PTR'),
      q('a.example.test.', 'MX'),
      q('www.example.org.'),
      q('a.example.test.', 'A', { proto: 'tcp' }),
    ],
  },
  {
    name: 'hosts-no-fallthrough',
    files: { hosts: '192.0.2.10 a.example.test\n' },
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    hosts {DIR}/hosts {\n        no_reverse\n    }\n    forward . {UP}\n}\n`,
    steps: [
      q('a.example.test.'),
      q('a.example.test.', 'AAAA'),
      q('www.example.org.'),
      q('10.2.0.192.in-addr.arpa.', 'PTR'),
    ],
  },
  {
    name: 'template',
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    template IN A example.test {\n        match "^ip-(?P<a>[0-9]*)-(?P<b>[0-9]*)-(?P<c>[0-9]*)-(?P<d>[0-9]*)[.]example[.]test[.]$"\n        answer "{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"\n        fallthrough\n    }\n    template IN ANY nx.test {\n        rcode NXDOMAIN\n        authority "nx.test. 60 IN SOA ns.nx.test. host.nx.test. (1 60 60 60 60)"\n    }\n    template IN MX mail.test {\n        answer "{{ .Name }} 30 IN MX 10 mx.{{ .Name }}"\n        additional "mx.{{ .Name }} 30 IN A 192.0.2.25"\n    }\n    template IN ANY alias.test {\n        match "^(.*)[.]alias[.]test[.]$"\n        answer "{{ .Name }} 60 IN CNAME {{ index .Match 1 }}.example.org."\n    }\n    template ANY ANY refuse.test {\n        rcode REFUSED\n    }\n    forward . {UP}\n}\n`,
    steps: [
      q('ip-10-0-0-7.example.test.'),
      q('ip-10-0-0.example.test.'),
      q('IP-10-0-0-8.Example.Test.'),
      q('x.nx.test.'),
      q('x.nx.test.', 'AAAA'),
      q('mail.test.', 'MX'),
      q('mail.test.'),
      q('www.alias.test.'),
      q('a.refuse.test.', 'TXT'),
      q('ip-10-0-0-7.example.test.', 'AAAA'),
      q('www.example.org.'),
    ],
  },
  ...[
    ['exact', 'rewrite name old.test www.example.org', ['old.test.', 'OLD.test.', 'x.old.test.']],
    [
      'suffix',
      'rewrite name suffix .example.test .example.org answer auto',
      ['www.example.test.', 'alias.example.test.', 'nosuch.example.test.'],
    ],
    ['prefix', 'rewrite name prefix foo. www. answer auto', ['foo.example.org.']],
    ['substring', 'rewrite name substring zzz example', ['www.zzz.org.']],
    [
      'regex',
      'rewrite name regex (.*)\\.svc\\.old\\.test {1}.example.org answer name (.*)\\.example\\.org {1}.svc.old.test',
      ['www.svc.old.test.', 'alias.svc.old.test.'],
    ],
    [
      'stop-block',
      'rewrite stop {\n        name regex (.*)\\.blk\\.test {1}.example.org\n        answer auto\n    }\n    rewrite name www.example.org nosuch.example.org',
      ['www.blk.test.', 'www.example.org.'],
    ],
    [
      'continue',
      'rewrite continue name a.chain.test b.chain.test\n    rewrite name b.chain.test www.example.org',
      ['a.chain.test.', 'b.chain.test.'],
    ],
    ['type', 'rewrite type ANY HINFO\n    rewrite type AAAA A', ['www.example.org.']],
    ['ttl', 'rewrite ttl www.example.org 5-60\n    rewrite ttl suffix .com 7', ['www.example.org.', 'google.com.']],
    ['rcode', 'rewrite rcode nosuch.example.org. NXDOMAIN NOERROR', ['nosuch.example.org.']],
    ['cname-target', 'rewrite cname exact www.example.org. google.com.', ['alias.example.org.']],
  ].map(([n, line, names]) => ({
    name: `rewrite-${n}`,
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    ${line}\n    forward . {UP}\n}\n`,
    steps: names.flatMap((x) => [q(x), q(x, 'AAAA')]),
  })),
  {
    name: 'loadbalance',
    corefile: `.:{PORT} {\n    bind 127.0.0.1\n    loadbalance round_robin\n    forward . {UP}\n}\n`,
    steps: [q('mail.example.org.', 'MX'), q('alias.example.org.')],
  },
  ...[
    '.:{PORT} {\n    nosuchplugin\n}\n',
    '.:{PORT} {\n    forward . {UP}\n',
    '.:{PORT} {\n    bind 127.0.0.1\n    whoami\n}\n.:{PORT} {\n    bind 127.0.0.1\n    whoami\n}\n',
    '.:{PORT} {\n    forward\n}\n',
    '.:{PORT} {\n    kubernetes cluster.local {\n        pods sometimes\n    }\n}\n',
    '.:{PORT} {\n    forward . {UP} {\n        max_fails x\n    }\n}\n',
    '.:99999 {\n    whoami\n}\n',
  ].map((corefile, i) => ({ name: `refused-corefile-${i}`, corefile, expectFail: true })),
];
