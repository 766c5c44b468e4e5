import path from 'node:path';
import type { Block } from '../../chain/index.js';
import type { Option } from '../../corefile/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { lowerName, type Name } from '../../wire/index.js';

/** What `acme` says. */
export interface AcmeOptions {
  /** URL of the certificate authority's directory (RFC 8555 section 7.1.1). */
  readonly directory: string;
  /** Names of the certificate; a wildcard begins with `*.`. */
  readonly names: readonly Name[];
  /** Folder of the account's key, the certificate and its key. */
  readonly storage: string;
  readonly email: string | undefined;
  /** PEM file of who stands behind the directory's certificate; the system's list when left out. */
  readonly ca: string | undefined;
  /** How long before its end a certificate is replaced. */
  readonly renewBefore: Milliseconds;
}

const USAGE = 'acme URL { names NAME...; storage FOLDER }';
const DAY: Milliseconds = 86_400_000;
const RENEW: Milliseconds = 30 * DAY;

export function readAcme(option: Option, { settings }: Block): AcmeOptions {
  const directory = option.one(USAGE);
  if (!/^https:\/\/[^/]+\//.test(directory)) option.wrong(directory, 'an https:// URL', 'URL');
  const inRoot = (file: string): string => (settings.root === undefined ? file : path.resolve(settings.root, file));
  const found: { -readonly [Key in keyof AcmeOptions]?: AcmeOptions[Key] } = {};
  for (const inner of option.options ?? []) {
    inner.noOptions();
    if (inner.name === 'names') {
      inner.argCount(1, Infinity, 'names NAME...');
      found.names = inner.args.map((text) => readHost(inner, text));
    } else if (inner.name === 'storage') found.storage = inRoot(inner.one('storage FOLDER'));
    else if (inner.name === 'email') found.email = inner.one('email ADDRESS');
    else if (inner.name === 'ca') found.ca = inRoot(inner.one('ca FILE'));
    else if (inner.name === 'renew_before')
      found.renewBefore = inner.duration(inner.one('renew_before DURATION'), { min: 60_000, max: 365 * DAY });
    else inner.unknown(['names', 'storage', 'email', 'ca', 'renew_before']);
  }
  const { names, storage, email, ca, renewBefore = RENEW } = found;
  if (names === undefined || storage === undefined)
    return option.fail(`got no ${names === undefined ? 'names' : 'storage'}, allowed: ${USAGE}`);
  return { directory, names, storage, email, ca, renewBefore };
}

/** A host's name, or a wildcard for those under one. */
function readHost(option: Option, text: string): Name {
  if (!/^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?\.?$/i.test(text))
    option.wrong(text, 'the name of a host, or one behind *.', 'NAME');
  return lowerName(text.endsWith('.') ? text : `${text}.`);
}
