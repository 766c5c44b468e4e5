import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { definePlugin, onlyOne, type Block, type PemTexts, type TlsListening } from '../../chain/index.js';
import type { CorefileEntry, Directive, Option } from '../../corefile/index.js';
import { repeat } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { loadAcme } from './acme-order.js';
import { readAcme } from './acme-options.js';
import { AcmeCertificate } from './acme.js';
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
  let clientCertificate: TlsListening['clientCertificate'] = 'none';
  let keyLog: KeyLog | undefined;
  let acme: AcmeCertificate | undefined;
  for (const option of directive.options ?? []) {
    if (option.name === 'acme') acme = order(option, block);
    else {
      option.noOptions();
      if (option.name === 'client_auth') clientCertificate = clientAuth(option);
      else if (option.name === 'keylog') keyLog = openKeyLog(option, block);
      else option.unknown(['client_auth', 'keylog', 'acme']);
    }
  }
  if (acme === undefined) directive.argCount(2, 3, 'tls CERT KEY [CA]');
  else directive.argCount(0, 0, 'tls { acme URL { ... } }');
  const keylog = keyLog && ((line: Buffer): void => keyLog.write(line));
  const source = acme ?? fromFiles(directive, block);
  const pem = (): PemTexts => source.texts;
  block.settings.tls = { context: () => source.context, pem, clientCertificate, keylog };
  return acme?.challenges;
});

/** The certificate in the files that the directive names, read again when they change. */
function fromFiles(directive: Directive, block: Block): Certificates {
  const { root } = block.settings;
  const [cert = '', key = '', ca] = directive.args.map((file) =>
    root === undefined ? file : path.resolve(root, file),
  );
  const certificates = load(directive, { cert, key, ca }, block);
  const log = block.logger('tls');
  const timer = repeat(block.runtime.clock, LOOK, () => {
    try {
      if (certificates.refresh()) log.info(`certificate of ${cert} read again`);
    } catch (error) {
      log.error(`certificate of ${cert} stays as it was: ${(error as Error).message}`);
    }
  });
  block.onStop(() => timer.cancel());
  return certificates;
}

/** A certificate that is ordered; blocks that keep it in the same folder have it together. */
function order(option: Option, block: Block): AcmeCertificate {
  const options = readAcme(option, block);
  try {
    loadAcme();
    const shared = block.shared(`tls/acme ${options.storage}`, () => {
      const certificate = new AcmeCertificate(options, { runtime: block.runtime, log: block.logger('tls') });
      block.onServing(() => certificate.start());
      block.lifetime.onEnd(() => certificate.stop());
      return certificate;
    });
    if (!isDeepStrictEqual(shared.options, options))
      throw new Error(`another block keeps another order in ${options.storage}`);
    return shared;
  } catch (error) {
    return option.fail((error as Error).message);
  }
}

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
