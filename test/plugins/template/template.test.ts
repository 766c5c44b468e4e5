import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Next, type Outcome } from '../../../src/chain/index.js';
import { template } from '../../../src/plugins/template/setup.js';
import { setup } from '../../support/block.js';
import { query, reply, rr, summary, type QuestionOptions } from '../../support/dns.js';
import { exampleUpstream, recordedSets } from '../../support/example-upstream.js';

const outcome = async (
  text: string,
  name: string,
  type = 'A',
  options: QuestionOptions = {},
  ask: Next = exampleUpstream,
): Promise<Outcome> => setup(template, text, { ask }).ask(query(name, type, options), exampleUpstream);
const SERVFAIL = { rcode: 'SERVFAIL', flags: '' };
const UPSTREAM = {
  rcode: 'NXDOMAIN',
  flags: 'ra',
  authority: ['test. 900 IN SOA ns1.test. hostmaster.test. 2025073000 1800 900 604800 900'],
};

describe.each(recordedSets('template'))('recorded: $set', ({ block, cases }) => {
  it.each(cases)('$qname $type', async ({ qname, type, want }) => {
    expect(summary(await outcome(block, qname, type))).toEqual(want);
  });
});

describe('template', () => {
  const rows: {
    name: string;
    text: string;
    qname?: string;
    type?: string;
    options?: QuestionOptions;
    want: unknown;
  }[] = [
    { name: 'no options: an empty answer', text: 'template IN A', want: { rcode: 'NOERROR', flags: 'aa' } },
    { name: 'another class goes on', text: 'template CH A', want: UPSTREAM },
    {
      name: 'class ANY',
      text: 'template ANY A {\nanswer "a 5 {{ .Class }} A 192.0.2.1"\n}',
      options: { class: 3 },
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['a. 5 CH A 192.0.2.1'] },
    },
    {
      name: 'a question of class ANY',
      text: 'template IN A {\nanswer "a 5 {{ .Class }} A 192.0.2.1"\n}',
      options: { class: 255 },
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['a. 5 IN A 192.0.2.1'] },
    },
    { name: 'another type goes on', text: 'template IN MX', want: UPSTREAM },
    {
      name: 'a question of type ANY',
      text: 'template IN MX {\nanswer "a 5 IN {{ .Type }} 1 b"\n}',
      type: 'ANY',
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['a. 5 IN MX 1 b.'] },
    },
    { name: 'another zone goes on', text: 'template IN A example.org', want: UPSTREAM },
    {
      name: 'the zones of the block',
      text: 'template IN A {\nanswer "{{ .Zone }} 5 IN A 192.0.2.1"\n}',
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['. 5 IN A 192.0.2.1'] },
    },
    {
      name: 'the nearest zone',
      text: 'template IN A test x.test {\nanswer "{{ .Zone }} 5 IN A 192.0.2.1"\n}',
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['x.test. 5 IN A 192.0.2.1'] },
    },
    { name: 'no pattern matches', text: 'template IN A {\nmatch ^b\n}', want: SERVFAIL },
    {
      name: 'no pattern matches, but it falls through',
      text: 'template IN A {\nmatch ^b\nfallthrough\n}',
      want: UPSTREAM,
    },
    {
      name: 'it falls through for another zone',
      text: 'template IN A {\nmatch ^b\nfallthrough example.org\n}',
      want: SERVFAIL,
    },
    {
      name: 'it falls through to the next template',
      text: 'template IN A {\nmatch ^b\nfallthrough test\n}\ntemplate IN A {\nrcode REFUSED\n}',
      want: { rcode: 'REFUSED', flags: 'aa' },
    },
    {
      name: 'the first pattern that matches',
      text: 'template IN A {\nmatch ^z ^(?P<n>a)\nmatch (.*)\nanswer "{{ .Group.n }}.{{ index .Match 1 }}.{{ index .Group `1` }} 5 IN TXT {{ .Regex | printf `%q` }}"\n}',
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['a.a.a. 5 IN TXT "^(?P<n>a)"'] },
    },
    {
      name: 'rcode SERVFAIL makes no answer',
      text: 'template IN A {\nrcode SERVFAIL\nanswer "a 5 IN A 192.0.2.1"\n}',
      want: SERVFAIL,
    },
    {
      name: 'all sections, several records on a line',
      text: 'template IN A {\nauthority "n 5 IN NS a."\nanswer "a 5 IN A 192.0.2.1" "b 5 IN A 192.0.2.2"\nadditional "c IN A 192.0.2.3"\n}',
      want: {
        rcode: 'NOERROR',
        flags: 'aa',
        answer: ['a. 5 IN A 192.0.2.1', 'b. 5 IN A 192.0.2.2'],
        authority: ['n. 5 IN NS a.'],
        additional: ['c. 3600 IN A 192.0.2.3'],
      },
    },
    {
      name: 'parseInt',
      text: 'template IN A {\nmatch "^(?P<b>..)"\nanswer "{{ .Name }} 5 IN A 10.{{ parseInt .Group.b 16 8 }}.{{ parseInt `0x1_0` 0 0 }}.{{ parseInt `010` 0 8 }}"\n}',
      qname: '7b.test.',
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['7b.test. 5 IN A 10.123.16.8'] },
    },
    ...[
      ['`11` 2 8', '3'],
      ['`zZ` 36 16', '1295'],
      ['`19` 0 8', '19'],
      ['`0b101` 0 8', '5'],
      ['`0o17` 0 8', '15'],
      ['`18446744073709551615` 10 0', '18446744073709551615'],
    ].map(([args, value]) => ({
      name: `parseInt ${args}`,
      text: `template IN A {\nanswer "a 5 IN TXT {{ parseInt ${args} }}"\n}`,
      want: { rcode: 'NOERROR', flags: 'aa', answer: [`a. 5 IN TXT "${value}"`] },
    })),
    {
      name: "the client's address",
      text: 'template IN A {\nanswer "a 5 IN A {{ .Remote }}"\n}',
      options: { remote: '198.51.100.7' },
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['a. 5 IN A 198.51.100.7'] },
    },
    {
      name: 'the question',
      text: 'template IN A {\nanswer "{{ .Question.Name }} {{ .Question.Qtype }} IN TXT {{ .Question.Qclass }} {{ printf `%q` .Question }}"\n}',
      qname: 'X.Test.',
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['X.Test. 1 IN TXT "1" ";X.Test.tINt A"'] },
    },
    {
      name: 'the message',
      text: 'template IN A {\nanswer "a 5 IN TXT {{ .Message.Id }} {{ .Message.MsgHdr.RecursionDesired }} {{ (index .Message.Question 0).Name }} {{ len .Message.Extra }}"\n}',
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['a. 5 IN TXT "4660" "true" "a.x.test." "0"'] },
    },
    {
      name: 'metadata, where none is collected',
      text: 'template IN A {\nanswer "a 5 IN TXT <{{ .Meta `a/b` }}>"\n}',
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['a. 5 IN TXT "<>"'] },
    },
    {
      name: 'upstream changes nothing',
      text: 'template IN A {\nupstream x y\n}',
      want: { rcode: 'NOERROR', flags: 'aa' },
    },
  ];
  it.each(rows)('$name', async ({ text, qname, type, options, want }) => {
    expect(summary(await outcome(text, qname ?? 'a.x.test.', type, options))).toEqual(want);
  });

  it('adds an extended error', async () => {
    const made = (await outcome(
      'template ANY ANY invalid {\nrcode NXDOMAIN\nederror 21 "Blocked"\n}',
      'x.invalid.',
    )) as Reply;
    expect(summary(made)).toEqual({ rcode: 'NXDOMAIN', flags: 'aa' });
    expect(made.edns).toEqual({
      udpSize: 4096,
      version: 0,
      do: true,
      options: [{ code: 15, data: Buffer.from('\0\x15Blocked') }],
    });
  });

  it('adds an extended error of a high number without a reason', async () => {
    const made = (await outcome('template ANY ANY {\nederror 49153\n}', 'x.')) as Reply;
    expect(made.edns!.options).toEqual([{ code: 15, data: Buffer.of(0xc0, 1) }]);
  });

  it('knows flags and records of the message', async () => {
    const text = ['Truncated', 'CheckingDisabled', 'Response'].map((flag) => `{{ .Message.${flag} }}`).join(' ');
    const header =
      '{{ with (index .Message.Ns 0).Header }}{{ .Name }} {{ .Rrtype }} {{ .Ttl }} {{ .Rdlength }}{{ end }}';
    const asked = query('x.', 'A', { cd: true }).withMessage((message) => ({
      ...message,
      authority: [rr('a. 7 IN A 192.0.2.1')],
    }));
    const made = await setup(template, `template IN A {\nanswer "a 5 IN TXT ${text} ${header}"\n}`).ask(asked);
    expect(summary(made)).toMatchObject({ answer: ['a. 5 IN TXT "false" "true" "false" "a." "1" "7" "4"'] });
    const bad = setup(template, 'template IN A {\nanswer "{{ (index .Message.Ns 0).Header 1 }}"\n}').ask(
      asked,
    ) as Reply;
    expect(bad.cause!.message).toContain('wrong number of args for Header: want 0 got 1');
  });

  it('gives a plain value where nothing is asked upstream', () => {
    expect(setup(template, 'template IN A').ask(query('a.'))).toBeInstanceOf(Reply);
  });
});

describe('a CNAME', () => {
  const text =
    'template IN ANY alias.test {\nanswer "{{ .Name }} 60 IN CNAME WWW.example.org." "second 5 IN A 192.0.2.1"\n}';
  const alias = 'alias.test. 60 IN CNAME WWW.example.org.';
  it.each([
    {
      name: 'is followed for A',
      type: 'A',
      ask: exampleUpstream,
      want: {
        rcode: 'NOERROR',
        flags: 'aa',
        answer: [alias, 'www.example.org. 300 IN A 93.184.216.34', 'second. 5 IN A 192.0.2.1'],
      },
    },
    {
      name: 'is followed for AAAA, when that takes a while',
      type: 'AAAA',
      ask: (q: Parameters<Next>[0]) => Promise.resolve(exampleUpstream(q)),
      want: {
        rcode: 'NOERROR',
        flags: 'aa',
        answer: [alias, 'www.example.org. 300 IN AAAA 2606:2800:220:1:248:1893:25c8:1946', 'second. 5 IN A 192.0.2.1'],
      },
    },
    {
      name: 'is not followed for other types',
      type: 'TXT',
      ask: exampleUpstream,
      want: { rcode: 'NOERROR', flags: 'aa', answer: [alias, 'second. 5 IN A 192.0.2.1'] },
    },
    {
      name: 'whose target fails stands alone',
      type: 'A',
      ask: () => Reply.failure(2),
      want: { rcode: 'NOERROR', flags: 'aa', answer: [alias, 'second. 5 IN A 192.0.2.1'] },
    },
    {
      name: 'whose target is not answered stands alone',
      type: 'A',
      ask: () => DROP as Outcome,
      want: { rcode: 'NOERROR', flags: 'aa', answer: [alias, 'second. 5 IN A 192.0.2.1'] },
    },
    {
      name: 'whose target was cut short is cut short',
      type: 'A',
      ask: () => reply({ flags: 0x200 }),
      want: { rcode: 'NOERROR', flags: 'aa,tc', answer: [alias, 'second. 5 IN A 192.0.2.1'] },
    },
  ])('$name', async ({ type, ask, want }) => {
    expect(summary(await outcome(text, 'alias.test.', type, {}, ask as Next))).toEqual(want);
  });

  it('that leads to itself comes to an end', async () => {
    const { block, ask } = setup(template, 'template IN A {\nanswer "{{ .Name }} 60 IN CNAME x.{{ .Name }}"\n}');
    block.ask = (question) => ask(question);
    expect(((await ask(query('a.'))) as Reply).answerCount).toBe(9);
  });
});

describe('mistakes in templates', () => {
  it.each([
    {
      name: 'a field that is not there',
      answer: '{{ .Nme }} A 192.0.2.1',
      cause: "can't evaluate field Nme in type templateData",
      metric: 'coredns_template_template_failures_total',
      label: '{{.Nme}} A 192.0.2.1',
    },
    {
      name: 'parseInt of text',
      answer: '{{ parseInt .Name 10 8 }}',
      cause: "error calling parseInt: 'x.' is no number of base 10",
      metric: 'coredns_template_template_failures_total',
      label: '{{parseInt .Name 10 8}}',
    },
    {
      name: 'parseInt of nothing',
      answer: '{{ parseInt `` 10 8 }}',
      cause: "error calling parseInt: '' is no number of base 10",
      metric: 'coredns_template_template_failures_total',
      label: '{{parseInt `` 10 8}}',
    },
    {
      name: 'parseInt of a number with its underscore in a wrong place',
      answer: '{{ parseInt `_1` 0 8 }}',
      cause: "error calling parseInt: '_1' is no number of base 0",
      metric: 'coredns_template_template_failures_total',
      label: '{{parseInt `_1` 0 8}}',
    },
    {
      name: 'parseInt of too much',
      answer: '{{ parseInt `256` 10 8 }}',
      cause: "error calling parseInt: '256' is out of range for 8 bits",
      metric: 'coredns_template_template_failures_total',
      label: '{{parseInt `256` 10 8}}',
    },
    {
      name: 'parseInt with a bad base',
      answer: '{{ parseInt `1` 37 8 }}',
      cause: 'error calling parseInt: base 37, allowed: 0 and 2 to 36',
      metric: 'coredns_template_template_failures_total',
      label: '{{parseInt `1` 37 8}}',
    },
    {
      name: 'parseInt with too many bits',
      answer: '{{ parseInt `1` 10 65 }}',
      cause: 'error calling parseInt: 65 bits, allowed: 0 to 64',
      metric: 'coredns_template_template_failures_total',
      label: '{{parseInt `1` 10 65}}',
    },
    {
      name: 'parseInt without arguments',
      answer: '{{ parseInt }}',
      cause: 'error calling parseInt: wrong number of args for parseInt: want 3 got 0',
      metric: 'coredns_template_template_failures_total',
      label: '{{parseInt}}',
    },
    {
      name: 'Meta of a number',
      answer: '{{ .Meta 1 }}',
      cause: 'wrong type for an argument of Meta: want string got int',
      metric: 'coredns_template_template_failures_total',
      label: '{{.Meta 1}}',
    },
    ...[
      ['base -1', '{{parseInt `1` -1 8}}', 'base -1, allowed: 0 and 2 to 36'],
      ['base 1', '{{parseInt `1` 1 8}}', 'base 1, allowed: 0 and 2 to 36'],
      ['less than no bits', '{{parseInt `1` 10 -1}}', '-1 bits, allowed: 0 to 64'],
      ['a digit that the base does not have', '{{parseInt `12` 2 8}}', "'12' is no number of base 2"],
      ['what is no digit', '{{parseInt `1-` 36 8}}', "'1-' is no number of base 36"],
    ].map(([what, answer, error]) => ({
      name: `parseInt with ${what!}`,
      answer: answer!,
      cause: `error calling parseInt: ${error!}`,
      metric: 'coredns_template_template_failures_total',
      label: answer!,
    })),
    {
      name: 'Meta of two labels',
      answer: '{{.Meta `a/b` `c/d`}}',
      cause: 'wrong number of args for Meta: want 1 got 2',
      metric: 'coredns_template_template_failures_total',
      label: '{{.Meta `a/b` `c/d`}}',
    },
    {
      name: 'text that is no record',
      answer: '{{ .Name }} IN A nowhere',
      cause: "answer template '{{.Name}} IN A nowhere': expected an IPv4 address, got 'nowhere'",
      metric: 'coredns_template_rr_failures_total',
      label: '{{.Name}} IN A nowhere',
    },
    {
      name: 'no text at all',
      answer: '{{ if false }}x{{ end }}',
      cause: "answer template '{{if false}}x{{end}}': empty record",
      metric: 'coredns_template_rr_failures_total',
      label: '{{if false}}x{{end}}',
    },
  ])('$name', async ({ answer, cause, metric, label }) => {
    const { block, ask } = setup(template, `template IN A {\nanswer "${answer}"\n}`);
    const made = ask(query('x.')) as Reply;
    expect(made).toMatchObject({ rcode: 2, written: false });
    expect(made.cause!.message).toContain(cause);
    expect(await block.metrics.text()).toContain(
      `${metric}{class="IN",section="answer",server="dns://127.0.0.1:53",template="${label}",type="A",view="",zone="."} 1\n`,
    );
  });

  it('are met in the answer first, then in the additional section', () => {
    const lines = ['authority "a IN A 1"', 'additional "a IN A 2"', 'answer "a IN A 3"'];
    const first = (count: number): string => {
      const made = setup(template, `template IN A {\n${lines.slice(0, count).join('\n')}\n}`).ask(query('x.'));
      return (made as Reply).cause!.message.split(' ')[0]!;
    };
    expect([1, 2, 3].map(first)).toEqual(['authority', 'additional', 'answer']);
  });

  it('matches are counted by zone, class and type', async () => {
    const { block, ask } = setup(template, 'template ANY ANY a.test test');
    for (const [name, type] of [
      ['a.test.', 'A'],
      ['b.a.test.', 'A'],
      ['test.', 'TXT'],
      ['test.', 'TYPE65280'],
    ] as const)
      void ask(query(name, type));
    const text = await block.metrics.text();
    expect(text).toContain(
      'coredns_template_matches_total{class="IN",server="dns://127.0.0.1:53",type="A",view="",zone="a.test."} 2\n',
    );
    expect(text).toContain(
      'coredns_template_matches_total{class="IN",server="dns://127.0.0.1:53",type="TXT",view="",zone="test."} 1\n',
    );
    expect(text).toContain(
      'coredns_template_matches_total{class="IN",server="dns://127.0.0.1:53",type="",view="",zone="test."} 1\n',
    );
  });
});

describe('bad text', () => {
  it.each([
    {
      name: 'no class',
      text: 'template',
      error:
        'Corefile:2: template: got no argument, allowed: at least 2 arguments; usage: template CLASS TYPE [ZONES...]',
    },
    {
      name: 'no type',
      text: 'template ANY',
      error: "Corefile:2: template: got 1 argument ('ANY'), allowed: at least 2 arguments",
    },
    {
      name: 'an unknown class',
      text: 'template X A',
      error: "Corefile:2: template: CLASS: got 'X', allowed: IN, CH, HS, NONE, ANY or CLASS with a number",
    },
    {
      name: 'an unknown type',
      text: 'template IN X',
      error: "Corefile:2: template: TYPE: got 'X', allowed: a record type such as A, MX or TYPE65280, or ANY",
    },
    {
      name: 'an unknown option',
      text: 'template IN A {\nansver x\n}',
      error:
        "Corefile:3: template: unknown option 'ansver'; allowed: match, answer, additional, authority, rcode, ederror, fallthrough, upstream",
    },
    {
      name: 'match without a pattern',
      text: 'template IN A {\nmatch\n}',
      error: 'Corefile:3: template: match: got no argument, allowed: at least 1 argument; usage: match REGEX...',
    },
    {
      name: 'a bad pattern',
      text: 'template IN A {\nmatch (?P<x>\n}',
      error: "Corefile:3: template: match: got regular expression '(?P<x>', error parsing regexp: missing closing )",
    },
    ...['answer', 'additional', 'authority'].flatMap((option) => [
      {
        name: `${option} without a record`,
        text: `template IN A {\n${option}\n}`,
        error: `Corefile:3: template: ${option}: got no argument, allowed: at least 1 argument; usage: ${option} RECORD...`,
      },
      {
        name: `${option} with a bad template`,
        text: `template IN A {\n${option} "{{"\n}`,
        error: `Corefile:3: template: ${option}: got template '{{', action without closing }}`,
      },
    ]),
    {
      name: 'an unknown function',
      text: 'template IN A {\nanswer "{{ no }}"\n}',
      error: "Corefile:3: template: answer: got template '{{ no }}', function 'no' not defined; allowed:",
    },
    {
      name: 'rcode without a code',
      text: 'template IN A {\nrcode\n}',
      error: 'Corefile:3: template: rcode: got no argument, allowed: 1 argument; usage: rcode CODE',
    },
    {
      name: 'an unknown rcode',
      text: 'template IN A {\nrcode UNDEFINED\n}',
      error:
        "Corefile:3: template: rcode: got 'UNDEFINED', allowed: a response code such as NOERROR, NXDOMAIN, SERVFAIL or REFUSED",
    },
    {
      name: 'an extended error that is no number',
      text: 'template IN A {\nederror x\n}',
      error: "Corefile:3: template: ederror: CODE: got 'x', allowed: a whole number from 0 to 65535",
    },
    {
      name: 'an extended error with too many words',
      text: 'template IN A {\nederror 1 too many\n}',
      error:
        "Corefile:3: template: ederror: got 3 arguments ('1' 'too' 'many'), allowed: 1 to 2 arguments; usage: ederror CODE [REASON]",
    },
    {
      name: 'falling through to no zone',
      text: 'template IN A {\nfallthrough a..b\n}',
      error: "Corefile:3: template: fallthrough: got zone 'a..b'",
    },
    {
      name: 'a block in an option',
      text: 'template IN A {\nrcode REFUSED {\n}\n}',
      error: 'Corefile:3: template: rcode: got a block in { }, allowed: none',
    },
  ])('$name', ({ text, error }) => {
    expect(() => setup(template, text)).toThrow(error);
  });
});
