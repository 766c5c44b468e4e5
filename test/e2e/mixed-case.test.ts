import { afterEach, describe, expect, it } from 'vitest';
import { DebianServer, isInstalled } from '../support/debian-server.js';
import { running } from '../support/running.js';

const ZONE =
  '$TTL 300\n@ IN SOA ns host 1 7200 1800 86400 60\n@ IN NS ns\nns IN A 192.0.2.1\n' +
  'web IN CNAME target\ntarget IN A 192.0.2.3\n* IN A 192.0.2.2\n* IN A 192.0.2.4\n';
const NAMES = 20;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const nsd = (): Promise<DebianServer> => DebianServer.nsd('example.org', ZONE);
const PEERS: readonly { name: string; program: string; start: () => Promise<DebianServer> }[] = [
  { name: 'NSD', program: 'nsd', start: nsd },
  { name: 'Knot', program: 'knotd', start: () => DebianServer.knot('example.org', ZONE) },
  { name: 'BIND', program: 'named', start: () => DebianServer.named('example.org', ZONE) },
  {
    name: 'unbound',
    program: 'unbound',
    start: async () => {
      const behind = await nsd();
      ends.push(() => behind.stop());
      return DebianServer.unbound('example.org', behind.port, []);
    },
  },
];

describe('mixed_case with other servers', () => {
  for (const { name, program, start } of PEERS) {
    const isThere = isInstalled(program) && isInstalled('nsd');
    if (!isThere) console.log(`test/e2e/mixed-case: ${program} or nsd is not installed; skipped`);
    it.skipIf(!isThere)(`${name} keeps the case, and clients get names as they spelt them`, async () => {
      const peer = await start();
      ends.push(() => peer.stop());
      const server = await running(`.:0 {\n bind 127.0.0.1\n forward . 127.0.0.1:${peer.port} {\n mixed_case\n }\n}\n`);
      ends.push(() => server.stop());
      for (let i = 0; i < NAMES; i++) {
        const asked = `Some-long-name${i}.Example.org.`;
        const { question, answer, rcode } = await server.ask(asked);
        expect({ rcode, names: [question[0]!.name, ...answer.map((rr) => rr.name)] }).toEqual({
          rcode: 0,
          names: [asked, asked, asked],
        });
      }
      expect((await server.ask('WEB.example.org.')).answer.map((rr) => rr.name.toLowerCase())).toEqual([
        'web.example.org.',
        'target.example.org.',
      ]);
      const text = await server.server.runtime.metrics.text();
      expect(text).not.toMatch(/wrong_replies_total\{|proto="tcp"/);
    });
  }
});
