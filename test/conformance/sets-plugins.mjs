// Plugins beyond those of sets.mjs. Answers recorded from CoreDNS 1.14.7 (answers-plugins.json).
const q = (name, type = 'A', o = {}) => ({ name, type, ...o });
const both = (n, o = {}) => [q(n, 'A', o), q(n, 'AAAA', o)];
const UP = '    forward . {UP}\n';
const block = (body, tail = UP) => `.:{PORT} {\n    bind 127.0.0.1\n${body}${tail}}\n`;
const K =
  '    kubernetes cluster.local in-addr.arpa {\n        endpoint {API}\n        pods verified\n        fallthrough in-addr.arpa\n    }\n';
const S = '.default.svc.cluster.local.';
const waitFor = q('webpod' + S);
const HOME = `$TTL 1h
home.test.  IN SOA ns.home.test. admin.home.test. ( 2026010100 4h 1h 1w 5m )
            IN NS  ns
            IN NS  ns.elsewhere.test.
            IN A   192.0.2.80
            IN AAAA 2001:db8::80
            IN MX  5 mx1
            IN MX  10 mx2.elsewhere.test.
            IN TXT "v=spf1 -all"
            IN CAA 0 issue "ca.example.net"
            IN HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.80
ns          IN A   192.0.2.53
mx1   600   IN A   192.0.2.25
www         IN CNAME @
chain1      IN CNAME chain2
chain2      IN CNAME chain3
chain3      IN A   192.0.2.33
loop1       IN CNAME loop2
loop2       IN CNAME loop1
dangling    IN CNAME nowhere
outside     IN CNAME www.example.org.
host        IN A   192.0.2.10
            IN A   192.0.2.11
            IN A   192.0.2.12
*.apps      IN A   192.0.2.90
*.apps      IN MX  1 mx1
fixed.apps  IN A   192.0.2.91
*.star      IN CNAME host
a.b.c.empty IN A   192.0.2.44
dept        IN NS  ns1.dept
            IN NS  ns.elsewhere.test.
ns1.dept    IN A   192.0.2.54
            IN AAAA 2001:db8::54
signed      IN NS  ns1.dept
signed      IN DS  12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
old         IN DNAME new.home.test.
x.new       IN A   192.0.2.66
_ldap._tcp  IN SRV 0 5 389 host
_ldap._tcp  IN SRV 1 5 389 away.elsewhere.test.
8.b         IN PTR host
loc         IN LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
naptr       IN NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@home.test!" .
tlsa        IN TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
sshfp       IN SSHFP 1 1 0123456789abcdef0123456789abcdef01234567
unknown     IN TYPE4711 \\# 3 abcdef
esc\\.aped   IN A   192.0.2.77
UPPER       IN A   192.0.2.78
`;
const homeNames = [
  'home.test.',
  'www.home.test.',
  'chain1.home.test.',
  'loop1.home.test.',
  'dangling.home.test.',
  'outside.home.test.',
  'host.home.test.',
  'any.apps.home.test.',
  'deep.any.apps.home.test.',
  'fixed.apps.home.test.',
  'apps.home.test.',
  'x.star.home.test.',
  'empty.home.test.',
  'c.empty.home.test.',
  'a.b.c.empty.home.test.',
  'dept.home.test.',
  'pc.dept.home.test.',
  'ns1.dept.home.test.',
  'pc.signed.home.test.',
  'x.old.home.test.',
  'y.old.home.test.',
  'old.home.test.',
  'nosuch.home.test.',
  'upper.home.test.',
  'HOST.Home.Test.',
];
const rest = (zone) =>
  [
    ['@', 'SOA'],
    ['@', 'NS'],
    ['@', 'MX'],
    ['@', 'TXT'],
    ['@', 'CAA'],
    ['@', 'TYPE65'],
    ['@', 'SRV'],
    ['_ldap._tcp', 'SRV'],
    ['8.b', 'PTR'],
    ['loc', 'LOC'],
    ['naptr', 'NAPTR'],
    ['tlsa', 'TLSA'],
    ['sshfp', 'SSHFP'],
    ['unknown', 'TYPE4711'],
    ['host', 'TXT'],
    ['any.apps', 'MX'],
    ['any.apps', 'TXT'],
    ['signed', 'DS'],
    ['host', 'DS'],
    ['old', 'TYPE39'],
    ['dept', 'NS'],
    ['nosuch', 'ANY'],
  ].map(([n, t]) => q(n === '@' ? zone : `${n}.${zone}`, t));

export const sets = [
  {
    name: 'file',
    files: { z: HOME },
    corefile: block('    file {DIR}/z home.test\n', ''),
    steps: [
      ...homeNames.flatMap((n) => both(n)),
      ...rest('home.test.'),
      q('home.test.', 'SOA', { edns: 1232, do: true }),
      q('pc.signed.home.test.', 'A', { edns: 1232, do: true }),
      q('nosuch.home.test.', 'A', { edns: 1232, do: true }),
      q('host.home.test.', 'A', { proto: 'tcp' }),
      q('host.home.test.', 'A', { rd: false }),
      q('elsewhere.test.'),
      q('home.test.', 'AXFR'),
    ],
  },
  {
    name: 'file-fallthrough',
    files: { z: HOME },
    corefile: block('    file {DIR}/z home.test example.org {\n        fallthrough example.org\n    }\n'),
    steps: [
      q('host.home.test.'),
      q('nosuch.home.test.'),
      q('www.example.org.'),
      q('google.com.'),
      q('outside.home.test.'),
      q('mx2.elsewhere.test.'),
    ],
  },
  {
    name: 'file-reload',
    files: { z: HOME },
    corefile: block('    file {DIR}/z home.test {\n        reload 1s\n    }\n', ''),
    steps: [
      q('late.home.test.'),
      { write: { z: HOME.replace('2026010100', '2026010101') + 'late IN A 192.0.2.99\n' } },
      { sleep: 2600 },
      q('late.home.test.'),
      q('home.test.', 'SOA'),
      { write: { z: 'this is no zone file\n' } },
      { sleep: 2600 },
      q('late.home.test.'),
      { write: { z: HOME.replace('2026010100', '2026010101') + 'unseen IN A 192.0.2.98\n' } },
      { sleep: 2600 },
      q('unseen.home.test.'),
    ],
  },
  {
    name: 'file-generate-include',
    files: {
      z: '$ORIGIN gen.test.\n@ 300 IN SOA ns host 1 2 3 4 5\n@ 300 IN NS ns\n$GENERATE 1-4 pc$ 60 A 192.0.2.$\n$GENERATE 8-10/2 n${0,3,d} 60 CNAME pc1\n$INCLUDE {DIR}/more\nlast 60 A 192.0.2.200\n',
      more: 'inc 60 IN A 192.0.2.100\n',
    },
    corefile: block('    file {DIR}/z gen.test\n', ''),
    steps: [
      q('pc1.gen.test.'),
      q('pc4.gen.test.'),
      q('pc5.gen.test.'),
      q('n008.gen.test.'),
      q('n010.gen.test.'),
      q('inc.gen.test.'),
      q('last.gen.test.'),
    ],
  },
  {
    name: 'root',
    files: { 'db.home': HOME },
    corefile: block('    root {DIR}\n    file db.home home.test\n', ''),
    steps: [q('host.home.test.')],
  },
  {
    name: 'secondary',
    files: { z: HOME },
    corefile:
      'home.test:{PORT2} {\n    bind 127.0.0.1\n    file {DIR}/z\n    transfer {\n        to *\n    }\n}\nhome.test:{PORT} {\n    bind 127.0.0.1\n    secondary {\n        transfer from 127.0.0.1:{PORT2}\n    }\n}\n',
    waitFor: q('host.home.test.'),
    steps: [...homeNames.filter((n) => n !== 'outside.home.test.').flatMap((n) => both(n)), ...rest('home.test.')],
  },
  {
    name: 'auto',
    files: {
      'db.one.test': HOME.replaceAll('home.test', 'one.test'),
      'ignored.two.test': HOME.replaceAll('home.test', 'two.test'),
    },
    corefile: block('    auto . {\n        directory {DIR} db\\.(.*) {1}\n        reload 1s\n    }\n', ''),
    waitFor: q('host.one.test.'),
    steps: [
      q('host.one.test.'),
      q('host.two.test.'),
      q('host.three.test.'),
      { write: { 'db.three.test': HOME.replaceAll('home.test', 'three.test') } },
      { sleep: 2600 },
      q('host.three.test.'),
      q('nosuch.three.test.'),
      q('host.one.test.', 'TXT'),
    ],
  },
  {
    name: 'acl',
    corefile: block(
      '    acl {\n        allow net 10.0.0.0/8\n        block type ANY MX net *\n        filter type TXT net 127.0.0.0/8\n        drop type SRV\n        block net 192.168.0.0/16 172.16.0.0/12\n    }\n',
    ),
    steps: [
      q('www.example.org.'),
      q('mail.example.org.', 'MX', { edns: 1232 }),
      q('www.example.org.', 'SRV', { timeout: 700 }),
      q('www.example.org.', 'ANY', { edns: 1232 }),
      q('text.example.org.', 'TXT', { edns: 1232 }),
      q('mail.example.org.', 'MX', { proto: 'tcp', edns: 1232 }),
    ],
  },
  {
    name: 'acl-zones',
    corefile: block(
      '    acl example.org {\n        allow type A net 127.0.0.0/8\n        block\n    }\n    prometheus 127.0.0.1:{METRICS}\n',
    ),
    steps: [
      q('www.example.org.'),
      q('www.example.org.', 'AAAA', { edns: 1232 }),
      q('google.com.', 'AAAA'),
      { http: 'http://127.0.0.1:{METRICS}/metrics', match: '^coredns_acl_' },
    ],
  },
  {
    name: 'any',
    corefile: block('    any\n'),
    steps: [
      q('www.example.org.', 'ANY'),
      q('www.example.org.', 'ANY', { edns: 1232, do: true }),
      q('www.example.org.', 'ANY', { proto: 'tcp' }),
      q('www.example.org.'),
    ],
  },
  {
    name: 'bufsize',
    corefile: block('    bufsize 512\n'),
    steps: [
      q('many.example.org.', 'A', { edns: 4096 }),
      q('many.example.org.', 'A', { edns: 1232 }),
      q('many.example.org.'),
      q('www.example.org.', 'A', { edns: 4096, do: true }),
      q('many.example.org.', 'A', { proto: 'tcp', edns: 4096 }),
    ],
  },
  {
    name: 'bufsize-default',
    corefile: block('    bufsize\n'),
    steps: [q('many.example.org.', 'A', { edns: 4096 }), q('many.example.org.', 'A', { edns: 1000 })],
  },
  {
    name: 'cancel',
    corefile: block('    errors\n    cancel 500ms\n'),
    steps: [
      q('www.example.org.'),
      { upstream: { delay: 1500 } },
      q('google.com.', 'A', { timeout: 4000 }),
      { upstream: { delay: 0 } },
      q('www.example.org.'),
    ],
  },
  {
    name: 'chaos',
    corefile: block('    chaos nodens-7 a@example.org b@example.org\n'),
    steps: [
      q('version.bind.', 'TXT', { class: 'CH' }),
      q('version.server.', 'TXT', { class: 'CH' }),
      q('hostname.bind.', 'A', { class: 'CH' }),
      q('www.example.org.', 'TXT', { class: 'CH' }),
      q('version.bind.', 'TXT'),
      q('www.example.org.'),
    ],
  },
  {
    name: 'class-without-chaos',
    corefile: block('    whoami\n', ''),
    steps: [q('version.bind.', 'TXT', { class: 'CH' }), q('www.example.org.', 'A', { class: 'CH' })],
  },
  {
    name: 'class-with-forward',
    corefile: block(''),
    steps: [q('version.bind.', 'TXT', { class: 'CH' }), q('www.example.org.', 'A', { class: 'CH' })],
  },
  {
    name: 'dns64',
    corefile: block(
      '    prometheus 127.0.0.1:{METRICS}\n    dns64 {\n        allow_ipv4\n        prefix 2001:db8:64::/96\n    }\n',
    ),
    steps: [
      ...both('www.example.org.'),
      ...both('short.example.org.'),
      ...both('alias.example.org.'),
      ...both('nosuch.example.org.'),
      ...both('fail.example.org.'),
      q('many.example.org.', 'AAAA', { proto: 'tcp' }),
      q('short.example.org.', 'AAAA', { edns: 1232, do: true }),
      q('short.example.org.', 'MX'),
      { http: 'http://127.0.0.1:{METRICS}/metrics', match: '^coredns_dns64_' },
    ],
  },
  {
    name: 'dns64-translate-all',
    corefile: block('    dns64 {\n        translate_all\n        allow_ipv4\n    }\n'),
    steps: [...both('www.example.org.'), ...both('short.example.org.')],
  },
  { name: 'dns64-ipv6-only', corefile: block('    dns64\n'), steps: [...both('short.example.org.')] },
  {
    name: 'erratic',
    corefile: block('    erratic {\n        drop 3\n        truncate 0\n        delay 0\n    }\n', ''),
    steps: [
      q('a.test.', 'A', { timeout: 500 }),
      q('a.test.', 'A', { timeout: 500 }),
      q('a.test.', 'A', { timeout: 500 }),
      q('a.test.', 'A', { timeout: 500 }),
      q('a.test.', 'AAAA', { timeout: 500 }),
      q('a.test.', 'MX', { timeout: 500 }),
    ],
  },
  {
    name: 'header',
    corefile: block('    header {\n        query set rd\n        response set aa\n        response clear ra\n    }\n'),
    steps: [q('www.example.org.'), q('www.example.org.', 'A', { rd: false }), q('nosuch.example.org.')],
  },
  {
    name: 'k8s-external',
    manifests: 'lab-cluster.yaml',
    waitFor,
    corefile:
      '.:{PORT} {\n    bind 127.0.0.1\n    kubernetes cluster.local {\n        endpoint {API}\n    }\n    k8s_external lab.test {\n        apex ns\n        ttl 17\n        headless\n        fallthrough\n    }\n    forward . {UP}\n}\n',
    steps: ['webpod', 'db', 'peers', 'dual', 'search-engine', 'nosuch']
      .flatMap((n) => ['A', 'AAAA', 'SRV', 'TXT'].map((t) => q(`${n}.default.lab.test.`, t)))
      .concat([
        q('lab.test.', 'SOA'),
        q('lab.test.', 'NS'),
        q('default.lab.test.'),
        q('db-0.db.default.lab.test.'),
        q('_http._tcp.webpod.default.lab.test.', 'SRV'),
        q('a.b.c.d.lab.test.'),
      ]),
  },
  {
    name: 'local',
    corefile: block('    local\n'),
    steps: [
      ...both('localhost.'),
      ...both('a.localhost.'),
      ...both('localhost.example.org.'),
      q('localhost.', 'SOA'),
      q('localhost.', 'NS'),
      q('localhost.', 'TXT'),
      q('127.in-addr.arpa.', 'SOA'),
      q('127.in-addr.arpa.', 'NS'),
      q('1.0.0.127.in-addr.arpa.', 'PTR'),
      q('2.0.0.127.in-addr.arpa.', 'PTR'),
      q('255.in-addr.arpa.', 'SOA'),
      q('0.in-addr.arpa.', 'NS'),
      q('www.example.org.'),
    ],
  },
  {
    name: 'metadata-log',
    manifests: 'lab-cluster.yaml',
    waitFor,
    corefile:
      '.:{PORT} {\n    bind 127.0.0.1\n    metadata\n    log . "{name} {type} ns={/kubernetes/namespace} svc={/kubernetes/service} kind={/kubernetes/kind} port={/kubernetes/port-name} proto={/kubernetes/protocol} cl={/kubernetes/client-namespace} up={/forward/upstream} none={/nosuch/label}"\n    kubernetes cluster.local {\n        endpoint {API}\n        pods verified\n    }\n    forward . {UP}\n}\n',
    steps: [
      q('webpod' + S),
      q('_http._tcp.webpod' + S, 'SRV'),
      q('172-20-1-236.default.pod.cluster.local.'),
      q('nosuch' + S),
      { log: '(cluster\\.local)' },
    ],
  },
  {
    name: 'minimal',
    files: { z: HOME },
    corefile: block('    minimal\n    file {DIR}/z home.test\n'),
    steps: [
      q('host.home.test.'),
      q('home.test.', 'MX'),
      q('home.test.', 'NS'),
      q('nosuch.home.test.'),
      q('pc.dept.home.test.'),
      q('www.example.org.'),
      q('nodata.example.org.'),
    ],
  },
  {
    name: 'nsid',
    corefile: block('    nsid box-42\n'),
    steps: [
      q('www.example.org.', 'A', { edns: 1232 }),
      q('nosuch.example.org.', 'A', { edns: 1232 }),
      q('www.example.org.'),
    ],
  },
  {
    name: 'multisocket',
    corefile: block('    multisocket 3\n'),
    steps: [q('www.example.org.'), q('www.example.org.', 'A', { proto: 'tcp' }), q('google.com.')],
  },
  {
    name: 'timeouts',
    corefile: block('    timeouts {\n        read 2s\n        write 2s\n        idle 5s\n    }\n'),
    steps: [q('www.example.org.', 'A', { proto: 'tcp' })],
  },
  {
    name: 'view',
    corefile:
      ".:{PORT} {\n    bind 127.0.0.1\n    view types {\n        expr type() in ['TXT', 'MX']\n    }\n    template ANY ANY . {\n        rcode REFUSED\n    }\n}\n.:{PORT} {\n    bind 127.0.0.1\n    view names {\n        expr name() matches '^abc\\\\..*\\\\.test\\\\.$'\n        expr proto() == 'udp'\n    }\n    template IN A . {\n        answer \"{{ .Name }} 5 IN A 192.0.2.1\"\n    }\n}\n.:{PORT} {\n    bind 127.0.0.1\n    view none {\n        expr incidr(client_ip(), '10.0.0.0/8')\n    }\n    template IN A . {\n        answer \"{{ .Name }} 5 IN A 192.0.2.2\"\n    }\n}\n.:{PORT} {\n    bind 127.0.0.1\n    view sized {\n        expr name() startsWith 'v' && opcode() == 0 && class() == 'IN' && bufsize() >= 512 && !do()\n    }\n    template IN A . {\n        answer \"{{ .Name }} 5 IN A 192.0.2.3\"\n    }\n}\n.:{PORT} {\n    bind 127.0.0.1\n    template IN A . {\n        answer \"{{ .Name }} 5 IN A 192.0.2.9\"\n    }\n}\n",
    steps: [
      q('a.test.', 'TXT'),
      q('a.test.', 'MX'),
      q('abc.x.test.'),
      q('abc.x.test.', 'A', { proto: 'tcp' }),
      q('abc.test.'),
      q('v.test.'),
      q('v.test.', 'A', { edns: 1232, do: true }),
      q('v.test.', 'A', { edns: 4096 }),
      q('z.test.'),
    ],
  },
  {
    name: 'autopath-kubernetes',
    manifests: 'lab-cluster.yaml',
    waitFor,
    corefile: block('    prometheus 127.0.0.1:{METRICS}\n    autopath @kubernetes\n' + K),
    steps: [
      q('google.com.default.svc.cluster.local.'),
      q('webpod.default.svc.cluster.local.'),
      { http: 'http://127.0.0.1:{METRICS}/metrics', match: '^coredns_autopath_' },
    ],
  },
  {
    name: 'autopath-file',
    files: { 'r.conf': 'search ns1.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\n' },
    manifests: 'lab-cluster.yaml',
    waitFor,
    corefile: block('    autopath {DIR}/r.conf\n' + K),
    steps: [
      'google.com',
      'www.example.org',
      'alias.example.org',
      'webpod.default',
      'webpod.default.svc',
      'nosuch.example.org',
      'nodata.example.org',
      'fail.example.org',
    ].flatMap((n) => [...both(`${n}.ns1.svc.cluster.local.`), q(`${n}.svc.cluster.local.`)]),
  },
  {
    name: 'shed',
    corefile: block('    shed\n    prometheus 127.0.0.1:{METRICS}\n'),
    steps: [q('www.example.org.'), q('www.example.org.', 'A', { proto: 'tcp' })],
  },
  {
    name: 'forward-read-timeout',
    corefile: block(
      '    errors\n',
      '    forward . {UP} {\n        read_timeout 500ms\n        max_connect_attempts 1\n        max_fails 0\n    }\n',
    ),
    steps: [
      q('www.example.org.'),
      { upstream: { delay: 1200 } },
      q('google.com.', 'A', { timeout: 4000 }),
      { upstream: { delay: 0 } },
      { sleep: 1300 },
      q('www.example.org.'),
    ],
  },
  {
    name: 'forward-source-address',
    corefile: block('', '    forward . {UP} {\n        source_address 127.0.0.1\n    }\n'),
    steps: [q('www.example.org.'), q('www.example.org.', 'A', { proto: 'tcp' })],
  },
  {
    name: 'forward-failover',
    corefile: block(
      '',
      '    forward . {UP} {UP2} {\n        policy sequential\n        failover SERVFAIL REFUSED\n    }\n',
    ),
    steps: [q('fail.example.org.'), q('refused.example.org.'), q('www.example.org.'), { counts: true }],
  },
  {
    name: 'cache-stale-verify-timeout',
    corefile: block('    cache 2 {\n        success 100 2 1\n        serve_stale 1h verify 300ms 30s\n    }\n'),
    steps: [
      q('short.example.org.'),
      { sleep: 2500 },
      { upstream: { delay: 1500 } },
      q('short.example.org.', 'A', { timeout: 4000 }),
      { upstream: { delay: 0 } },
      { sleep: 1800 },
      q('short.example.org.', 'A', { ttlSlack: 2 }),
      { counts: true },
    ],
  },
  {
    name: 'cache-stale-immediate-ttl',
    corefile: block('    cache 2 {\n        success 100 2 1\n        serve_stale 1h immediate 30s 30s\n    }\n'),
    steps: [
      q('short.example.org.'),
      { sleep: 2500 },
      { upstream: { rcode: 2 } },
      q('short.example.org.'),
      { sleep: 300 },
      q('short.example.org.'),
      { counts: true },
    ],
  },
  {
    name: 'cache-prefer-positive',
    corefile: block(
      '    cache {\n        success 100 2 1\n        denial 100 30\n        serve_stale 1h\n        serve_stale_policy prefer_positive\n    }\n',
    ),
    steps: [
      q('short.example.org.'),
      { sleep: 2500 },
      { upstream: { rcode: 3 } },
      q('short.example.org.'),
      { sleep: 300 },
      q('short.example.org.'),
      q('other.example.org.'),
    ],
  },
];
