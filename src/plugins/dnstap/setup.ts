import tls from 'node:tls';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { compileFormat, definePlugin, type Block, type QueryFormat } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { dial, parseEndpoint, type TapEndpoint } from './endpoint.js';
import { Dnstap } from './handler.js';
import { dnstapMetrics } from './metrics.js';
import { openPort } from './ports.js';
import { TapReaders } from './readers.js';
import { TapSender } from './sender.js';

/** Messages that wait for a reader, times `queue`. */
const QUEUE = 10_000;
const MAX_QUEUE = 4096;
const MAX_BUFFER = 1024;

const OPTIONS = ['identity', 'version', 'extra', 'skipverify'];

interface TapOptions {
  readonly listens: boolean;
  readonly endpoint: TapEndpoint;
  /** As written. */
  readonly socket: string;
  readonly full: boolean;
  readonly queue: number;
  identity: string;
  version: string;
  extra: QueryFormat | undefined;
  verify: boolean;
  /** PEM texts: certificate, key and who stands behind readers' certificates. */
  tls: { readonly cert: string; readonly key: string; readonly ca: string | undefined } | undefined;
}

export const dnstap = definePlugin('dnstap', (directives, block) =>
  directives.map((directive) => {
    const options = read(directive, block);
    const { identity, version, extra, full } = options;
    const send = options.listens ? toReaders(options, block) : toReader(options, block);
    return new Dnstap({ clock: block.runtime.clock, identity, version, extra, full, send });
  }),
);

function read(directive: Directive, block: Block): TapOptions {
  const listens = directive.args[0] === 'listen';
  const args = directive.args.slice(listens ? 1 : 0);
  const usage = listens ? 'dnstap listen SOCKET [full]' : 'dnstap SOCKET [full] [WRITEBUFFER] [QUEUE]';
  directive.argCount(listens ? 2 : 1, listens ? 3 : 4, usage);
  const [socket = '', full, buffer, queue] = args;
  if (full !== undefined && full !== 'full') directive.wrong(full, `full; ${usage}`);
  // The system sizes the buffer of a connection by what goes through it.
  if (buffer !== undefined) directive.integer(buffer, { min: 1, max: MAX_BUFFER, what: 'WRITEBUFFER' });
  const options: TapOptions = {
    listens,
    endpoint: parseEndpoint(directive, socket),
    socket,
    full: full !== undefined,
    queue: QUEUE * (queue === undefined ? 1 : directive.integer(queue, { min: 1, max: MAX_QUEUE, what: 'QUEUE' })),
    identity: block.runtime.hostname,
    version: `nodens-${block.runtime.version}`,
    extra: undefined,
    verify: true,
    tls: undefined,
  };
  for (const option of directive.options ?? []) readOption(option, options, block);
  if (listens && options.endpoint.kind === 'tls' && options.tls === undefined)
    directive.fail('tls:// needs a certificate, allowed: the option tls CERT KEY [CA]');
  return options;
}

function readOption(option: Option, into: TapOptions, block: Block): void {
  option.noOptions();
  switch (option.name) {
    case 'identity':
      into.identity = option.one('identity IDENTITY');
      break;
    case 'version':
      into.version = option.one('version VERSION');
      break;
    case 'extra':
      into.extra = compileFormat(option.one('extra EXTRA'));
      break;
    case 'skipverify':
      option.flag();
      into.verify = false;
      break;
    case 'tls':
      if (!into.listens) option.unknown(OPTIONS);
      into.tls = readTls(option, block);
      break;
    default:
      option.unknown(into.listens ? [...OPTIONS, 'tls'] : OPTIONS);
  }
}

function readTls(option: Option, { settings, runtime }: Block): TapOptions['tls'] {
  option.argCount(2, 3, 'tls CERT KEY [CA]');
  const [cert = '', key = '', ca] = option.args.map((file) => {
    try {
      return runtime.readFile(settings.root === undefined ? file : path.resolve(settings.root, file));
    } catch (error) {
      return option.fail(`file ${file} cannot be read: ${(error as Error).message}`);
    }
  });
  try {
    tls.createSecureContext({ cert, key, ca });
  } catch (error) {
    option.fail(`certificate ${option.args[0]} with key ${option.args[1]} cannot be used: ${(error as Error).message}`);
  }
  return { cert, key, ca };
}

/** Sends to one reader that is looked for. */
function toReader({ endpoint, queue, verify, socket }: TapOptions, block: Block): (frame: Buffer) => void {
  const { runtime } = block;
  const counted = dnstapMetrics(runtime.metrics, socket);
  const sender = new TapSender({
    clock: runtime.clock,
    log: block.logger('dnstap'),
    most: queue,
    dropped: (count) => counted.dropped.inc(count),
    dial: (signal) => dial(endpoint, runtime, verify, signal),
  });
  block.onStart(() => sender.start());
  block.onStop(() => sender.stop());
  return (frame) => sender.send(frame);
}

/** Sends to all readers that come. */
function toReaders({ endpoint, tls: files, verify, socket }: TapOptions, block: Block): (frame: Buffer) => void {
  const { runtime } = block;
  const counted = dnstapMetrics(runtime.metrics, socket);
  const readers = new TapReaders((count) => counted.dropped.inc(count));
  const accept = (stream: Duplex): void =>
    readers.accept(files === undefined ? stream : secured(stream, files, verify));
  block.onStart(async () => {
    try {
      const close = await openPort(endpoint, runtime, accept);
      block.onStop(close);
    } catch (error) {
      block.logger('dnstap').error(`no reader can come to ${socket}: ${(error as Error).message}`);
    }
  });
  block.onStop(() => readers.stop());
  return (frame) => readers.send(frame);
}

/** A reader's certificate is asked for, and checked, where there is a CA to check it with. */
function secured(stream: Duplex, { cert, key, ca }: NonNullable<TapOptions['tls']>, verify: boolean): Duplex {
  const checks = ca !== undefined && verify;
  const secure = new tls.TLSSocket(stream, {
    isServer: true,
    secureContext: tls.createSecureContext({ cert, key, ca, minVersion: 'TLSv1.2' }),
    requestCert: checks,
    rejectUnauthorized: checks,
  });
  // OpenSSL turns away only who gives none. Node's own server asks the same handle; there is no other way to it.
  const { ssl } = secure as unknown as { readonly ssl: { verifyError(): Error | null } };
  if (checks) secure.once('secure', () => ssl.verifyError() !== null && secure.destroy());
  return secure;
}
