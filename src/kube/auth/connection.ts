import { readFile } from 'node:fs/promises';
import { NodensError } from '../../lib/errors.js';
import type { Clock } from '../../lib/clock.js';
import { hostPort } from '../../lib/cidr.js';
import type { Milliseconds } from '../../lib/units.js';

/** Files of credentials are read again after this time, as the Kubernetes client library does with its tokens. */
const REREAD: Milliseconds = 60_000;
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Name to ask for and to check in the server's certificate, when it is not the host of the URL. */
  readonly servername?: string;
  /** false leaves the server's certificate unchecked. */
  readonly rejectUnauthorized?: boolean;
}

/** By name; a header with several values is sent several times. */
export type ApiHeaders = Readonly<Record<string, string | readonly string[]>>;

export interface ApiCredentials {
  readonly headers: ApiHeaders;
  readonly tls: TlsMaterial;
}

/**
 * An API server and what it takes to be let in.
 *
 * The official `@kubernetes/client-node` is not used, for measured reasons (Node 20.20): importing version 1.4 takes
 * 320 ms and
 * 72 MB of resident memory, its configuration module alone as much, against 6 ms and 3 MB for node:http and
 * node:https; the
 * whole server is to stay under 110 MB. Version 2 does not load on Node 20 at all.
 */
export interface ApiConnection {
  /** http or https, with the path under which the API lives. */
  readonly url: URL;
  /** `http`, `https` or `socks5`: through which the API is reached. */
  readonly proxy?: URL | undefined;
  /** What the next request shall carry. Rejects when a file or a program behind it fails. */
  credentials(): Promise<ApiCredentials>;
  /** The server refused the last credentials (401): the next ones are made anew. */
  refused(): void;
}

/** A connection that cannot be made as it is configured. */
export class ConnectionError extends NodensError {
  override readonly name = 'ConnectionError';

  constructor(message: string, options?: ErrorOptions) {
    super('NODENS_KUBE_CONNECTION', message, options);
  }
}

/** The text of a file, read again when it is older than a minute; the last good text while the file cannot be read. */
export class FileText {
  private text: string | undefined;
  private readAt: Milliseconds = 0;

  constructor(
    readonly path: string,
    private readonly clock: Clock,
  ) {}

  async get(): Promise<string> {
    if (this.text !== undefined && this.clock.monotonic() - this.readAt < REREAD) return this.text;
    try {
      this.text = await readFile(this.path, 'utf8');
      this.readAt = this.clock.monotonic();
    } catch (error) {
      if (this.text === undefined)
        throw new ConnectionError(`cannot read ${this.path}: ${(error as Error).message}`, { cause: error });
    }
    return this.text;
  }

  expire(): void {
    this.readAt = -Infinity;
  }
}

export interface InClusterOptions {
  /** Values of the environment variables KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  readonly host: string | undefined;
  readonly port: string | undefined;
  /** Folder of `token` and `ca.crt`. */
  readonly serviceAccount?: string;
  readonly clock: Clock;
}

/** The API server of the cluster this process runs in. The token is read again every minute: kubelet rotates it. */
export function inClusterConnection(options: InClusterOptions): ApiConnection {
  const { host, port, clock } = options;
  if (!host || !port)
    throw new ConnectionError('not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set');
  const folder = options.serviceAccount ?? SERVICE_ACCOUNT;
  const token = new FileText(`${folder}/token`, clock);
  const ca = new FileText(`${folder}/ca.crt`, clock);
  return {
    url: parseApiUrl(`https://${hostPort(host, port)}`),
    async credentials() {
      return { headers: { authorization: `Bearer ${(await token.get()).trim()}` }, tls: { ca: await ca.get() } };
    },
    refused: () => token.expire(),
  };
}

export interface EndpointOptions {
  /** With or without a scheme; http is assumed without. */
  readonly url: string;
  /** Paths of PEM files; an empty path leaves that part out. Without a CA the system's are trusted. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly clock: Clock;
}

/** An API server by its address, with certificates from files that may be renewed in place. */
export function endpointConnection(options: EndpointOptions): ApiConnection {
  const files = Object.entries(options.tls ?? {}).filter(([, path]) => path !== '');
  const texts = files.map(([part, path]) => ({ part, file: new FileText(path, options.clock) }));
  return {
    url: parseApiUrl(options.url),
    async credentials() {
      const parts = await Promise.all(texts.map(async ({ part, file }) => [part, await file.get()] as const));
      return { headers: {}, tls: Object.fromEntries(parts) };
    },
    refused: () => texts.forEach(({ file }) => file.expire()),
  };
}

/** Throws a {@link ConnectionError} unless the text is an http or https URL, or a host and port. */
export function parseApiUrl(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text.includes('://') ? text : `http://${text}`);
  } catch {
    // Told below, with the text.
  }
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '')
    throw new ConnectionError(`API endpoint ${JSON.stringify(text)} is no http or https URL`);
  return url;
}
