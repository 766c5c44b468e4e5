import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../../lib/clock.js';
import { ConnectionError, FileText, parseApiUrl } from './connection.js';
import type { ApiConnection, ApiCredentials, TlsMaterial } from './connection.js';
import { ExecCredential } from './exec-credential.js';
import { impersonationOf } from './impersonation.js';
import { arrayAt, asObject, flagAt, objectAt, textAt } from '../objects/raw.js';
import type { RawObject } from '../objects/raw.js';
import { loadYaml } from '../yaml.js';

export interface KubeconfigOptions {
  readonly path: string;
  /** Overrides `current-context`. */
  readonly context?: string;
  /** Handed to credential programs. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Whether credential programs may ask a person; by default where standard input is a terminal. */
  readonly terminal?: boolean;
}

/** A member given inline in base64 or as the path of a file, as kubeconfig writes certificates and keys. */
type Material = () => Promise<string | undefined>;

/**
 * The API server and user of a kubeconfig file
 * (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/):
 * TLS certificates, token, token file, name and password, credential programs (`exec`), another user's name (`as`) and
 * proxies (`proxy-url`).
 * Throws a {@link ConnectionError} naming file and field.
 */
export function kubeconfigConnection(options: KubeconfigOptions): ApiConnection {
  const { path, clock } = options;
  const config = readConfig(path);
  const fail = (what: string): never => {
    throw new ConnectionError(`kubeconfig ${path}: ${what}`);
  };
  const contextName = options.context ?? textAt(config, 'current-context');
  if (contextName === '') fail('no context was named and current-context is not set');
  const context =
    named(config, 'contexts', contextName, 'context') ?? fail(`there is no context ${JSON.stringify(contextName)}`);
  const clusterName = textAt(context, 'cluster');
  const cluster =
    named(config, 'clusters', clusterName, 'cluster') ??
    fail(`context ${JSON.stringify(contextName)}: there is no cluster ${JSON.stringify(clusterName)}`);
  const userName = textAt(context, 'user');
  const user =
    userName === ''
      ? {}
      : (named(config, 'users', userName, 'user') ??
        fail(`context ${JSON.stringify(contextName)}: there is no user ${JSON.stringify(userName)}`));
  const server = textAt(cluster, 'server');
  if (server === '') fail(`cluster ${JSON.stringify(clusterName)} has no server`);
  const proxy = proxyOf(cluster, (what) => fail(`cluster ${JSON.stringify(clusterName)}: ${what}`));
  const impersonation = impersonationOf(user, (what) => fail(`user ${JSON.stringify(userName)}: ${what}`));
  if (user['auth-provider'] !== undefined)
    fail(`user ${JSON.stringify(userName)}: auth-provider is not supported, use exec or a token`);

  const material = (from: RawObject, field: string): Material => materialOf(from, field, dirname(path), clock, fail);
  const ca = material(cluster, 'certificate-authority');
  const cert = material(user, 'client-certificate');
  const key = material(user, 'client-key');
  const tokenFile =
    textAt(user, 'tokenFile') === ''
      ? undefined
      : new FileText(resolve(dirname(path), textAt(user, 'tokenFile')), clock);
  const exec =
    user['exec'] === undefined
      ? undefined
      : new ExecCredential(objectAt(user, 'exec'), {
          folder: dirname(path),
          env: options.env,
          clock,
          cluster: async () => clusterInfo(cluster, await ca()),
          terminal: options.terminal ?? process.stdin.isTTY,
        });
  const serverTls: TlsMaterial = {
    ...(textAt(cluster, 'tls-server-name') === '' ? {} : { servername: textAt(cluster, 'tls-server-name') }),
    ...(flagAt(cluster, 'insecure-skip-tls-verify') ? { rejectUnauthorized: false } : {}),
  };
  return {
    url: parseApiUrl(server),
    proxy,
    async credentials(): Promise<ApiCredentials> {
      const made = await exec?.get();
      const token = (tokenFile ? (await tokenFile.get()).trim() : textAt(user, 'token')) || made?.token;
      const tls = defined({
        ...serverTls,
        ca: await ca(),
        cert: (await cert()) ?? made?.cert,
        key: (await key()) ?? made?.key,
      });
      const headers = { ...authorization(token, textAt(user, 'username'), textAt(user, 'password')), ...impersonation };
      return { headers, tls };
    },
    refused() {
      tokenFile?.expire();
      exec?.expire();
    },
  };
}

const PROXY_SCHEMES = ['http:', 'https:', 'socks5:'];

function proxyOf(cluster: RawObject, fail: (what: string) => never): URL | undefined {
  const text = textAt(cluster, 'proxy-url');
  if (text === '') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && PROXY_SCHEMES.includes(url.protocol) && url.hostname !== ''
    ? url
    : fail(`proxy-url is ${JSON.stringify(text)}, allowed are URLs of http, https and socks5`);
}

/** Under this name a cluster has settings for credential programs. */
const EXEC_EXTENSION = 'client.authentication.k8s.io/exec';

/** A cluster as a credential program is told of it. */
function clusterInfo(cluster: RawObject, ca: string | undefined): RawObject {
  const kept = ['server', 'tls-server-name', 'insecure-skip-tls-verify', 'proxy-url', 'disable-compression'];
  const settings = arrayAt(cluster, 'extensions').find((entry) => textAt(entry, 'name') === EXEC_EXTENSION);
  const given = kept.filter((key) => Boolean(cluster[key]));
  return {
    ...Object.fromEntries(given.map((key) => [key, cluster[key]] as const)),
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    config: asObject(settings)['extension'] ?? null,
  };
}

function readConfig(path: string): unknown {
  try {
    return loadYaml().parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConnectionError(`kubeconfig ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function named(config: unknown, list: string, name: string, member: string): RawObject | undefined {
  const entry = arrayAt(config, list).find((candidate) => textAt(candidate, 'name') === name);
  return entry === undefined ? undefined : objectAt(entry, member);
}

function materialOf(
  from: RawObject,
  field: string,
  folder: string,
  clock: Clock,
  fail: (what: string) => never,
): Material {
  const data = textAt(from, `${field}-data`);
  if (data !== '') {
    const text = Buffer.from(data, 'base64').toString('utf8');
    if (!text.includes('-----BEGIN')) fail(`${field}-data is no PEM text in base64`);
    return () => Promise.resolve(text);
  }
  const path = textAt(from, field);
  if (path === '') return () => Promise.resolve(undefined);
  const file = new FileText(resolve(folder, path), clock);
  return () => file.get();
}

function authorization(token: string | undefined, username: string, password: string): Record<string, string> {
  if (token) return { authorization: `Bearer ${token}` };
  if (username !== '') return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  return {};
}

function defined(tls: { [Part in keyof TlsMaterial]: TlsMaterial[Part] | undefined }): TlsMaterial {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}
