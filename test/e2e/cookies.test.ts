import dgram from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { DebianServer, isInstalled } from '../support/debian-server.js';
import { decodeMessage, type Message } from '../../src/wire/index.js';
import { running } from '../support/running.js';

const ZONE = '$TTL 300\n@ IN SOA ns host 1 7200 1800 86400 60\n@ IN NS ns\nns IN A 192.0.2.1\n* IN A 192.0.2.2\n';
const NAMES = 20;
const COOKIE = 10;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const nsd = (): Promise<DebianServer> => DebianServer.nsd('example.org', ZONE);
const PEERS: readonly { name: string; program: string; has: boolean; start: () => Promise<DebianServer> }[] = [
  {
    name: 'BIND',
    program: 'named',
    has: true,
    start: () => DebianServer.named('example.org', ZONE, { server: ['require-server-cookie yes;'] }),
  },
  {
    name: 'Knot',
    program: 'knotd',
    has: true,
    start: () => DebianServer.knot('example.org', ZONE, { zone: ['    module: mod-cookies'] }),
  },
  {
    name: 'NSD',
    program: 'nsd',
    has: true,
    start: () => DebianServer.nsd('example.org', ZONE, { server: ['  answer-cookie: yes'] }),
  },
  { name: 'NSD as it is', program: 'nsd', has: false, start: nsd },
  {
    name: 'unbound',
    program: 'unbound',
    has: false,
    start: async () => {
      const behind = await nsd();
      ends.push(() => behind.stop());
      return DebianServer.unbound('example.org', behind.port, []);
    },
  },
];

/** Passes UDP on to a port and keeps what comes back; nobody is there over TCP. */
async function recorded(to: number): Promise<{ port: number; replies: Buffer[]; close: () => void }> {
  const front = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(front, 'listening');
  const backs = new Map<number, dgram.Socket>();
  const replies: Buffer[] = [];
  front.on('message', (query, { port }) => {
    let back = backs.get(port);
    if (back === undefined) {
      back = dgram.createSocket('udp4').on('message', (reply) => {
        replies.push(reply);
        front.send(reply, port, '127.0.0.1');
      });
      backs.set(port, back);
    }
    back.send(query, to, '127.0.0.1');
  });
  const close = (): void => [front, ...backs.values()].forEach((socket) => socket.close());
  return { port: front.address().port, replies, close };
}

const options = (reply: Message): number[] => (reply.edns?.options ?? []).map(({ code }) => code);

describe('cookies with other servers', () => {
  for (const { name, program, has, start } of PEERS) {
    const isThere = isInstalled(program) && isInstalled('nsd');
    if (!isThere) console.log(`test/e2e/cookies: ${program} or nsd is not installed; skipped`);
    it.skipIf(!isThere)(`${name} ${has ? 'has them' : 'has none'}, and clients see none`, async () => {
      const peer = await start();
      ends.push(() => peer.stop());
      const relay = await recorded(peer.port);
      ends.push(() => relay.close());
      const server = await running(
        `.:0 {\n bind 127.0.0.1\n cache\n forward . 127.0.0.1:${relay.port} {\n cookies\n }\n}\n`,
      );
      ends.push(() => server.stop());
      for (let i = 0; i < NAMES; i++) {
        const { rcode, answer, edns } = await server.ask(`n${i}.example.org.`);
        expect({ rcode, answers: answer.length, edns }).toEqual({ rcode: 0, answers: 1, edns: undefined });
      }
      const cookies = relay.replies.filter((reply) => options(decodeMessage(reply)).includes(COOKIE));
      expect(cookies.length >= NAMES).toBe(has);
      expect(await server.server.runtime.metrics.text()).not.toMatch(/wrong_replies_total\{|proto="tcp"/);
    });
  }
});
