import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../src/chain/index.js';
import type { ApiConnection } from '../../src/kube/auth/connection.js';
import { ManualClock } from '../../src/lib/clock.js';
import { connect } from '../../src/origin/connect.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-connect-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, 'config');
const cluster = (name: string): object => ({ name, cluster: { server: `http://${name}.test:8001` } });
const context = (name: string): object => ({ name, context: { cluster: name, user: 'me' } });
writeFileSync(
  file,
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [cluster('one'), cluster('two')],
    contexts: [context('one'), context('two')],
    users: [{ name: 'me', user: {} }],
    'current-context': 'one',
  }),
);

const connection = (origin: Parameters<typeof connect>[0]): ApiConnection =>
  connect(origin, { env: {}, clock: new ManualClock() } as unknown as Runtime);
const to = (origin: Parameters<typeof connect>[0]): string => connection(origin).url.href;

describe('connect', () => {
  it.each([
    { name: 'the current context of a kubeconfig', context: undefined, want: 'http://one.test:8001/' },
    { name: 'a context that is named', context: 'two', want: 'http://two.test:8001/' },
  ])('goes to $name', ({ context: named, want }) =>
    expect(to({ kind: 'kubeconfig', path: file, context: named })).toBe(want),
  );

  it('goes to an endpoint', () =>
    expect(to({ kind: 'endpoint', url: 'http://10.0.0.1:8080', tls: undefined })).toBe('http://10.0.0.1:8080/'));

  it('says what is missing of the files of a certificate', async () => {
    const missing = path.join(folder, 'none');
    const tls = { cert: missing, key: missing, ca: missing };
    await expect(connection({ kind: 'endpoint', url: 'https://10.0.0.1', tls }).credentials()).rejects.toThrow(missing);
  });

  it('is outside a cluster without its variables', () => expect(() => to({ kind: 'service-account' })).toThrow());
});
