import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Batch } from '../../src/fastpath/batch.js';
import { AF_INET, IP_PKTINFO, MSG_DONTWAIT, POLLIN, SOCK_DGRAM, loadLibc, type Libc } from '../../src/fastpath/libc.js';
import { encodeSockaddr } from '../../src/fastpath/sockaddr.js';
import { askAdmin } from '../../src/insight/admin/ask-admin.js';
import { seededRandom } from '../../src/lib/random.js';
import type { TopReport } from '../../src/top/report.js';
import { freePort } from '../support/debian-server.js';
import { query } from '../support/dns.js';
import { PROGRAM, Program } from '../support/program.js';
import { Zipf } from '../top/zipf.js';

const NAMES = 1_000_000;
const CLIENTS = 100_000;
/** The same queries over and over: so what lies back, and counts less, is the same as what does not. */
const ROUND = 20_000;
const ROUNDS = 4;
const BATCH = 64;
/** The server answers what was sent at once, in milliseconds; no test of speed. */
const PATIENCE = 10_000;

let libc: Libc | undefined;
try {
  libc = loadLibc();
} catch (error) {
  console.log(`test/e2e/top: ${(error as Error).message}; its tests are skipped`);
}

const addressOf = (client: number): number[] => [127, 1 + (client >> 16), (client >> 8) & 255, client & 255];
const nameOf = (name: number): string => `n${name}.example.org.`;

/** Clients of many addresses of the loopback network at one socket. */
class ManyClients {
  private readonly sent: Batch;
  private readonly taken: Batch;
  private readonly fd: number;
  private readonly polled: ReturnType<Libc['memory']>;

  constructor(
    private readonly libc: Libc,
    private readonly server: Uint8Array,
  ) {
    this.sent = new Batch(libc, BATCH, 512);
    this.taken = new Batch(libc, BATCH, 512);
    this.fd = libc.socket(AF_INET, SOCK_DGRAM, 0);
    const any = encodeSockaddr({ address: '0.0.0.0', port: 0 });
    libc.bind(this.fd, any, any.length);
    this.polled = libc.memory(8);
    this.polled.bytes.writeInt32LE(this.fd, 0);
    this.polled.bytes.writeInt16LE(POLLIN, 4);
  }

  /** Asks for a name from an address each, and waits for all answers. */
  ask(pairs: readonly (readonly [client: number, name: number])[]): void {
    pairs.forEach(([client, name], i) => {
      const { bytes } = query(nameOf(name), 'A', { id: i });
      bytes.copy(this.sent.bytes, i * 512);
      this.sent.setLength(i, bytes.length);
      this.sent.setAddress(i, this.server, packetInfo(addressOf(client)));
    });
    this.sent.send(this.fd, pairs.length, (errno) => {
      throw new Error(`sendmmsg: errno ${errno}`);
    });
    for (let left = pairs.length; left > 0;) {
      if (this.libc.poll(this.polled.pointer, 1, PATIENCE) <= 0) throw new Error(`${left} queries without an answer`);
      left -= Math.max(0, this.libc.recvmmsg(this.fd, this.taken.pointer, BATCH, MSG_DONTWAIT, null));
      for (let i = 0; i < BATCH; i++) this.taken.reset(i);
    }
  }

  close(): void {
    this.libc.close(this.fd);
  }
}

/** `struct cmsghdr` and `struct in_pktinfo` (ip(7)): the address to send from. */
function packetInfo(address: readonly number[]): Uint8Array {
  const control = Buffer.alloc(32);
  control.writeUInt32LE(28, 0);
  control.writeUInt32LE(IP_PKTINFO, 12);
  control.set(address, 20);
  return control;
}

describe.skipIf(libc === undefined)('top of a running server', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'top-'));
  const socket = path.join(folder, 'a.sock');
  let program: Program;
  const names = new Map<string, number>();
  const clients = new Map<string, number>();

  const top = async (params: Record<string, string> = {}): Promise<TopReport> =>
    (await askAdmin({ at: { path: socket }, timeout: PATIENCE }, '/top', params)) as TopReport;

  let askAll: () => void;

  beforeAll(async () => {
    const port = await freePort();
    writeFileSync(
      path.join(folder, 'Corefile'),
      `.:${port} {
    bind 127.0.0.1
    cache 3600 {
        success 100000
    }
    template IN A example.org {
        answer "{{ .Name }} 3600 IN A 192.0.2.1"
    }
    template ANY ANY {
        rcode NXDOMAIN
        authority "example. 3600 IN SOA ns.example. admin.example. 1 60 60 60 3600"
    }
}
`,
    );
    program = new Program([...PROGRAM, '-workers', '2', '-admin', `unix:${socket}`], {}, folder);
    await program.said(/admin endpoint at unix:/);
    const random = seededRandom(17);
    const [name, client] = [new Zipf(NAMES, random), new Zipf(CLIENTS, random)];
    const asked = Array.from({ length: ROUND }, () => [client.draw(), name.draw()] as const);
    for (const [from, of] of asked) {
      const address = addressOf(from).join('.');
      clients.set(address, (clients.get(address) ?? 0) + 1 / ROUND);
      names.set(nameOf(of), (names.get(nameOf(of)) ?? 0) + 1 / ROUND);
    }
    askAll = () => {
      const many = new ManyClients(libc!, encodeSockaddr({ address: '127.0.0.1', port }));
      try {
        for (let round = 0; round < ROUNDS; round++)
          for (let i = 0; i < ROUND; i += BATCH) many.ask(asked.slice(i, i + BATCH));
      } finally {
        many.close();
      }
    };
    askAll();
  }, 120_000);

  afterAll(async () => {
    await program?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['names', names],
    ['clients', clients],
  ] as const)('names the 20 heaviest %s within 5 %', { timeout: 120_000 }, async (list, truth) => {
    const shares = [...truth.values()].sort((a, b) => b - a);
    const worst = (rows: TopReport['names']): number =>
      Math.max(...rows.map(({ key, share }) => Math.abs(share / (truth.get(key) ?? 0) - 1)));
    let rows = (await top())[list];
    // What a busy machine asks over minutes weighs unevenly in what counts the last one: it is asked again, at once.
    for (let more = 0; more < 3 && !(worst(rows) < 0.05); more++) {
      askAll();
      rows = (await top())[list];
    }
    expect(rows).toHaveLength(20);
    for (const { key, share } of rows) {
      expect(truth.get(key)).toBeGreaterThanOrEqual(shares[19]! * 0.95);
      expect(Math.abs(share / truth.get(key)! - 1)).toBeLessThan(0.05);
    }
  });

  it('says how much never reached the chain, and what there is no more of', async () => {
    const { withoutChain, nxdomain, types } = await top();
    expect(withoutChain).toBeGreaterThan(0.3);
    expect([nxdomain, types.map(({ key }) => key)]).toEqual([0, ['A']]);
  });

  it('is printed where there is no terminal', async () => {
    const run = new Program([...PROGRAM, 'top', '-server', `unix:${socket}`, '-rows', '3'], {}, folder);
    expect(await run.ended()).toBe(0);
    const shares = [...names].sort(([, a], [, b]) => b - a);
    expect(run.text).toContain(`\nNAME `);
    expect(run.text).toContain(`\n${shares[0]![0]} `);
    expect(run.text.split('\n').filter((line) => line.includes('.example.org.'))).toHaveLength(3);
  });

  it('is JSON for programs, filtered', async () => {
    const flags = ['-server', `unix:${socket}`, '-o', 'json', '-filter', 'N0.Example'];
    const run = new Program([...PROGRAM, 'top', ...flags], {}, folder);
    expect(await run.ended()).toBe(0);
    expect((JSON.parse(run.text) as TopReport).names.map(({ key }) => key)).toContain(nameOf(0));
    expect((JSON.parse(run.text) as TopReport).clients).toEqual([]);
  });

  it('says that no server is there', async () => {
    const run = new Program([...PROGRAM, 'top', '-server', `unix:${folder}/none.sock`], {}, folder);
    expect(await run.ended()).toBe(2);
    expect(run.text).toMatch(/^nodens top: unix:.*: there is no socket; -admin of the server names it\n$/);
  });
});
