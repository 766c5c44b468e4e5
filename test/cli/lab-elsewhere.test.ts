import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checkout, kill, type Started } from '../support/checkout.js';
import { query } from '../support/dns.js';
import { askUdp } from '../support/running.js';

const HIDING = path.resolve(import.meta.dirname, '../support/elsewhere.cjs');
const NO_TOOLS = path.dirname(process.execPath);

/** Learners have machines without what Linux has; the lab needs none of it. */
describe.each([
  { platform: 'linux', reason: 'batched I/O needs the optional package koffi, which is not installed' },
  { platform: 'darwin', reason: 'batched I/O needs Linux, this is darwin' },
  { platform: 'win32', reason: 'batched I/O needs Linux, this is win32' },
])('the lab on a bare $platform', ({ platform, reason }) => {
  const checkout = new Checkout();
  let lab: Started;
  let page: string;
  let port: number;
  const node = (...args: string[]): [string, string[]] => [process.execPath, ['-r', HIDING, 'bin/nodens', ...args]];

  beforeAll(async () => {
    checkout.create();
    Object.assign(checkout.env, { PATH: NO_TOOLS, NODENS_TEST_PLATFORM: platform });
    lab = checkout.start(...node('lab', 'up', '-port', '0'));
    const [, shown, asked] = await lab.said(/(http:\/\/127\.0\.0\.1:\d+\/)[^]* -p (\d+) [^]*Ctrl-C ends it/);
    [page, port] = [shown!, Number(asked)];
  }, 60_000);
  afterAll(() => {
    kill(lab);
    checkout.remove();
  });

  it('answers dig', async () => {
    const { answer } = await askUdp(port, query('webpod.default.svc.cluster.local.').bytes);
    expect(answer.map(({ rdata }) => [...rdata].join('.'))).toEqual(['10.96.152.212']);
  });

  it('shows its page', async () => {
    const { status, text } = await fetch(page).then(async (got) => ({ status: got.status, text: await got.text() }));
    expect([status, text]).toEqual([200, expect.stringContaining('page.js')]);
  });

  it('takes commands, and ends by one', async () => {
    const ended = once(lab.child, 'close');
    await checkout.start(...node('lab', 'exec', 'kubectl', 'get', 'pod', 'curl-pod')).said(/curl-pod .*Running/);
    checkout.start(...node('lab', 'down'));
    await ended;
    expect(readdirSync(checkout.temporary)).toEqual([]);
  });

  it('is of a program that says why it takes datagrams one by one', async () => {
    const server = checkout.start(...node('-conf', 'corefiles/kubernetes-files.Corefile'), {
      NODENS_PORT: '0',
      NODENS_UPSTREAM: '127.0.0.1:1',
    });
    const [, said] = await server.said(/datagrams are taken as with -io dgram: (.*)\n/);
    kill(server);
    expect(said).toBe(reason);
  });
});
