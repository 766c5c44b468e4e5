import path from 'node:path';
import { definePlugin, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { readSigningKey, type SigningKey } from '../../dnssec/index.js';
import { sleep } from '../../lib/clock.js';
import { isExpected } from '../../lib/errors.js';
import type { Milliseconds } from '../../lib/units.js';
import { Signer } from './signer.js';

const DIRECTORY = '/var/lib/coredns';
/** How long the start waits for zones that are signed for the first time: then `file` finds them. */
const START: Milliseconds = 1000;

/** Makes no handler: `file` and `auto` serve what it writes. */
export const sign = definePlugin('sign', (directives, block) => {
  const signers = directives.flatMap((directive) => readDirective(directive, block));
  block.onStart(async () => {
    const over = new AbortController();
    const signed = Promise.all(signers.map((signer) => signer.start()));
    await Promise.race([signed, sleep(block.runtime.clock, START, over.signal).catch(() => undefined)]);
    over.abort(new Error('all are signed'));
  });
  block.onStop(() => signers.forEach((signer) => signer.stop()));
  return undefined;
});

function readDirective(directive: Directive, block: Block): Signer[] {
  directive.argCount(1, Infinity, 'sign DBFILE [ZONES...]');
  const [name = '', ...zones] = directive.args;
  const source = inRoot(name, block);
  const keys: SigningKey[] = [];
  let directory = DIRECTORY;
  for (const option of directive.options ?? []) {
    option.noOptions();
    if (option.name === 'key') keys.push(...readKeys(option, block));
    else if (option.name === 'directory') directory = inRoot(option.one('directory DIR'), block);
    else option.unknown(['key', 'directory']);
  }
  if (keys.length === 0) directive.fail("'key file KEY...' is required");
  const log = block.logger('sign');
  return block
    .zonesOf(zones, directive)
    .list.map((origin) => new Signer({ origin, source, directory, keys }, block.runtime, log));
}

const inRoot = (name: string, { settings }: Block): string =>
  path.join(path.isAbsolute(name) ? '' : (settings.root ?? ''), name);

function readKeys(option: Option, block: Block): SigningKey[] {
  option.argCount(2, Infinity, 'key file KEY...');
  const [source = '', ...names] = option.args;
  if (source !== 'file') option.wrong(source, 'file; name the files of a directory one by one');
  const { runtime } = block;
  return names.map((name) => {
    try {
      const key = readSigningKey(inRoot(name, block), (file) => runtime.readFile(file), runtime.clock.now());
      return key.role === 'ksk'
        ? key
        : option.fail(`key ${name} (keyid: ${key.tag}) is no key signing key: flags are ${key.flags}, allowed: 257`);
    } catch (error) {
      if (!isExpected(error) || error.name === 'CorefileError') throw error;
      return option.fail(error.message);
    }
  });
}
