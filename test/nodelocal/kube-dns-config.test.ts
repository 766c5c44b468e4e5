import { describe, expect, it } from 'vitest';
import { KubeDnsConfigError, parseKubeDnsConfig } from '../../src/nodelocal/kube-dns-config.js';

const parse = (files: Record<string, string>): ReturnType<typeof parseKubeDnsConfig> =>
  parseKubeDnsConfig(new Map(Object.entries(files)));

const LONG = `${'a.'.repeat(126)}a`;

describe('parseKubeDnsConfig', () => {
  it.each<{ name: string; files: Record<string, string>; stubs?: [string, string[]][]; upstreams?: string[] }>([
    { name: 'nothing', files: {} },
    { name: 'other files', files: { federations: 'nonsense' } },
    { name: 'empty settings', files: { stubDomains: '{}', upstreamNameservers: '[]' } },
    {
      name: 'stub domains',
      files: { stubDomains: '{"acme.local": ["1.1.1.1"], "w-1.local": ["2.2.2.2:10053", "fd00::1", "[fd00::2]:53"]}' },
      stubs: [
        ['acme.local', ['1.1.1.1']],
        ['w-1.local', ['2.2.2.2:10053', 'fd00::1', '[fd00::2]:53']],
      ],
    },
    {
      name: 'upstreams',
      files: { upstreamNameservers: '["8.8.8.8", "8.8.4.4:53", "[2001:db8::1]:5353"]' },
      upstreams: ['8.8.8.8', '8.8.4.4:53', '[2001:db8::1]:5353'],
    },
    {
      name: 'three upstreams, at the first and the last port',
      files: { upstreamNameservers: '["8.8.8.8:1", "8.8.8.8:65535", "[fd00::1]:65535"]' },
      upstreams: ['8.8.8.8:1', '8.8.8.8:65535', '[fd00::1]:65535'],
    },
    {
      name: 'a domain of 253 characters',
      files: { stubDomains: `{"${LONG}": ["1.1.1.1"]}` },
      stubs: [[LONG, ['1.1.1.1']]],
    },
  ])('reads $name', ({ files, stubs, upstreams }) => {
    expect(parse(files)).toEqual({ stubDomains: new Map(stubs ?? []), upstreamNameservers: upstreams ?? [] });
  });

  const server = 'an address, IP:PORT or [IPV6]:PORT';
  it.each<{ name: string; files: Record<string, string>; error: string | RegExp }>([
    { name: 'text that is no JSON', files: { stubDomains: '{' }, error: /^stubDomains: no JSON: / },
    {
      name: 'a list of stub domains',
      files: { stubDomains: '[]' },
      error: 'stubDomains: got [], allowed: an object of domains with lists of servers',
    },
    {
      name: 'no stub domains',
      files: { stubDomains: 'null' },
      error: 'stubDomains: got null, allowed: an object of domains with lists of servers',
    },
    {
      name: 'a domain in upper case',
      files: { stubDomains: '{"Acme.local": ["1.1.1.1"]}' },
      error: 'stubDomains: got "Acme.local", allowed: a domain in lower case without final dot',
    },
    {
      name: 'a domain that would end a block',
      files: { stubDomains: '{"a {": ["1.1.1.1"]}' },
      error: 'stubDomains: got "a {", allowed: a domain in lower case without final dot',
    },
    {
      name: 'a server that is no list',
      files: { stubDomains: '{"a.b": "1.1.1.1"}' },
      error: 'stubDomains: a.b: got "1.1.1.1", allowed: a list of servers',
    },
    {
      name: 'no server',
      files: { stubDomains: '{"a.b": []}' },
      error: 'stubDomains: a.b: got [], allowed: at least one server',
    },
    {
      name: 'a server by name',
      files: { stubDomains: '{"a.b": ["ns.a.b"]}' },
      error: `stubDomains: a.b: got "ns.a.b", allowed: ${server}`,
    },
    {
      name: 'a server that is a number',
      files: { upstreamNameservers: '[8]' },
      error: `upstreamNameservers: got 8, allowed: ${server}`,
    },
    {
      name: 'port 0',
      files: { upstreamNameservers: '["8.8.8.8:0"]' },
      error: `upstreamNameservers: got "8.8.8.8:0", allowed: ${server}`,
    },
    {
      name: 'port 65536',
      files: { upstreamNameservers: '["8.8.8.8:65536"]' },
      error: `upstreamNameservers: got "8.8.8.8:65536", allowed: ${server}`,
    },
    {
      name: 'a domain of 254 characters',
      files: { stubDomains: `{"a${LONG}": ["1.1.1.1"]}` },
      error: 'allowed: a domain in lower case without final dot',
    },
    {
      name: 'IPv4 in brackets',
      files: { upstreamNameservers: '["[8.8.8.8]:53"]' },
      error: `upstreamNameservers: got "[8.8.8.8]:53", allowed: ${server}`,
    },
    {
      name: 'four upstreams',
      files: { upstreamNameservers: '["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]' },
      error: 'upstreamNameservers: got 4 servers, allowed: at most 3',
    },
  ])('refuses $name', ({ files, error }) => {
    const read = (): unknown => parse(files);
    expect(read).toThrow(KubeDnsConfigError);
    expect(read).toThrow(error);
  });
});
