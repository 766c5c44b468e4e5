import { describe, expect, it } from 'vitest';
import { Metadata, QueryContext, Query, type View } from '../../../src/chain/index.js';
import { view } from '../../../src/plugins/view/setup.js';
import { setup } from '../../support/block.js';
import { query, reply, type QuestionOptions } from '../../support/dns.js';

function made(...lines: string[]): { view: View; block: ReturnType<typeof setup>['block'] } {
  const { block } = setup(view, `view v {\n${lines.map((line) => `expr ${line}`).join('\n')}\n}`);
  return { view: block.settings.view!, block };
}

const matches = (line: string, options: QuestionOptions & { qname?: string; type?: string } = {}): boolean =>
  made(line).view.matches(query(options.qname ?? 'Www.Example.org.', options.type ?? 'A', options));

describe('functions', () => {
  it.each([
    { line: "name() == 'www.example.org.'" },
    { line: "type() == 'AAAA'", options: { type: 'AAAA' } },
    { line: "type() in ['TYPE65280']", options: { type: 'TYPE65280' } },
    { line: "class() == 'CH'", options: { class: 3 } },
    { line: "client_ip() == '192.0.2.7'", options: { remote: '192.0.2.7' } },
    { line: "client_ip() == '192.0.2.7'", options: { remote: '::ffff:192.0.2.7' } },
    { line: "client_ip() == '2001:db8::7'", options: { remote: '2001:db8::7' } },
    { line: "port() == '40212'" },
    { line: "server_ip() == '127.0.0.1' and server_port() == '53'" },
    { line: "proto() == 'tcp'", options: { transport: 'tcp' as const } },
    { line: "proto() == 'tcp'", options: { transport: 'tls' as const } },
    { line: "proto() == 'udp'", options: { transport: 'quic' as const } },
    { line: 'bufsize() == 512' },
    { line: 'bufsize() == 4096', options: { edns: 4096 } },
    { line: 'bufsize() == 65535', options: { transport: 'tcp' as const } },
    { line: 'do()', options: { edns: 1232, do: true } },
    { line: 'id() == 4660 and opcode() == 0' },
    { line: 'size() == 33' },
    { line: "incidr(client_ip(), '10.0.0.0/8')", options: { remote: '10.1.2.3' } },
    { line: "incidr(client_ip(), '10.0.0.0/8')", options: { remote: '::ffff:10.1.2.3' } },
    { line: "incidr(client_ip(), 'fe80::/10')", options: { remote: 'fe80::1%eth0' } },
    { line: "not incidr(client_ip(), '::/0')", options: { remote: '10.1.2.3' } },
    { line: "metadata('nosuch/label') == ''" },
  ])('$line $options', ({ line, options }) => expect(matches(line, options)).toBe(true));

  it('metadata', () => {
    const asked = query('a.');
    const context = new QueryContext(asked.client, 0);
    context.metadata = new Metadata(asked, new Map([['geoip/country/code', () => 'GB']]));
    const known = new Query(asked.bytes, context);
    expect(made("metadata('geoip/country/code') == 'GB'").view.matches(known)).toBe(true);
    expect(made("metadata('geoip/city/name') == 'GB'").view.matches(known)).toBe(false);
  });
});

describe('view', () => {
  it('fits where all conditions hold', () => {
    const both = made("type() == 'A'", 'do()').view;
    expect(both.matches(query('a.', 'A', { edns: 1232, do: true }))).toBe(true);
    expect(both.matches(query('a.', 'A'))).toBe(false);
    expect(made().view.matches(query('a.'))).toBe(true);
  });

  it('does not fit what a condition cannot be evaluated for, and says why', () => {
    const { view: one, block } = made("incidr(name(), '10.0.0.0/8')");
    expect(one.matches(query('a.'))).toBe(false);
    expect(block.log.lines).toEqual([
      "[DEBUG] plugin/view: view v: incidr: got 'a.', allowed: an IPv4 or IPv6 address",
    ]);
  });

  it('hands queries on, and tells its name', () => {
    const { ask, handlers } = setup(view, 'view office');
    const next = reply();
    expect(ask(query('a.'), () => next)).toBe(next);
    expect((handlers[0] as unknown as { metadata(): Record<string, () => string> }).metadata()['view/name']!()).toBe('office'); // prettier-ignore
  });

  it.each([
    { name: 'the question', lines: ["type() == 'A' and not do()"], want: { dependsOn: 'question' } },
    { name: 'nothing', lines: [], want: { dependsOn: 'question' } },
    {
      name: "the client's network",
      lines: ["incidr(client_ip(), '10.0.0.0/8') or incidr(client_ip(), '192.0.2.0/25')", "name() == 'a.'"],
      want: { dependsOn: 'client', clientNetworks: { ipv4: 25, ipv6: 0 } },
    },
    {
      name: "the client's network in both families",
      lines: ["incidr(client_ip(), '10.0.0.0/8') or incidr(client_ip(), 'fd00::/7')"],
      want: { dependsOn: 'client', clientNetworks: { ipv4: 8, ipv6: 7 } },
    },
    {
      name: "the client's network in IPv6 alone",
      lines: ["incidr(client_ip(), 'fd00::/7')"],
      want: { dependsOn: 'client', clientNetworks: { ipv4: 0, ipv6: 7 } },
    },
    {
      name: 'a block that is not written out',
      lines: ["incidr(client_ip(), metadata('a/b'))"],
      want: { dependsOn: 'query' },
    },
    {
      name: "the client's address",
      lines: ["incidr(client_ip(), '10.0.0.0/8') or client_ip() == '::1'"],
      want: { dependsOn: 'client', clientNetworks: { ipv4: 32, ipv6: 128 } },
    },
    { name: 'the size that the client offers', lines: ['bufsize() > 512'], want: { dependsOn: 'query' } },
    { name: 'metadata', lines: ["metadata('a/b') == ''"], want: { dependsOn: 'query' } },
    { name: 'an address from elsewhere', lines: ["incidr(server_ip(), '10.0.0.0/8')"], want: { dependsOn: 'query' } },
  ])('says that it depends on $name', ({ lines, want }) => expect(made(...lines).view).toMatchObject(want));

  it.each([
    { name: 'no name', text: 'view', error: '2: view: got no argument' },
    { name: 'two names', text: 'view a b', error: "2: view: got 2 arguments ('a' 'b')" },
    { name: 'another option', text: 'view a {\nfoo bar\n}', error: "3: view: unknown option 'foo'; allowed: expr" },
    { name: 'a second one', text: 'view a\nview b', error: '3: view: got it a second time in this server block' },
    { name: 'no expression', text: 'view a {\nexpr\n}', error: '3: view: expr: got no argument' },
    {
      name: 'what does not parse',
      text: 'view a {\nexpr type() ==\n}',
      error: '3: view: expr: got expression "type() ==": expected expression after == at character 10',
    },
    {
      name: 'what has the wrong type',
      text: 'view a {\nexpr true\nexpr type() == 1\n}',
      error: `4: view: expr: got expression "type() == 1": 'type() == 1': == got string and int`,
    },
    {
      name: 'an address block that is none',
      text: "view a {\nexpr incidr(client_ip(), '10.0.0.0')\n}",
      error: `3: view: expr: got expression "incidr(client_ip(), '10.0.0.0')": incidr got '10.0.0.0', allowed: an address`,
    },
  ])('refuses $name', ({ text, error }) => expect(() => setup(view, text)).toThrow(`Corefile:${error}`));
});
