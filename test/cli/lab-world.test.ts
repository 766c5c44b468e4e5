import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/lib/clock.js';
import { secureRandom } from '../../src/lib/random.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { runDig } from '../../src/resolver/index.js';
import { Program, PROGRAM } from '../support/program.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-world-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (...args: string[]): Program => new Program([...PROGRAM, 'lab', 'world', ...args]);

describe('nodens lab world', () => {
  it('answers as the resolver of a topology does: with recursion, for names outside and no others', async () => {
    const program = start('-port', '0');
    const [, port = ''] = await program.said(/the world outside two-nodes answers at 127\.0\.0\.1 port (\d+)\n/);
    const dig = async (...args: string[]): Promise<string> =>
      (
        await runDig(['@127.0.0.1', '-p', port, '+timeout=2', ...args], {
          network: new HostNetwork(),
          clock: realClock,
          random: secureRandom,
          resolvConf: '',
        })
      ).text;
    expect(await dig('+short', 'google.com')).toBe('142.250.196.110\n');
    expect(await dig('google.com', '+tcp')).toMatch(/status: NOERROR[\s\S]*flags: qr rd ra;/);
    expect(await dig('google.com.Davolink')).toMatch(
      /status: NXDOMAIN[\s\S]*flags: qr rd ra;[\s\S]*a\.root-servers\.net\. nstld\.verisign-grs\.com\. 2025073000/,
    );
    expect(await program.stop()).toBe(0);
  });

  it.each([
    { name: 'a topology that is not there', args: ['-topology', 'nosuch'], text: 'nosuch: there is no such topology' },
    { name: 'a port that is none', args: ['-port', 'dns'], text: "-port: expected 0 to 65000, got 'dns'" },
    { name: 'a word too many', args: ['google.com'], text: "unexpected argument 'google.com'" },
  ])('refuses $name', async ({ args, text }) => {
    const program = start(...args);
    expect(await program.ended()).not.toBe(0);
    expect(program.text).toContain(text);
  });

  it('refuses a topology without a world', async () => {
    const file = path.join(folder, 'alone.yaml');
    writeFileSync(
      file,
      'name: alone\nseed: 1\ncluster: { domain: cluster.local, dns: 10.96.0.10, serviceCidr: 10.96.0.0/16 }\ncilium: { ipam: { mode: cluster-pool, clusterPoolCidrs: [172.20.0.0/16] } }\nnodes:\n  - { name: one, podCidr: 172.20.1.0/24, resolvConf: nameserver 10.0.2.3, interfaces: [{ name: eth0, addresses: [192.168.10.100/24], segment: lan }] }\n',
    );
    const program = start('-topology', file);
    expect(await program.ended()).not.toBe(0);
    expect(program.text).toContain('alone: has no host with a Corefile, and so nothing outside the cluster');
  });
});
