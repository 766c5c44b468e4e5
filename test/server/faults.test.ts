import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CorefileFaults } from '../../src/corefile/index.js';
import { running } from '../support/running.js';

/** What keeps a server from its start, a line for each fault. */
async function faultsOf(text: string): Promise<string[]> {
  const files = path.resolve(import.meta.dirname, '../plugins/tls/files');
  const named = text.replaceAll('CERT', `${files}/cert.pem`).replaceAll('KEY', `${files}/key.pem`);
  try {
    await (await running(named)).stop();
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
}

describe('a Corefile that cannot be used', () => {
  it.each([
    {
      name: 'directives of one block',
      text: '.:0 {\n bufsize x\n whoami now\n any\n}',
      want: [
        "Corefile:2: bufsize: got 'x', allowed: a whole number from 512 to 4096",
        "Corefile:3: whoami: got 1 argument ('now'), allowed: no argument",
      ],
    },
    {
      name: 'unknown directives, and options of known ones',
      text: '.:0 {\n route53 example.org.:Z1\n cache {\n  servfail x\n  keepttl 5\n  prefetch 10\n }\n}\nb:0 {\n clouddns\n}',
      want: [
        "Corefile:2: directive 'route53' of CoreDNS is not to be had here; allowed: *",
        "Corefile:4: cache: servfail: DURATION: got 'x', allowed: a duration such as 30s, 250ms or 1h30m from 0s to 5m0s",
        "Corefile:5: cache: keepttl: got 1 argument ('5'), allowed: no argument",
        "Corefile:10: directive 'clouddns' of CoreDNS is not to be had here; allowed: those above",
      ],
    },
    {
      name: 'an option that another one needs, which is not told as missing',
      text: '.:0 {\n cache {\n  serve_stale x\n  serve_stale_policy prefer_positive\n }\n}',
      want: ["Corefile:3: cache: serve_stale: DURATION: got 'x', allowed: a duration such as 30s, 250ms or 1h30m, *"],
    },
    {
      name: 'several of one directive',
      text: '.:0 {\n rewrite nmae a b\n log\n rewrite name a\n}',
      want: ["Corefile:2: rewrite: got 'nmae', allowed: *", "Corefile:4: rewrite: name: got 'a', allowed: *"],
    },
    {
      name: 'a directive too often, and its option',
      text: '.:0 {\n cache {\n  servfail x\n }\n cache\n}',
      want: [
        "Corefile:3: cache: servfail: DURATION: got 'x', *",
        'Corefile:5: cache: got a second cache in this server block, allowed: one',
      ],
    },
    {
      name: 'what took the place of what CoreDNS had',
      text: '.:0 {\n proxy . 192.0.2.1\n kubernetes cluster.local {\n  upstream\n  resyncperiod 5m\n }\n}',
      want: [
        "Corefile:2: directive 'proxy' is none of CoreDNS any more: forward took its place: forward FROM TO...; allowed: *",
        'Corefile:4: kubernetes: upstream: it is none of CoreDNS any more: aliases are looked up by the server itself; take it out',
        'Corefile:5: kubernetes: resyncperiod: it is none of CoreDNS any more: changes are watched; take it out',
      ],
    },
    {
      name: 'several blocks',
      text: 'a:0 {\n ttl 5\n}\nb:0 {\n whoami x\n}\nb:0 {\n bufsize 1\n}',
      want: ["Corefile:2: unknown directive 'ttl'; *", 'Corefile:5: whoami: *', 'Corefile:8: bufsize: *'],
    },
    {
      name: 'a key that is encrypted without a certificate, and what QUIC cannot ask of clients',
      text: 'tls://.:0 {\n whoami\n}\nhttps://.:0 {\n whoami\n}\nquic://.:0 {\n tls CERT KEY CERT {\n  client_auth request\n }\n}',
      want: [
        "Corefile:1: server block key 'tls://.:0': tls:// needs a certificate; add 'tls CERT KEY' to this block",
        "Corefile:4: server block key 'https://.:0': https:// needs a certificate; add 'tls CERT KEY' to this block",
        "Corefile:7: server block key 'quic://.:0': clients over QUIC have to give a certificate, *",
      ],
    },
    {
      name: 'zones that are served already',
      text: 'a.:1 b.:1 {\n}\nb.:1 {\n}\na.:1 {\n}',
      want: [
        'Corefile:3: cannot serve dns://b.:1 - it is already defined',
        'Corefile:5: cannot serve dns://a.:1 - it is already defined',
      ],
    },
  ])('says all: $name', async ({ text, want }) => {
    const told = await faultsOf(text);
    expect(told.map((line, i) => (matches(line, want[i] ?? '') ? want[i] : line))).toEqual(want);
  });

  it('is one error with the place of the first fault, and exit code 1', async () => {
    const error: unknown = await running('.:0 {\n whoami x\n bufsize x\n}').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CorefileFaults);
    expect((error as CorefileFaults).place).toEqual({ file: 'Corefile', line: 2 });
    expect((error as CorefileFaults).exitCode).toBe(1);
  });
});

/** A `*` stands for any rest of the line. */
const matches = (line: string, want: string): boolean =>
  want.endsWith('*') ? line.startsWith(want.slice(0, -1)) : line === want;
