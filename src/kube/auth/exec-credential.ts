import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../../lib/clock.js';
import { Singleflight } from '../../lib/singleflight.js';
import type { Milliseconds, Octets } from '../../lib/units.js';
import { ConnectionError } from './connection.js';
import { arrayAt, objectAt, textAt } from '../objects/raw.js';
import type { RawObject } from '../objects/raw.js';

/** A program that asks a person, or hangs, must not hold up the reconnect for ever. */
const TIMEOUT: Milliseconds = 60_000;
const MAX_OUTPUT: Octets = 1024 * 1024;
/** Credentials are renewed this long before they expire, so that none runs out on its way. */
const LEEWAY: Milliseconds = 10_000;
const API = /^client\.authentication\.k8s\.io\/v1(?:beta1)?$/;

export interface ExecResult {
  readonly token: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/**
 * Credentials printed by a program
 * (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
 * They are kept until shortly before they expire, or until the API refuses them. The program gets no terminal.
 */
export class ExecCredential {
  private kept: { readonly result: ExecResult; readonly until: Milliseconds } | undefined;
  private readonly flight = new Singleflight<'run', ExecResult>();

  constructor(
    private readonly config: RawObject,
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly clock: Clock,
  ) {
    if (textAt(config, 'command') === '') throw new ConnectionError('kubeconfig: exec has no command');
    if (!API.test(textAt(config, 'apiVersion')))
      throw new ConnectionError(
        `kubeconfig: exec.apiVersion ${JSON.stringify(config['apiVersion'])} is unknown, allowed ` +
          'are client.authentication.k8s.io/v1 and /v1beta1',
      );
  }

  /** Rejects with a {@link ConnectionError} when the program fails or prints something else. */
  get(): Promise<ExecResult> {
    if (this.kept && this.clock.now() < this.kept.until) return Promise.resolve(this.kept.result);
    return this.flight.run('run', () => this.run());
  }

  expire(): void {
    this.kept = undefined;
  }

  private async run(): Promise<ExecResult> {
    const command = textAt(this.config, 'command');
    // As for other paths in a kubeconfig: relative to its folder when it has a slash, else looked up in PATH.
    const file = command.includes('/') ? resolve(this.folder, command) : command;
    const args = arrayAt(this.config, 'args').map(String);
    let output: string;
    try {
      // Loaded here: only users of such a program pay for it.
      const { execFile } = await import('node:child_process');
      const run = promisify(execFile);
      const { stdout } = await run(file, args, {
        env: this.environment(),
        timeout: TIMEOUT,
        maxBuffer: MAX_OUTPUT,
        encoding: 'utf8',
      });
      output = stdout;
    } catch (error) {
      throw new ConnectionError(`credential program ${command} failed: ${(error as Error).message.trim()}`, {
        cause: error,
      });
    }
    const status = objectAt(parseOutput(output, command), 'status');
    const result = {
      token: textAt(status, 'token') || undefined,
      cert: textAt(status, 'clientCertificateData') || undefined,
      key: textAt(status, 'clientKeyData') || undefined,
    };
    if (!result.token && !(result.cert && result.key))
      throw new ConnectionError(`credential program ${command} printed neither a token nor a certificate with its key`);
    const expires = Date.parse(textAt(status, 'expirationTimestamp'));
    this.kept = { result, until: Number.isNaN(expires) ? Infinity : expires - LEEWAY };
    return result;
  }

  private environment(): NodeJS.ProcessEnv {
    const added = arrayAt(this.config, 'env').map((entry) => [textAt(entry, 'name'), textAt(entry, 'value')] as const);
    const info = {
      apiVersion: textAt(this.config, 'apiVersion'),
      kind: 'ExecCredential',
      spec: { interactive: false },
    };
    return { ...this.env, ...Object.fromEntries(added), KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  }
}

function parseOutput(output: string, command: string): unknown {
  try {
    return JSON.parse(output);
  } catch (error) {
    throw new ConnectionError(`credential program ${command} printed no JSON`, { cause: error });
  }
}
