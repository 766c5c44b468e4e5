import path from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import type * as Yaml from 'yaml';
import type { Runtime, TlsListening } from '../../chain/index.js';
import { loadPackage } from '../../lib/package.js';

type Files = Pick<Runtime, 'readFile' | 'fileInfo'>;
type ClientCertificate = TlsListening['clientCertificate'];

/** `client_auth_type`, and what it asks of clients. Words as Prometheus has them. */
const CLIENT_AUTH: Readonly<Record<string, ClientCertificate>> = {
  NoClientCert: 'none',
  RequestClientCert: 'request',
  RequireAnyClientCert: 'any',
  VerifyClientCertIfGiven: 'verify-if-given',
  RequireAndVerifyClientCert: 'verify',
};
const VERSIONS = { TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;
const FIELDS = ['cert_file', 'key_file', 'client_ca_file', 'client_auth_type', 'min_version'];

interface WebSettings {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly clientCertificate: ClientCertificate;
  readonly minVersion: (typeof VERSIONS)[keyof typeof VERSIONS];
}

/**
 * The `tls_server_config` of a Prometheus web configuration
 * (https://prometheus.io/docs/prometheus/latest/configuration/https/), with certificate and key as they are in their
 * files at each handshake. Throws an Error that says what is wrong, with the file's name before it.
 */
export function webConfig(file: string, files: Files): TlsListening {
  const settings = readSettings(file, files);
  let kept = { state: stateOf(settings, files), context: contextOf(file, settings, files) };
  const context = (): SecureContext => {
    const state = stateOf(settings, files);
    if (state === kept.state) return kept.context;
    try {
      kept = { state, context: contextOf(file, settings, files) };
    } catch {
      // Half of a pair may have been renewed: what was good before goes on.
      kept = { ...kept, state };
    }
    return kept.context;
  };
  return { context, clientCertificate: settings.clientCertificate };
}

function readSettings(file: string, files: Files): WebSettings {
  const fail = (what: string): never => {
    throw new Error(`${file}: ${what}`);
  };
  const { parse } = loadPackage('yaml') as typeof Yaml;
  const config = fieldsOf(
    attempt(() => parse(files.readFile(file)) as unknown, fail),
    fail,
  );
  for (const name of Object.keys(config))
    if (name !== 'tls_server_config') fail(`got '${name}', allowed: tls_server_config`);
  const tls = fieldsOf(config['tls_server_config'], fail);
  for (const name of Object.keys(tls))
    if (!FIELDS.includes(name)) fail(`tls_server_config: got '${name}', allowed: ${FIELDS.join(', ')}`);
  const text = (name: string): string | undefined => {
    const value = tls[name];
    if (value === undefined || value === null || value === '') return undefined;
    return typeof value === 'string' ? value : fail(`tls_server_config: ${name}: got no text`);
  };
  const named = (name: string): string | undefined => {
    const value = text(name);
    return value === undefined ? undefined : path.resolve(path.dirname(file), value);
  };
  const needed = (name: string): string => named(name) ?? fail(`tls_server_config: got no ${name}`);
  const oneOf = <T>(name: string, words: Readonly<Record<string, T>>, usual: T): T => {
    const word = text(name);
    if (word === undefined) return usual;
    return Object.hasOwn(words, word)
      ? words[word]!
      : fail(`tls_server_config: ${name}: got '${word}', allowed: ${Object.keys(words).join(', ')}`);
  };
  const ca = named('client_ca_file');
  const clientCertificate = oneOf('client_auth_type', CLIENT_AUTH, 'none');
  if (clientCertificate.startsWith('verify') && ca === undefined)
    fail(`tls_server_config: got client_auth_type ${text('client_auth_type')} without client_ca_file`);
  return {
    cert: needed('cert_file'),
    key: needed('key_file'),
    ca,
    clientCertificate,
    minVersion: oneOf('min_version', VERSIONS, 'TLSv1.2'),
  };
}

function fieldsOf(value: unknown, fail: (what: string) => never): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : fail('got no tls_server_config with cert_file and key_file');
}

function contextOf(file: string, { cert, key, ca, minVersion }: WebSettings, { readFile }: Files): SecureContext {
  const fail = (what: string): never => {
    throw new Error(`${file}: certificate ${cert} with key ${key} cannot be used: ${what}`);
  };
  return attempt(
    () =>
      createSecureContext({
        cert: readFile(cert),
        key: readFile(key),
        ca: ca === undefined ? undefined : readFile(ca),
        minVersion,
      }),
    fail,
  );
}

/** Changes when one of the files does. */
const stateOf = ({ cert, key, ca }: WebSettings, { fileInfo }: Files): string =>
  [cert, key, ...(ca === undefined ? [] : [ca])]
    .map((file) => {
      const info = fileInfo(file);
      return info === undefined ? 'none' : `${info.mtime} ${info.size}`;
    })
    .join(', ');

function attempt<T>(work: () => T, fail: (what: string) => never): T {
  try {
    return work();
  } catch (error) {
    return fail((error as Error).message);
  }
}
