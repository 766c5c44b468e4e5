import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock, realClock } from '../../src/lib/clock.js';
import { seededRandom } from '../../src/lib/random.js';
import { ApiSource } from '../../src/kube/api/source.js';
import type { ApiConnection } from '../../src/kube/auth/connection.js';
import { endpointConnection, inClusterConnection, parseApiUrl } from '../../src/kube/auth/connection.js';
import { kubeconfigConnection } from '../../src/kube/auth/kubeconfig.js';
import { DNS_FIELDS } from '../../src/kube/objects/objects.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { FakeApi } from '../support/fake-api.js';
import { RecordedLog, service, until } from '../support/kube.js';

const TLS = join(import.meta.dirname, 'tls');
const pem = (name: string): string => readFileSync(join(TLS, `${name}.pem`), 'utf8');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'connection-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('parseApiUrl', () => {
  it.each([
    { text: 'https://api.test:6443', want: 'https://api.test:6443/' },
    { text: 'http://127.0.0.1:8080/prefix', want: 'http://127.0.0.1:8080/prefix' },
    { text: '127.0.0.1:8080', want: 'http://127.0.0.1:8080/' },
    { text: '[::1]:8080', want: 'http://[::1]:8080/' },
  ])('reads $text', ({ text, want }) => expect(parseApiUrl(text).href).toBe(want));

  it.each(['', 'ftp://x', 'http://', 'http://a b', 'unix:///socket'])('refuses %j', (text) => {
    expect(() => parseApiUrl(text)).toThrow(`API endpoint ${JSON.stringify(text)} is no http or https URL`);
  });
});

describe('in a cluster', () => {
  it('takes host, port, token and CA from where Kubernetes puts them', async () => {
    file('token', 'abc\n');
    file('ca.crt', 'CA');
    const connection = inClusterConnection({ host: 'fd00::1', port: '443', serviceAccount: folder, clock: realClock });
    expect(connection.url.href).toBe('https://[fd00::1]/');
    expect(await connection.credentials()).toEqual({ headers: { authorization: 'Bearer abc' }, tls: { ca: 'CA' } });
  });

  it('reads the token again after a minute, and keeps the last while the file is away', async () => {
    const clock = new ManualClock();
    file('token', 'one');
    const connection = inClusterConnection({ host: '10.96.0.1', port: '443', serviceAccount: folder, clock });
    const token = async (): Promise<unknown> => (await connection.credentials()).headers['authorization'];
    expect(await token()).toBe('Bearer one');
    file('token', 'two');
    expect(await token()).toBe('Bearer one');
    clock.advance(60_000);
    expect(await token()).toBe('Bearer two');
    rmSync(join(folder, 'token'));
    clock.advance(60_000);
    expect(await token()).toBe('Bearer two');
  });

  it('says when this is no cluster', () => {
    expect(() => inClusterConnection({ host: undefined, port: '443', clock: realClock })).toThrow(
      'not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set',
    );
  });

  it('names the file that is missing', async () => {
    const connection = inClusterConnection({
      host: 'h',
      port: '443',
      serviceAccount: join(folder, 'nowhere'),
      clock: realClock,
    });
    await expect(connection.credentials()).rejects.toThrow(/^cannot read .*nowhere\/token: ENOENT/);
  });
});

const config = (user: unknown, cluster: unknown = { server: 'https://api.test:6443' }): string =>
  file(
    'config',
    JSON.stringify({
      'current-context': 'main',
      contexts: [
        { name: 'main', context: { cluster: 'c', user: 'u' } },
        { name: 'other', context: { cluster: 'd' } },
      ],
      clusters: [
        { name: 'c', cluster },
        { name: 'd', cluster: { server: 'http://other.test' } },
      ],
      users: [{ name: 'u', user }],
    }),
  );
const kubeconfig = (path: string, context?: string): ApiConnection =>
  kubeconfigConnection({ path, context, env: { PATH: process.env['PATH'], HOME: '/nowhere' }, clock: realClock });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const PEM = '-----BEGIN X-----';

describe('kubeconfig', () => {
  it.each([
    { name: 'a token', user: { token: 't' }, want: { headers: { authorization: 'Bearer t' }, tls: {} } },
    {
      name: 'name and password',
      user: { username: 'a', password: 'b' },
      want: { headers: { authorization: `Basic ${base64('a:b')}` }, tls: {} },
    },
    {
      name: 'inline certificates',
      user: { 'client-certificate-data': base64(`${PEM}c`), 'client-key-data': base64(`${PEM}k`) },
      want: { headers: {}, tls: { cert: `${PEM}c`, key: `${PEM}k` } },
    },
    {
      name: 'an inline CA and a name for it',
      user: {},
      cluster: { server: 'https://x', 'certificate-authority-data': base64(`${PEM}a`), 'tls-server-name': 'n' },
      want: { headers: {}, tls: { ca: `${PEM}a`, servername: 'n' } },
    },
    {
      name: 'no verification',
      user: {},
      cluster: { server: 'https://x', 'insecure-skip-tls-verify': true },
      want: { headers: {}, tls: { rejectUnauthorized: false } },
    },
  ])('takes $name', async ({ user, cluster, want }) => {
    expect(await kubeconfig(config(user, cluster)).credentials()).toEqual(want);
  });

  it('takes files relative to its own folder', async () => {
    file('tok', 'from-file\n');
    file('c.pem', 'C');
    expect(
      await kubeconfig(config({ tokenFile: 'tok', token: 'unused', 'client-certificate': 'c.pem' })).credentials(),
    ).toEqual({ headers: { authorization: 'Bearer from-file' }, tls: { cert: 'C' } });
  });

  it('takes the context it is told to', () => {
    expect(kubeconfig(config({}), 'other').url.href).toBe('http://other.test/');
  });

  it('runs a credential program once, and again when the API refused what it gave', async () => {
    const program = file(
      'login.sh',
      `#!/bin/sh\necho x >> ${join(folder, 'runs')}\necho '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'"$1-$EXTRA"'"}}'\n`,
    );
    const connection = kubeconfig(
      config({
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          interactiveMode: 'Never',
          command: 'sh',
          args: [program, 'arg'],
          env: [{ name: 'EXTRA', value: 'env' }],
        },
      }),
    );
    expect((await connection.credentials()).headers).toEqual({ authorization: 'Bearer arg-env' });
    await connection.credentials();
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('x\n');
    connection.refused();
    await Promise.all([connection.credentials(), connection.credentials()]);
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('x\nx\n');
  });

  it('tells a credential program of the cluster where it wants to know', async () => {
    const V1 = 'client.authentication.k8s.io/v1';
    const script = `printf '{"apiVersion":"${V1}","status":{"token":"%s"}}' "$(printf %s "$KUBERNETES_EXEC_INFO" | base64 -w0)"`;
    const exec = {
      ...{ apiVersion: V1, interactiveMode: 'Never', command: 'sh', args: ['-c', script] },
      provideClusterInfo: true,
    };
    const told = async (cluster: object): Promise<unknown> => {
      const { headers } = await kubeconfig(config({ exec }, cluster)).credentials();
      const text = Buffer.from(String(headers['authorization']).slice('Bearer '.length), 'base64').toString();
      return (JSON.parse(text) as { spec: { cluster: unknown } }).spec.cluster;
    };
    expect(await told({ server: 'https://x' })).toEqual({ server: 'https://x', config: null });
    const more = {
      server: 'https://x',
      'tls-server-name': 'n',
      'proxy-url': 'http://p',
      'certificate-authority-data': base64(PEM),
    };
    const extensions = [{ name: 'other' }, { name: 'client.authentication.k8s.io/exec', extension: { a: 1 } }];
    expect(await told({ ...more, 'insecure-skip-tls-verify': false, extensions })).toEqual({
      ...more,
      config: { a: 1 },
    });
  });

  it.each([
    { name: 'fails', script: 'echo no >&2; exit 3', error: /^credential program sh failed: .*no$/s },
    { name: 'prints something else', script: 'echo hello', error: 'credential program sh printed no JSON' },
    {
      name: 'gives nothing',
      script: `echo '{"apiVersion":"client.authentication.k8s.io/v1beta1"}'`,
      error: 'credential program sh printed neither a token nor a certificate with its key',
    },
  ])('says when a credential program $name', async ({ script, error }) => {
    const connection = kubeconfig(
      config({ exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command: 'sh', args: ['-c', script] } }),
    );
    await expect(connection.credentials()).rejects.toThrow(error);
  });

  it.each([
    { name: 'no such file', make: () => join(folder, 'none'), error: /^kubeconfig .*none: ENOENT/ },
    { name: 'no YAML', make: () => file('bad', 'a: [b'), error: /^kubeconfig .*bad: / },
    { name: 'no context', make: () => file('bad', '{}'), error: 'no context was named and current-context is not set' },
    { name: 'unknown context', make: () => config({}), context: 'x', error: 'there is no context "x"' },
    {
      name: 'unknown cluster',
      make: () =>
        file('bad', JSON.stringify({ 'current-context': 'm', contexts: [{ name: 'm', context: { cluster: 'c' } }] })),
      error: 'context "m": there is no cluster "c"',
    },
    {
      name: 'unknown user',
      make: () =>
        file(
          'bad',
          JSON.stringify({
            'current-context': 'm',
            contexts: [{ name: 'm', context: { cluster: 'c', user: 'u' } }],
            clusters: [{ name: 'c', cluster: {} }],
          }),
        ),
      error: 'context "m": there is no user "u"',
    },
    { name: 'no server', make: () => config({}, {}), error: 'cluster "c" has no server' },
    {
      name: 'a proxy of an unknown kind',
      make: () => config({}, { server: 'https://x', 'proxy-url': 'ftp://p' }),
      error: 'cluster "c": proxy-url is "ftp://p", allowed are URLs of http, https and socks5',
    },
    {
      name: 'groups of nobody',
      make: () => config({ 'as-groups': ['a'] }),
      error: 'user "u": as-uid, as-groups and as-user-extra are for a user that is named by as',
    },
    {
      name: 'an auth-provider',
      make: () => config({ 'auth-provider': { name: 'oidc' } }),
      error: 'user "u": auth-provider is not supported, use exec or a token',
    },
    {
      name: 'data that is no PEM',
      make: () => config({ 'client-key-data': 'AAAA' }),
      error: 'client-key-data is no PEM text in base64',
    },
    {
      name: 'exec without a command',
      make: () => config({ exec: { apiVersion: 'client.authentication.k8s.io/v1' } }),
      error: 'kubeconfig: exec has no command',
    },
    {
      name: 'exec of an unknown version',
      make: () => config({ exec: { apiVersion: 'v0', command: 'x' } }),
      error: 'kubeconfig: exec.apiVersion "v0" is unknown, allowed are client.authentication.k8s.io/v1 and /v1beta1',
    },
  ])('refuses $name', ({ make, context, error }) => {
    expect(() => kubeconfig(make(), context)).toThrow(error);
  });

  it.each([
    { proxy: 'http://p:3128', href: 'http://p:3128/' },
    { proxy: 'https://a:b@p', href: 'https://a:b@p/' },
    { proxy: 'socks5://[::1]:1080', href: 'socks5://[::1]:1080' },
  ])('takes proxy $proxy', ({ proxy, href }) => {
    expect(kubeconfig(config({}, { server: 'https://x', 'proxy-url': proxy })).proxy?.href).toBe(href);
  });

  it('asks in the name of another user', async () => {
    const user = {
      token: 't',
      as: 'system:serviceaccount:a:b',
      'as-uid': '7',
      'as-groups': ['one', 'two'],
      'as-user-extra': { 'example.org/team': ['dns'], plain: ['x', 'y'] },
    };
    expect((await kubeconfig(config(user)).credentials()).headers).toEqual({
      authorization: 'Bearer t',
      'Impersonate-User': 'system:serviceaccount:a:b',
      'Impersonate-Uid': '7',
      'Impersonate-Group': ['one', 'two'],
      'Impersonate-Extra-example.org%2Fteam': 'dns',
      'Impersonate-Extra-plain': ['x', 'y'],
    });
  });
});

describe('TLS', () => {
  const cleanup: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of cleanup.splice(0)) await step();
  });

  async function listOver(
    connect: (url: string) => ApiConnection,
  ): Promise<{ store: KubeStore; log: RecordedLog; source: ApiSource }> {
    const fake = await new FakeApi([service('web')], {
      cert: pem('server'),
      key: pem('server-key'),
      ca: pem('ca'),
      requestCert: true,
      rejectUnauthorized: true,
    }).start();
    const stop = new AbortController();
    cleanup.push(
      () => stop.abort(),
      () => fake.stop(),
    );
    const [store, log] = [new KubeStore(), new RecordedLog()];
    const source = new ApiSource({
      connection: connect(fake.url),
      kinds: ['Service'],
      fields: DNS_FIELDS,
      clock: realClock,
      random: seededRandom(1),
      log,
    });
    source.start(store, stop.signal);
    return { store, log, source };
  }
  const paths = { cert: join(TLS, 'client.pem'), key: join(TLS, 'client-key.pem'), ca: join(TLS, 'ca.pem') };

  it('shows its certificate and checks the server against the CA', async () => {
    const { store, source } = await listOver((url) => endpointConnection({ url, tls: paths, clock: realClock }));
    await source.synced;
    expect(store.service('default', 'web')).toBeDefined();
  });

  it('works with what a kubeconfig says', async () => {
    const user = { 'client-certificate-data': base64(pem('client')), 'client-key': paths.key };
    const { store, source } = await listOver((server) =>
      kubeconfig(config(user, { server, 'certificate-authority': paths.ca, 'tls-server-name': 'api.test' })),
    );
    await source.synced;
    expect(store.service('default', 'web')).toBeDefined();
  });

  it.each([
    { name: 'a server that no CA vouches for', tls: { ...paths, ca: '' }, error: 'self-signed certificate' },
    {
      name: 'a CA file that is missing',
      tls: { ...paths, ca: '/nowhere/ca.pem' },
      error: 'cannot read /nowhere/ca.pem: ENOENT',
    },
    { name: 'a missing certificate of its own', tls: { ...paths, cert: '', key: '' }, error: 'ertificate required' },
  ])('tells of $name', async ({ tls, error }) => {
    const { log } = await listOver((url) => endpointConnection({ url, tls, clock: realClock }));
    await until(() => log.at('warning').length > 0, 'a warning');
    expect(log.at('warning')[0]).toContain(error);
  });
});
