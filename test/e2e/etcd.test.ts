import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Program } from '../support/program.js';
import { texts } from '../support/dns.js';
import { running } from '../support/running.js';

/** Whether the real program (Debian package `etcd-server`) is there. */
function installed(): boolean {
  try {
    execFileSync('etcd', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const there = installed();
const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-etcd-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Ports that nobody listens at, drawn together so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) server.close();
  return ports;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe.skipIf(!there)(
  `a real etcd${there ? '' : ' (not tried: there is no program "etcd", the Debian package etcd-server has it)'}`,
  () => {
    it('is not there at first, is asked when it comes, and is missed when it goes', async () => {
      const [client, peer] = await freePorts(2);
      const url = `http://127.0.0.1:${client}`;
      const server = await running(
        `skydns.test:0 10.0.0.0/24:0 {\nbind 127.0.0.1\nerrors\netcd {\nendpoint ${url}\n}\n}\n`,
      );
      const etcd = (): Program =>
        new Program(
          [
            'etcd',
            '--data-dir',
            path.join(folder, 'data'),
            '--listen-client-urls',
            url,
            '--advertise-client-urls',
            url,
          ].concat(['--listen-peer-urls', `http://127.0.0.1:${peer}`]),
        );
      const post = async (what: string, body: unknown): Promise<Record<string, string>> => {
        const answer = await fetch(`${url}/v3/${what}`, { method: 'POST', body: JSON.stringify(body) });
        return (await answer.json()) as Record<string, string>;
      };
      const put = (key: string, value: object, more: object = {}): Promise<unknown> =>
        post('kv/put', { key: base64(key), value: base64(JSON.stringify(value)), ...more });
      const told = async (name: string, type = 'A'): Promise<unknown> => {
        const { rcode, answer } = await server.ask(name, type);
        return rcode === 0 ? texts(answer) : rcode;
      };
      const until = async (what: () => Promise<unknown>): Promise<void> => {
        for (let tries = 0; ; tries++) {
          try {
            await what();
            return;
          } catch (error) {
            if (tries === 100) throw error;
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        }
      };
      let program: Program | undefined;
      try {
        expect(await told('web.skydns.test.')).toBe(2);
        expect(server.log.join('\n')).toMatch(/\[ERROR\] .*web\.skydns\.test\. A: http:.*ECONNREFUSED/);

        program = etcd();
        await until(() => put('/skydns/test/skydns/web/a', { host: '192.0.2.1', ttl: 60 }));
        await put('/skydns/test/skydns/web/b', { host: '192.0.2.2' });
        await put('/skydns/test/skydns/s', { host: '192.0.2.3', port: 8080, ttl: 60 });
        await put('/skydns/arpa/in-addr/10/0/0/7', { host: 'web.skydns.test', ttl: 60 });
        const { ID: lease } = await post('lease/grant', { TTL: 1000 });
        await put('/skydns/test/skydns/leased', { host: '192.0.2.4' }, { lease });

        expect(await told('web.skydns.test.')).toEqual([
          'web.skydns.test. 60 IN A 192.0.2.1',
          'web.skydns.test. 300 IN A 192.0.2.2',
        ]);
        expect(await told('s.skydns.test.', 'SRV')).toEqual(['s.skydns.test. 60 IN SRV 10 100 8080 s.skydns.test.']);
        expect(await told('7.0.0.10.in-addr.arpa.', 'PTR')).toEqual([
          '7.0.0.10.in-addr.arpa. 60 IN PTR web.skydns.test.',
        ]);
        expect(await told('leased.skydns.test.')).toEqual([
          expect.stringMatching(/^leased\.skydns\.test\. (9\d\d|1000) IN A/),
        ]);
        expect(await told('nosuch.skydns.test.')).toBe(3);

        program.child.kill('SIGKILL');
        await until(async () => expect(await told('web.skydns.test.')).toBe(2));
        program = etcd();
        await until(async () => expect(await told('s.skydns.test.')).toEqual(['s.skydns.test. 60 IN A 192.0.2.3']));
      } finally {
        await server.stop();
        program?.child.kill('SIGKILL');
      }
    }, 60_000);
  },
);
