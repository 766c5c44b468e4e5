import { X509Certificate } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { SecureContext } from 'node:tls';
import type { PemTexts, Runtime } from '../../chain/index.js';
import type { Timer } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Name } from '../../wire/index.js';
import { order, type AcmeOrder } from './acme-order.js';
import type { AcmeOptions } from './acme-options.js';
import { serverContext } from './certificates.js';
import { Challenges } from './challenges.js';

/** A certificate is looked at this often, and after a failure first after a minute, then after twice as long. */
const LOOK: Milliseconds = 3_600_000;
const FIRST_RETRY: Milliseconds = 60_000;

/** What it works with. */
export interface AcmeParts {
  readonly runtime: Pick<Runtime, 'clock' | 'readFile' | 'fileInfo' | 'replaceFile'>;
  readonly log: Logger;
  /** Orders a certificate: `order` of acme-order.ts when left out. */
  readonly order?: (wanted: AcmeOrder) => Promise<{ readonly cert: string; readonly key: string }>;
}

/** A name as certificates have it. */
const hostOf = (name: Name): string => name.slice(0, -1);

/**
 * A certificate that is ordered from a certificate authority (RFC 8555), kept in a folder, and ordered again before its
 * end. What is there stays in force until another one is.
 */
export class AcmeCertificate {
  readonly challenges: Challenges;
  private current:
    { readonly texts: PemTexts; readonly context: SecureContext; readonly end: Milliseconds } | undefined;
  private timer: Timer | undefined;
  private stopped = false;
  private failures = 0;

  /** Throws an Error where the folder cannot be written or what is in it cannot be read. */
  constructor(
    readonly options: AcmeOptions,
    private readonly parts: AcmeParts,
  ) {
    const own = options.names.map((name) => name.replace(/^\*\./, ''));
    this.challenges = new Challenges(new Set(own));
    mkdirSync(options.storage, { recursive: true, mode: 0o700 });
    this.current = this.stored();
  }

  /** Throws where there is no certificate yet. */
  get context(): SecureContext {
    return this.there.context;
  }

  /** As `context`. */
  get texts(): PemTexts {
    return this.there.texts;
  }

  /** Begins to look after the certificate: not before queries are answered. */
  start(): void {
    if (this.timer === undefined && !this.stopped) this.look();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private get there(): NonNullable<AcmeCertificate['current']> {
    if (this.current === undefined) throw new Error('there is no certificate yet');
    return this.current;
  }

  private look(): void {
    const { clock } = this.parts.runtime;
    const again = (wait: Milliseconds): void => {
      if (!this.stopped) this.timer = clock.setTimeout(() => this.look(), wait);
    };
    if (this.current !== undefined && clock.now() < this.current.end - this.options.renewBefore) return again(LOOK);
    // Not to be begun twice.
    this.timer = { cancel: () => undefined };
    this.renew().then(
      () => {
        this.failures = 0;
        again(LOOK);
      },
      (error: Error) => {
        const { log } = this.parts;
        const kept = this.current === undefined ? 'there is none to show yet' : 'the one there is stays in force';
        log.error(`no certificate for ${this.options.names.join(', ')}: ${error.message}; ${kept}`);
        again(Math.min(LOOK, FIRST_RETRY * 2 ** this.failures++));
      },
    );
  }

  private async renew(): Promise<void> {
    const { options, parts, challenges } = this;
    const texts = await (parts.order ?? order)({
      directory: options.directory,
      hosts: options.names.map(hostOf),
      email: options.email,
      ca: options.ca === undefined ? undefined : parts.runtime.readFile(options.ca),
      accountKey: this.read('account-key.pem'),
      keepAccountKey: (key) => this.keep('account-key.pem', key, 0o600),
      // An authority that has forgotten the account is asked for it by its key after a failure.
      accountUrl: this.failures % 2 === 0 ? this.read('account-url') : undefined,
      keepAccountUrl: (url) => this.keep('account-url', url, 0o600),
      prove: (host, proof) => challenges.put(`${host.toLowerCase()}.`, proof),
    });
    if (this.stopped) return;
    this.current = this.usable(texts.cert, texts.key);
    this.keep('key.pem', texts.key, 0o600);
    this.keep('cert.pem', texts.cert, 0o644);
    const end = new Date(this.current.end).toISOString();
    parts.log.info(`certificate for ${options.names.join(', ')} is in force, until ${end}`);
  }

  /** The certificate of an earlier time; undefined where there is none, or none that is of use. */
  private stored(): AcmeCertificate['current'] {
    const [cert, key] = [this.read('cert.pem'), this.read('key.pem')];
    if (cert === undefined || key === undefined) return undefined;
    try {
      return this.usable(cert, key);
    } catch (error) {
      this.parts.log.warning(`certificate in ${this.options.storage} is of no use: ${(error as Error).message}`);
      return undefined;
    }
  }

  private usable(cert: string, key: string): NonNullable<AcmeCertificate['current']> {
    const read = new X509Certificate(cert);
    const end = Date.parse(read.validTo);
    if (end <= this.parts.runtime.clock.now()) throw new Error(`it has expired (${new Date(end).toISOString()})`);
    // A wildcard's own name is one that it is for.
    const missing = this.options.names.find(
      (name) => read.checkHost(hostOf(name.replace(/^\*\./, 'any.'))) === undefined,
    );
    if (missing !== undefined) throw new Error(`it is not for ${missing}`);
    return {
      end,
      texts: { cert, key, ca: undefined },
      context: serverContext({ cert, key, ca: undefined }),
    };
  }

  private read(name: string): string | undefined {
    const file = path.join(this.options.storage, name);
    return this.parts.runtime.fileInfo(file) === undefined ? undefined : this.parts.runtime.readFile(file);
  }

  private keep(name: string, text: string, mode: number): void {
    this.parts.runtime.replaceFile(path.join(this.options.storage, name), Buffer.from(text), mode);
  }
}
