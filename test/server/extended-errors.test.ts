import dgram from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definePlugin, type Outcome } from '../../src/chain/index.js';
import { Channel } from '../../src/lib/channel.js';
import type { MemoryCeiling } from '../../src/lib/memory-ceiling.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { PLUGINS } from '../../src/server/directives.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { Server } from '../../src/server/server.js';
import { decodeMessage, rcodeName, type Message } from '../../src/wire/index.js';
import { query, type QuestionOptions } from '../support/dns.js';

/** What every failure that a server makes up is explained with: who asks without EDNS is told the rcode alone. */
interface Row {
  readonly name: string;
  readonly corefile: string;
  readonly question?: string;
  readonly type?: string;
  readonly asked?: QuestionOptions;
  /** Asked before, without a look at the answer. */
  readonly before?: string;
  /** Asked at the same time; its answer is not waited for. */
  readonly beside?: string;
  readonly options?: Partial<ServerOptions>;
  readonly want: readonly [rcode: string, ...codes: string[]];
}

const ZONE = 'example.test. 60 IN SOA ns mail 1 60 60 60 60\nexample.test. 60 IN NS ns\n';
const NO_ZONE = '20 the name is in no zone that is served here';
const full = { ceiling: 1000, shrinking: new Channel<void>(), step: 'refuse', delays: true, refuses: true };

const failing = (name: string, handle: () => Outcome | Promise<Outcome>) =>
  definePlugin(name, () => ({ name, role: 'answers', dependsOn: 'query', handle }));
const PANIC = failing('whoami', () => {
  throw new Error('a mistake');
});
const PANIC_LATE = failing('whoami', () => Promise.reject(new Error('a mistake')));
const NO_REPLY = failing('whoami', () => 'yes' as unknown as Outcome);
const NEVER = failing('whoami', () => new Promise<Outcome>(() => undefined));
const instead = (plugin: typeof PANIC): Partial<ServerOptions> => ({
  plugins: PLUGINS.map((one) => (one.name === plugin.name ? plugin : one)),
});

describe('what a client is told of a failure', () => {
  const silent = dgram.createSocket('udp4');
  let port = 0;
  beforeAll(async () => {
    silent.bind(0, '127.0.0.1');
    await once(silent, 'listening');
    ({ port } = silent.address());
  });
  afterAll(() => void silent.close());

  const rows: readonly Row[] = [
    { name: 'a zone that is not served', corefile: 'example.org {\n whoami\n}', want: ['REFUSED', NO_ZONE] },
    { name: 'a class that nobody takes', corefile: '. {\n whoami\n}', asked: { class: 3 }, want: ['REFUSED', NO_ZONE] },
    { name: 'a block without plugins', corefile: '. {\n}', want: ['REFUSED', NO_ZONE] },
    {
      name: 'a view that takes other queries',
      corefile: ". {\n view v {\n  expr name() == 'other.test.'\n }\n whoami\n}",
      want: ['REFUSED', NO_ZONE],
    },
    {
      name: 'no plugin that answers',
      corefile: '. {\n errors\n}',
      want: ['SERVFAIL', '20 nothing here answers for this name'],
    },
    {
      name: 'a plugin that throws',
      corefile: '. {\n whoami\n}',
      options: instead(PANIC),
      want: ['SERVFAIL', '0 a plugin failed'],
    },
    {
      name: 'a plugin that throws later',
      corefile: '. {\n whoami\n}',
      options: instead(PANIC_LATE),
      want: ['SERVFAIL', '0 a plugin failed'],
    },
    {
      name: 'a plugin that answers with no reply',
      corefile: '. {\n whoami\n}',
      options: instead(NO_REPLY),
      want: ['SERVFAIL', '0 a plugin failed'],
    },
    {
      name: 'a plugin that does not come to an end',
      corefile: '. {\n whoami\n}',
      options: { ...instead(NEVER), queryTime: 20 },
      want: ['SERVFAIL', '0 not answered in time'],
    },
    { name: 'acl, blocked', corefile: '. {\n acl {\n  block\n }\n whoami\n}', want: ['REFUSED', '15 '] },
    { name: 'acl, filtered', corefile: '. {\n acl {\n  filter\n }\n whoami\n}', want: ['NOERROR', '17 '] },
    {
      name: 'limit',
      corefile: '. {\n limit {\n  per_client 1 1\n }\n whoami\n}',
      before: 'www.example.test.',
      want: ['REFUSED', '18 too many queries'],
    },
    {
      name: 'a signature that is missing',
      corefile: '. {\n tsig {\n  secret key. c2VjcmV0c2VjcmV0\n  require all\n }\n whoami\n}',
      want: ['REFUSED', '18 a signature is required'],
    },
    {
      name: 'erratic, for other types',
      corefile: '. {\n erratic {\n  drop 0\n }\n}',
      type: 'MX',
      want: ['SERVFAIL', '21 only A, AAAA and AXFR are answered'],
    },
    {
      name: 'hosts without the name',
      corefile: '. {\n hosts {\n  192.0.2.1 www.other.test\n }\n}',
      want: ['SERVFAIL', '20 the hosts file does not have this name'],
    },
    {
      name: 'template without a match',
      corefile: '. {\n template IN A {\n  match ^x\n  rcode NXDOMAIN\n }\n}',
      want: ['SERVFAIL', '20 no template matches this name'],
    },
    {
      name: 'template that makes no record',
      corefile: '. {\n template IN A {\n  answer "{{ .Name }} 60 IN A {{ .Type }}"\n }\n}',
      want: ['SERVFAIL', '0 a template makes no record of this name'],
    },
    {
      name: 'rewrite to a name that is none',
      corefile: `. {\n rewrite name regex (.*) ${'x'.repeat(64)}.{1}\n whoami\n}`,
      want: ['SERVFAIL', '0 a rewritten name breaks its limits'],
    },
    {
      name: 'a cluster that is not known yet',
      corefile: '. {\n kubernetes cluster.local {\n  endpoint http://127.0.0.1:1\n  startup_timeout 0s\n }\n}',
      question: 'a.b.svc.cluster.local.',
      want: ['SERVFAIL', '14 the cluster is not known yet'],
    },
    {
      name: 'a cluster that is to be transferred',
      corefile: '. {\n kubernetes cluster.local {\n  endpoint http://127.0.0.1:1\n  startup_timeout 0s\n }\n}',
      question: 'cluster.local.',
      type: 'AXFR',
      asked: { transport: 'tcp' },
      want: ['REFUSED', '18 this zone is not given away'],
    },
    {
      name: 'a zone that is not loaded',
      corefile: '. {\n secondary example.test {\n  transfer from 127.0.0.1:1\n }\n}',
      question: 'example.test.',
      want: ['SERVFAIL', '24 the zone is not loaded'],
    },
    {
      name: 'a transfer that nobody may have',
      corefile: '. {\n secondary example.test {\n  transfer from 127.0.0.1:1\n }\n}',
      question: 'example.test.',
      type: 'AXFR',
      asked: { transport: 'tcp' },
      want: ['REFUSED', '18 this zone is not given away'],
    },
    {
      name: 'a transfer of a zone that is not loaded',
      corefile: '. {\n secondary example.test {\n  transfer from 127.0.0.1:1\n }\n transfer {\n  to *\n }\n}',
      question: 'example.test.',
      type: 'AXFR',
      asked: { transport: 'tcp' },
      want: ['SERVFAIL', '14 the zone is not loaded'],
    },
    {
      name: 'a transfer to another address',
      corefile: '. {\n secondary example.test {\n  transfer from 127.0.0.1:1\n }\n transfer {\n  to 192.0.2.1\n }\n}',
      question: 'example.test.',
      type: 'AXFR',
      asked: { transport: 'tcp' },
      want: ['REFUSED', '18 this zone is not given to this address'],
    },
    {
      name: 'a transfer over UDP',
      corefile: '. {\n secondary example.test {\n  transfer from 127.0.0.1:1\n }\n transfer {\n  to *\n }\n}',
      question: 'example.test.',
      type: 'AXFR',
      want: ['REFUSED', '21 zones are transferred over TCP'],
    },
    {
      name: 'a change that is asked for without a beginning',
      corefile: '. {\n secondary example.test {\n  transfer from 127.0.0.1:1\n }\n transfer {\n  to *\n }\n}',
      question: 'example.test.',
      type: 'IXFR',
      asked: { transport: 'tcp' },
      want: ['SERVFAIL', '0 the query has no SOA record to go on from'],
    },
    {
      name: 'etcd that does not answer',
      corefile: '. {\n etcd example.test {\n  endpoint http://127.0.0.1:1\n }\n}',
      want: ['SERVFAIL', '23 etcd does not answer'],
    },
    {
      name: 'Nomad that does not answer',
      corefile: 'service.nomad {\n nomad service.nomad {\n  address http://127.0.0.1:1\n }\n}',
      question: 'a.default.service.nomad.',
      want: ['SERVFAIL', '23 Nomad does not answer'],
    },
    {
      name: 'grpc without an upstream',
      corefile: '. {\n grpc . 127.0.0.1:1\n}',
      want: ['SERVFAIL', '22 no answer from any upstream'],
    },
    {
      name: 'forward to nobody',
      corefile: '. {\n forward . 127.0.0.1:1\n}',
      want: ['SERVFAIL', '23 upstream unreachable'],
    },
    {
      name: 'forward to nobody, again',
      corefile: '. {\n forward . 127.0.0.1:1\n}',
      before: 'www.example.test.',
      want: ['SERVFAIL', '13 ', '23 upstream unreachable'],
    },
    {
      name: 'forward to one that is silent',
      corefile: '. {\n forward . 127.0.0.1:PORT\n}',
      want: ['SERVFAIL', '22 no answer from any upstream'],
    },
    {
      name: 'forward, with too much under way',
      corefile: '. {\n forward . 127.0.0.1:PORT {\n  max_concurrent 1\n }\n}',
      beside: 'other.example.test.',
      want: ['REFUSED', '14 too many queries are under way'],
    },
    {
      name: 'a transfer where one message is all that can be sent',
      corefile: 'example.test {\n file /db\n transfer {\n  to *\n }\n}',
      question: 'example.test.',
      type: 'AXFR',
      asked: { transport: 'tcp' },
      options: { files: { readFile: () => ZONE, glob: () => [], fileInfo: () => ({ mtime: 0, size: ZONE.length }) } },
      want: ['REFUSED', '21 zones are transferred over TCP'],
    },
    {
      name: 'no memory',
      corefile: '. {\n whoami\n}',
      options: { memory: full as unknown as MemoryCeiling },
      want: ['REFUSED', '14 the server is short of memory'],
    },
  ];

  // Some wait for what does not come: all wait at once.
  it.concurrent.each(rows)(
    '$name',
    async ({ corefile, question = 'www.example.test.', type = 'A', asked, before, beside, options, want }) => {
      const metrics = new Metrics();
      const server = await Server.create({ corefile: corefile.replace('PORT', String(port)), metrics, ...options });
      try {
        const ask = async (name: string, edns?: number): Promise<Message> => {
          const { transport, ...rest } = asked ?? {};
          const bytes = query(name, type, { ...rest, edns }).bytes;
          return decodeMessage((await server.exchange(bytes, transport && { transport }))!);
        };
        if (before !== undefined) await ask(before, 1232);
        if (beside !== undefined) void ask(beside);
        const told = await ask(question, 1232);
        expect([rcodeName(told.rcode), ...errorsOf(told)]).toEqual(want);
        const text = await metrics.text();
        for (const line of want.slice(1))
          expect(text).toContain(
            `coredns_dns_extended_errors_total{code="${line.split(' ', 1)[0]}",server="dns://:53"} `,
          );
        expect((await ask(question)).edns).toBeUndefined();
        expect(counted(await metrics.text())).toEqual(counted(text));
      } finally {
        await server.stop();
      }
    },
  );
});

const counted = (text: string): string[] =>
  text.split('\n').filter((line) => line.startsWith('coredns_dns_extended_errors_total'));

const errorsOf = ({ edns }: Message): string[] =>
  (edns?.options ?? [])
    .filter(({ code }) => code === 15)
    .map(({ data }) => `${(data[0]! << 8) | data[1]!} ${Buffer.from(data.subarray(2)).toString()}`);
