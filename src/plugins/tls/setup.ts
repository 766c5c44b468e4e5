import path from 'node:path';
import { definePlugin, onlyOne, type Block, type TlsListening } from '../../chain/index.js';
import type { CorefileEntry } from '../../corefile/index.js';
import { repeat } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { Certificates, type CertificateFiles } from './certificates.js';
import { KeyLog } from './key-log.js';

/** How often the files are looked at, in milliseconds. */
const LOOK: Milliseconds = 10_000;

/** `client_auth` in a Corefile, and what it asks of clients. Words as CoreDNS has them. */
const CLIENT_AUTH: Readonly<Record<string, TlsListening['clientCertificate']>> = {
  nocert: 'none',
  request: 'request',
  require: 'any',
  verify_if_given: 'verify-if-given',
  require_and_verify: 'verify',
};

export const tls = definePlugin('tls', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(2, 3, 'tls CERT KEY [CA]');
  const { root } = block.settings;
  const [cert = '', key = '', ca] = directive.args.map((file) =>
    root === undefined ? file : path.resolve(root, file),
  );
  let clientCertificate: TlsListening['clientCertificate'] = 'none';
  let keyLog: KeyLog | undefined;
  for (const option of directive.options ?? []) {
    option.noOptions();
    if (option.name === 'client_auth') clientCertificate = clientAuth(option);
    else if (option.name === 'keylog') keyLog = openKeyLog(option, block);
    else option.unknown(['client_auth', 'keylog']);
  }
  const certificates = load(directive, { cert, key, ca }, block);
  const keylog = keyLog && ((line: Buffer): void => keyLog.write(line));
  block.settings.tls = {
    context: () => certificates.context,
    pem: () => certificates.texts,
    clientCertificate,
    keylog,
  };
  const log = block.logger('tls');
  const timer = repeat(block.runtime.clock, LOOK, () => {
    try {
      if (certificates.refresh()) log.info(`certificate of ${cert} read again`);
    } catch (error) {
      log.error(`certificate of ${cert} stays as it was: ${(error as Error).message}`);
    }
  });
  block.onStop(() => timer.cancel());
  return undefined;
});

function clientAuth(option: CorefileEntry): TlsListening['clientCertificate'] {
  const text = option.one('client_auth MODE');
  const mode = CLIENT_AUTH[text];
  return mode ?? option.fail(`got '${text}', allowed: ${Object.keys(CLIENT_AUTH).join(', ')}`);
}

function openKeyLog(option: CorefileEntry, block: Block): KeyLog {
  const name = option.one('keylog FILE');
  const file = block.settings.root === undefined ? name : path.resolve(block.settings.root, name);
  try {
    const keyLog = new KeyLog(file);
    block.lifetime.onEnd(() => keyLog.close());
    block.logger('tls').warning(`the secrets of all connections are written to ${file}`);
    return keyLog;
  } catch (error) {
    return option.fail(`file ${file} cannot be written: ${(error as Error).message}`);
  }
}

function load(directive: CorefileEntry, files: CertificateFiles, { runtime }: Block): Certificates {
  try {
    return new Certificates(files, runtime);
  } catch (error) {
    return directive.fail((error as Error).message);
  }
}
