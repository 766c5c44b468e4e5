import { describe, expect, it } from 'vitest';
import { CorefileError } from '../../../src/corefile/index.js';
import { Flag, parseRr } from '../../../src/wire/index.js';
import { goodReply, type Asked } from '../../support/fake-upstream.js';
import { Cluster } from './cluster.js';

/** Knows dns.example and up.search.example by two addresses each, and one.example by one. */
function knows(asked: Asked): void {
  const { name, type } = asked.message.question[0]!;
  const known = ['dns.example.', 'up.search.example.', 'one.example.'].includes(name);
  const records = type === 1 ? ['A 10.0.0.1', 'A 10.0.0.2'].slice(0, name === 'one.example.' ? 1 : 2) : [];
  const answer = known ? records.map((record) => parseRr(`${name} 60 IN ${record}`)) : [];
  asked.reply(goodReply(asked.message, { answer, rcode: known ? 0 : 3 }));
}

async function started(text: string, files: Record<string, string> = {}): Promise<Cluster> {
  const cluster = await new Cluster(text, files).start(1, 2, 3);
  cluster.servers[3]!.answer = knows;
  const start = cluster.block.run('start');
  await cluster.elapse(10_000);
  await start;
  return cluster;
}

const CONF = 'nameserver 10.0.0.3\nsearch search.example # and no other\n';
const HOSTS = '10.0.0.2 dns.example # here\n';

describe('upstreams that are names of hosts', () => {
  it.each<{ name: string; text: string; files?: Record<string, string>; want: string[] }>([
    {
      name: 'by a resolver',
      text: 'forward . dns.example {\n policy sequential\n resolver 10.0.0.3\n}',
      want: ['10.0.0.1:53', '10.0.0.2:53'],
    },
    {
      name: 'by one address',
      text: 'forward . one.example {\n resolver 10.0.0.3\n}',
      want: ['10.0.0.1:53'],
    },
    {
      name: 'by the second resolver where the first is dead',
      text: 'forward . dns.example {\n policy sequential\n resolver 10.0.0.9 10.0.0.3\n}',
      want: ['10.0.0.1:53', '10.0.0.2:53'],
    },
    {
      name: "by this host's resolver",
      text: 'forward . dns.example:53 {\n policy sequential\n}',
      files: { '/etc/resolv.conf': CONF },
      want: ['10.0.0.1:53', '10.0.0.2:53'],
    },
    {
      name: 'in a domain that is searched in',
      text: 'forward . up {\n policy sequential\n}',
      files: { '/etc/resolv.conf': CONF },
      want: ['10.0.0.1:53', '10.0.0.2:53'],
    },
    {
      name: 'by the hosts file',
      text: 'forward . dns.example',
      files: { '/etc/resolv.conf': CONF, '/etc/hosts': HOSTS },
      want: ['10.0.0.2:53'],
    },
    {
      name: 'beside addresses, each once',
      text: 'forward . 10.0.0.2 dns.example 10.0.0.1 {\n policy sequential\n resolver 10.0.0.3\n}',
      want: ['10.0.0.2:53', '10.0.0.1:53'],
    },
  ])('are found $name', async ({ text, files, want }) => {
    const cluster = await started(text, files);
    for (const server of cluster.servers) if (server !== undefined) server.seen.length = 0;
    for (const number of [1, 2]) cluster.servers[number]!.answer = () => undefined;
    cluster.ask();
    await cluster.elapse(4000);
    const asked = cluster.servers.flatMap((server) => server?.seen.map(() => `${server.at.address}:53`) ?? []);
    expect([...new Set(asked)].sort()).toEqual([...want].sort());
  });

  it('are asked for over TCP where an answer is cut short', async () => {
    const cluster = await new Cluster('forward . dns.example {\n resolver 10.0.0.3\n}').start(1, 3);
    cluster.servers[3]!.answer = (asked) =>
      asked.protocol === 'tcp'
        ? knows(asked)
        : asked.reply(goodReply(asked.message, { answer: [], flags: Flag.QR | Flag.TC }));
    const start = cluster.block.run('start');
    await cluster.elapse(1000);
    await start;
    expect(cluster.counts()[3]).toEqual({ udp: 2, tcp: 2 });
    cluster.ask();
    await cluster.elapse(20);
    expect(cluster.counts()[1]).toEqual({ udp: 1, tcp: 0 });
  });

  it('that nobody knows keep the server from starting', async () => {
    const cluster = await new Cluster('forward . gone.example {\n resolver 10.0.0.3\n}').start(3);
    cluster.servers[3]!.answer = knows;
    const start = expect(cluster.block.run('start')).rejects.toThrow(
      new CorefileError(
        'Corefile',
        2,
        "forward: upstream: got 'gone.example', but no addresses found for 'gone.example.'",
      ),
    );
    await cluster.elapse(10_000);
    await start;
  });
});
