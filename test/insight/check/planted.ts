/** A fault put into a Corefile, and how `check` is to name it: `LINE RULE` for each finding that there is to be. */
export interface Planted {
  readonly name: string;
  readonly text: string;
  readonly want: readonly string[];
}

/** A block that forwards everything, with nothing else to find in it. */
const good = (more: string, forward = 'forward . 10.0.0.53 {\n max_concurrent 1000\n}'): string =>
  `.:53 {\n errors\n reload\n loop\n cache 30\n ${forward}\n${more}}\n`;
/** Lines of `more` begin here. */
const MORE = 9;
/** As good, and with a zone of the cluster. */
const cluster = (options: string, more = ''): string =>
  good(` kubernetes cluster.local in-addr.arpa ip6.arpa {\n${options} }\n${more}`);

export const PLANTED: readonly Planted[] = [
  { name: 'an unknown directive', text: good(' cachee 30\n'), want: [`${MORE} corefile`] },
  {
    name: 'an unknown option',
    text: good(
      ' kubernetes cluster.local in-addr.arpa ip6.arpa {\n fallthrough in-addr.arpa ip6.arpa\n pod insecure\n }\n',
    ),
    want: [`${MORE + 2} corefile`],
  },
  { name: 'a value out of range', text: good(' header {\n response set tc2\n }\n'), want: [`${MORE + 1} corefile`] },
  { name: 'a block that is not closed', text: '.:53 {\n errors\n forward . 10.0.0.53\n', want: ['3 corefile'] },
  { name: 'a zone that is served twice', text: `${good('')}.:53 {\n whoami\n}\n`, want: ['10 corefile'] },
  {
    name: 'an upstream that is none',
    text: good('', 'forward . 10.0.0.53:99999 {\n max_concurrent 1\n}'),
    want: ['6 corefile'],
  },
  { name: 'an import of nothing', text: good(' import defaults\n'), want: [`${MORE} corefile`] },
  { name: 'a duration without unit', text: good(' health {\n lameduck 5\n }\n'), want: [`${MORE + 1} corefile`] },
  { name: 'nothing at all', text: '# no block\n', want: ['1 corefile'] },
  {
    name: 'a block behind one without view',
    text: `${good('')}.:53 {\n view inner {\n expr type() == 'A'\n }\n whoami\n}\n`,
    want: ['10 corefile'],
  },
  {
    name: 'a key below another',
    text: good('').replace('.:53', 'example.org:53 a.example.org:53'),
    want: ['1 zone-redundant'],
  },
  { name: 'a directive as key', text: `${good('')}cache 30 {\n whoami\n}\n`, want: ['10 block-named-as-directive'] },
  {
    name: 'a block that answers nothing',
    text: `example.org {\n errors\n reload\n}\n`,
    want: ['1 block-without-answers'],
  },
  {
    name: 'a directive for zones of other blocks',
    text: good(' hosts /etc/hosts example.net {\n fallthrough\n }\n').replace('.:53', 'example.org:53'),
    want: [`${MORE} plugin-outside-block`],
  },
  {
    name: 'forward behind hosts for everything',
    text: good(' hosts {\n 192.0.2.1 a.example\n }\n'),
    want: ['6 plugin-never-asked'],
  },
  {
    name: 'a forward behind one for everything',
    text: good(' forward example.org 10.0.0.54 {\n max_concurrent 1\n }\n'),
    want: [`${MORE} plugin-never-asked`],
  },
  {
    name: 'a line of acl behind one for all',
    text: good(' acl {\n allow\n block net 192.0.2.0/24\n }\n'),
    want: [`${MORE + 2} acl-line-never-tried`],
  },
  {
    name: 'a line of acl behind one for all types and networks',
    text: good(' acl {\n allow type * net *\n block net 192.0.2.0/24\n }\n'),
    want: [`${MORE + 2} acl-line-never-tried`],
  },
  {
    name: 'a line of acl for all behind others',
    text: good(' acl {\n block net 192.0.2.0/24\n allow type A\n block\n }\n'),
    want: [],
  },
  {
    name: 'whoami behind erratic',
    text: '.:53 {\n errors\n reload\n erratic\n whoami\n}\n',
    want: ['4 erratic-answers', '5 plugin-never-asked'],
  },
  {
    name: 'an option twice',
    text: good('', 'forward . 10.0.0.53 {\n max_concurrent 1000\n max_concurrent 5\n}'),
    want: ['8 option-repeated'],
  },
  {
    name: 'an exception outside of the zone',
    text: good('', 'forward example.org 10.0.0.53 {\n max_concurrent 1000\n except example.net\n}'),
    want: ['8 except-outside'],
  },
  { name: 'a snippet that nobody imports', text: `(more) {\n log\n}\n${good('')}`, want: ['1 snippet-unused'] },
  {
    name: 'a forward to itself',
    text: good('', 'forward . 127.0.0.53 {\n max_concurrent 1\n}'),
    want: ['6 forward-loop'],
  },
  {
    name: 'a forward to itself by another block',
    text: `${good(' bind 10.0.0.1\n', 'forward . 10.0.0.2 {\n max_concurrent 1\n}')}${good(' bind 10.0.0.2\n', 'forward . 10.0.0.1 {\n max_concurrent 1\n}')}`,
    want: ['6 forward-loop', '16 forward-loop'],
  },
  { name: 'no loop', text: good('').replace(' loop\n', '\n'), want: ['6 no-loop'] },
  { name: 'no bound', text: good('', 'forward . 10.0.0.53\n\n'), want: ['6 max-concurrent-missing'] },
  {
    name: 'no bound to a public resolver',
    text: good('', 'forward . 9.9.9.9\n\n'),
    want: ['6 max-concurrent-missing'],
  },
  {
    name: 'an upstream twice',
    text: good('', 'forward . 10.0.0.53 10.0.0.53 {\n max_concurrent 1\n}'),
    want: ['6 upstream-twice'],
  },
  {
    name: 'TLS without a name',
    text: good('', 'forward . tls://10.0.0.53 {\n max_concurrent 1\n}'),
    want: ['6 tls-name-missing'],
  },
  {
    name: 'no health checks',
    text: good('', 'forward . 10.0.0.53 10.0.0.54 {\n max_concurrent 1\n max_fails 0\n}'),
    want: ['8 health-checks-off'],
  },
  {
    name: 'both transports',
    text: good('', 'forward . 10.0.0.53 {\n max_concurrent 1\n force_tcp\n prefer_udp\n}'),
    want: ['9 transport-contradiction'],
  },
  {
    name: 'whoami behind a cache',
    text: '.:53 {\n errors\n reload\n cache 30\n whoami\n}\n',
    want: ['5 cache-shares-clients'],
  },
  {
    name: 'a template by client behind a cache',
    text: good(' template IN A me.example {\n answer "{{ .Name }} 5 IN A {{ .Remote }}"\n }\n'),
    want: [`${MORE} cache-shares-clients`],
  },
  { name: 'a name that reads like a subnet', text: good(' rewrite name exact a.example. subnet\n'), want: [] },
  {
    name: 'the subnet of the client behind a cache',
    text: good(' rewrite edns0 subnet set 24 56\n'),
    want: [`${MORE} cache-shares-clients`],
  },
  {
    name: 'stale answers of the cluster',
    text: cluster(' fallthrough in-addr.arpa ip6.arpa\n').replace(' cache 30\n', ' cache 30 {\n serve_stale 1h\n }\n'),
    want: ['6 stale-hides-deletions'],
  },
  {
    name: 'stale answers by preference',
    text: cluster(' fallthrough in-addr.arpa ip6.arpa\n').replace(
      ' cache 30\n',
      ' cache 30 {\n serve_stale 1h verify\n serve_stale_policy prefer_positive\n }\n',
    ),
    want: ['7 stale-hides-deletions'],
  },
  ...[
    { name: 'nor where they are disabled', option: 'disable success', want: [] },
    { name: 'nor where they are disabled for the cluster', option: 'disable success cluster.local', want: [] },
    { name: 'but for another zone', option: 'disable success example.org', want: ['6 stale-hides-deletions'] },
    { name: 'but for denials', option: 'disable denial', want: ['6 stale-hides-deletions'] },
  ].map(({ name, option, want }) => ({
    name: `stale answers of the cluster, ${name}`,
    text: cluster(' fallthrough in-addr.arpa ip6.arpa\n').replace(
      ' cache 30\n',
      ` cache 30 {\n serve_stale 1h\n ${option}\n }\n`,
    ),
    want,
  })),
  ...[
    { stale: '60s', want: [] },
    { stale: '61s', want: ['6 stale-hides-deletions'] },
    { stale: '1h verify', want: [] },
  ].map(({ stale, want }) => ({
    name: `answers of the cluster that are stale for ${stale}`,
    text: cluster(' fallthrough in-addr.arpa ip6.arpa\n').replace(
      ' cache 30\n',
      ` cache 30 {\n serve_stale ${stale}\n }\n`,
    ),
    want,
  })),
  ...[
    { zone: 'cluster.local', want: ['7 stale-hides-deletions'] },
    { zone: '.', want: [] },
  ].map(({ zone, want }) => ({
    name: `stale answers of a node cache for ${zone}`,
    text:
      `${zone}:53 {\n errors\n reload\n loop\n bind 169.254.20.10\n cache 30 {\n serve_stale 1h\n }\n` +
      ' forward . __PILLAR__CLUSTER__DNS__ {\n max_concurrent 1\n force_tcp\n }\n}\n',
    want,
  })),
  {
    name: 'TTLs that are just short enough',
    text: cluster(' fallthrough in-addr.arpa ip6.arpa\n ttl 119\n'),
    want: [],
  },
  {
    name: 'TTLs that are just too long',
    text: cluster(' fallthrough in-addr.arpa ip6.arpa\n ttl 120\n'),
    want: [`${MORE + 2} ttl-hides-changes`],
  },
  {
    name: 'autopath with pods',
    text: cluster(' fallthrough in-addr.arpa ip6.arpa\n pods verified\n', ' autopath @kubernetes\n'),
    want: [],
  },
  { name: 'no cache', text: good('').replace(' cache 30\n', '\n'), want: ['6 cache-missing'] },
  {
    name: 'long TTLs',
    text: cluster(' fallthrough in-addr.arpa ip6.arpa\n ttl 300\n'),
    want: [`${MORE + 2} ttl-hides-changes`],
  },
  { name: 'reverse zones that are kept', text: cluster(''), want: [`${MORE} reverse-not-passed-on`] },
  {
    name: 'one reverse zone that is kept',
    text: good(' kubernetes cluster.local in-addr.arpa {\n ttl 30\n }\n'),
    want: [`${MORE} reverse-not-passed-on`],
  },
  {
    name: 'names of the cluster that leave it',
    text: cluster(' fallthrough\n'),
    want: [`${MORE + 1} cluster-names-leave`],
  },
  {
    name: 'autopath without pods',
    text: cluster(' fallthrough in-addr.arpa ip6.arpa\n pods insecure\n', ' autopath @kubernetes\n'),
    want: [`${MORE + 4} autopath-without-pods`],
  },
  { name: 'no reverse zones', text: good(' kubernetes cluster.local\n'), want: [`${MORE} reverse-unserved`] },
  {
    name: 'a rewrite of the question alone',
    text: good(' rewrite name suffix .a.example .b.example\n'),
    want: [`${MORE} rewrite-one-way`],
  },
  ...['stop', 'continue'].map((word) => ({
    name: `a rewrite of the question alone, with ${word}`,
    text: good(` rewrite ${word} name suffix .a.example .b.example\n`),
    want: [`${MORE} rewrite-one-way`],
  })),
  {
    name: 'a rewrite of the answer too',
    text: good(' rewrite stop {\n name suffix .a.example .b.example\n answer auto\n }\n'),
    want: [],
  },
  { name: 'a rewrite of a whole name', text: good(' rewrite name exact a.example. b.example.\n'), want: [] },
  { name: 'a long lame duck', text: good(' health {\n lameduck 45s\n }\n'), want: [`${MORE + 1} lameduck-too-long`] },
  { name: 'no lame duck', text: good(' health\n'), want: [`${MORE} lameduck-missing`] },
  { name: 'no errors', text: good('').replace(' errors\n', '\n'), want: ['1 errors-missing'] },
  { name: 'no reload', text: good('').replace(' reload\n', '\n'), want: ['1 reload-missing'] },
  { name: 'debug', text: good(' debug\n'), want: [`${MORE} debug-on`] },
  { name: 'a log of everything', text: good(' log\n'), want: [`${MORE} log-every-query`] },
  { name: 'datagrams that are not too large', text: good(' bufsize 1400\n'), want: [] },
  { name: 'datagrams that are just too large', text: good(' bufsize 1401\n'), want: [`${MORE} bufsize-fragments`] },
  { name: 'large datagrams', text: good(' bufsize 4096\n'), want: [`${MORE} bufsize-fragments`] },
  {
    name: 'transfers for all',
    text: good(' transfer example.org {\n to *\n }\n'),
    want: [`${MORE + 1} transfer-to-all`],
  },
  { name: 'an open resolver', text: good(' bind 9.9.9.9\n'), want: [`${MORE} open-resolver`] },
  { name: 'erratic', text: '.:53 {\n erratic\n reload\n}\n', want: ['2 erratic-answers'] },
  {
    name: 'a node cache without bind',
    text: good('').replace('10.0.0.53', '__PILLAR__CLUSTER__DNS__'),
    want: ['1 node-cache-unbound'],
  },
  { name: 'a rule that there is not, silenced', text: good(' # check: off no-lop\n'), want: [`${MORE} unknown-rule`] },
  {
    name: 'several faults at once',
    text: good(
      ' cachee 30\n kubernetes cluster.local in-addr.arpa ip6.arpa {\n fallthrough in-addr.arpa ip6.arpa\n pod insecure\n ttl x\n }\n bufsize 4096\n',
    ),
    want: [`${MORE} corefile`, `${MORE + 3} corefile`, `${MORE + 4} corefile`, `${MORE + 6} bufsize-fragments`],
  },
  {
    name: 'a file that is elsewhere',
    text: good(' tls /nowhere/tls.crt /nowhere/tls.key\n'),
    want: [`${MORE} file-absent`],
  },
];
