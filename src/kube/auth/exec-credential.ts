import { resolve } from 'node:path';
import type { Clock } from '../../lib/clock.js';
import { Singleflight } from '../../lib/singleflight.js';
import type { Milliseconds } from '../../lib/units.js';
import { ConnectionError } from './connection.js';
import { outputOf } from './exec-program.js';
import { arrayAt, asObject, flagAt, objectAt, textAt } from '../objects/raw.js';
import type { RawObject } from '../objects/raw.js';

/** Credentials are renewed this long before they expire, so that none runs out on its way. */
const LEEWAY: Milliseconds = 10_000;
const API = /^client\.authentication\.k8s\.io\/v1(?:beta1)?$/;
const MODES = ['Never', 'IfAvailable', 'Always'];

export interface ExecResult {
  readonly token: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** What a credential program is run with. */
export interface ExecSurroundings {
  /** The kubeconfig's, from which relative paths count. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** What the program is told of the cluster where it wants to know (`provideClusterInfo`). */
  readonly cluster: () => Promise<RawObject>;
  /** Whether standard input is a terminal. */
  readonly terminal: boolean;
}

/**
 * Credentials printed by a program
 * (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
 * They are kept until shortly before they expire, or until the API refuses them. The program gets the terminal only
 * where `interactiveMode` is not Never and there is one.
 */
export class ExecCredential {
  private kept: { readonly result: ExecResult; readonly until: Milliseconds } | undefined;
  private readonly flight = new Singleflight<'run', ExecResult>();
  private readonly apiVersion: string;
  private readonly interactive: boolean;

  /** Throws a {@link ConnectionError} for a program that cannot be run as it is configured. */
  constructor(
    private readonly config: RawObject,
    private readonly around: ExecSurroundings,
  ) {
    this.apiVersion = checkedVersion(config);
    this.interactive = isInteractive(config, this.apiVersion, around.terminal);
  }

  /** Rejects with a {@link ConnectionError} when the program fails or prints something else. */
  get(): Promise<ExecResult> {
    if (this.kept && this.around.clock.now() < this.kept.until) return Promise.resolve(this.kept.result);
    return this.flight.run('run', () => this.run());
  }

  expire(): void {
    this.kept = undefined;
  }

  private async run(): Promise<ExecResult> {
    const command = textAt(this.config, 'command');
    // As for other paths in a kubeconfig: relative to its folder when it has a slash, else looked up in PATH.
    const file = command.includes('/') ? resolve(this.around.folder, command) : command;
    const args = arrayAt(this.config, 'args').map(String);
    const env = await this.environment();
    let output: string;
    try {
      output = await outputOf(file, args, { env, terminal: this.interactive });
    } catch (error) {
      throw new ConnectionError(`credential program ${command} failed: ${(error as Error).message.trim()}`, {
        cause: error,
      });
    }
    const printed = parseOutput(output, command);
    const version = textAt(printed, 'apiVersion');
    if (version !== this.apiVersion)
      throw new ConnectionError(
        `credential program ${command} printed apiVersion ${JSON.stringify(version)}, expected ${this.apiVersion}`,
      );
    const status = objectAt(printed, 'status');
    const result = resultOf(status, command);
    const expires = Date.parse(textAt(status, 'expirationTimestamp'));
    this.kept = { result, until: Number.isNaN(expires) ? Infinity : expires - LEEWAY };
    return result;
  }

  private async environment(): Promise<NodeJS.ProcessEnv> {
    const added = arrayAt(this.config, 'env').map((entry) => [textAt(entry, 'name'), textAt(entry, 'value')] as const);
    const cluster = flagAt(this.config, 'provideClusterInfo') ? { cluster: await this.around.cluster() } : {};
    const info = {
      kind: 'ExecCredential',
      apiVersion: this.apiVersion,
      spec: { ...cluster, interactive: this.interactive },
    };
    return { ...this.around.env, ...Object.fromEntries(added), KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  }
}

function checkedVersion(config: RawObject): string {
  if (textAt(config, 'command') === '') throw new ConnectionError('kubeconfig: exec has no command');
  const version = textAt(config, 'apiVersion');
  if (!API.test(version))
    throw new ConnectionError(
      `kubeconfig: exec.apiVersion ${JSON.stringify(config['apiVersion'])} is unknown, allowed ` +
        'are client.authentication.k8s.io/v1 and /v1beta1',
    );
  if (arrayAt(config, 'env').some((entry) => textAt(entry, 'name') === ''))
    throw new ConnectionError('kubeconfig: exec.env has an entry without a name');
  return version;
}

/** Version v1beta1 may leave the mode out, and means IfAvailable then. */
function isInteractive(config: RawObject, version: string, terminal: boolean): boolean {
  const given = asObject(config)['interactiveMode'];
  const mode = (given ?? '') === '' && version.endsWith('v1beta1') ? 'IfAvailable' : given;
  if (typeof mode !== 'string' || !MODES.includes(mode))
    throw new ConnectionError(
      `kubeconfig: exec.interactiveMode is ${JSON.stringify(given) ?? 'missing'}, allowed are ${MODES.join(', ')}`,
    );
  if (mode === 'Always' && !terminal)
    throw new ConnectionError('kubeconfig: exec.interactiveMode is Always, but standard input is no terminal');
  return mode !== 'Never' && terminal;
}

function resultOf(status: RawObject, command: string): ExecResult {
  const result = {
    token: textAt(status, 'token') || undefined,
    cert: textAt(status, 'clientCertificateData') || undefined,
    key: textAt(status, 'clientKeyData') || undefined,
  };
  if ((result.cert === undefined) !== (result.key === undefined))
    throw new ConnectionError(
      `credential program ${command} printed a certificate or a key, expected: both or neither`,
    );
  if (result.token === undefined && result.cert === undefined)
    throw new ConnectionError(`credential program ${command} printed neither a token nor a certificate with its key`);
  return result;
}

function parseOutput(output: string, command: string): unknown {
  try {
    return JSON.parse(output);
  } catch (error) {
    throw new ConnectionError(`credential program ${command} printed no JSON`, { cause: error });
  }
}
