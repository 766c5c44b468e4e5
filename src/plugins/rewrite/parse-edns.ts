import type { Directive } from '../../corefile/index.js';
import { VARIABLES, clientSubnet, isMetadataLabel, labelled, type OptionData } from './edns-data.js';
import { ACTIONS, EdnsRule, type EdnsAction } from './edns-rule.js';
import type { RewriteRule } from './rule.js';

/** Option codes: name server identifier (RFC 5001) and client subnet (RFC 7871). */
const NSID = 3;
const CLIENT_SUBNET = 8;

const USAGE: Readonly<Record<string, string>> = {
  local: 'edns0 local set|append|replace CODE DATA [revert], edns0 local unset CODE',
  nsid: 'edns0 nsid set|append|replace [revert], edns0 nsid unset',
  subnet: 'edns0 subnet set|append|replace IPV4-BITS IPV6-BITS [revert], edns0 subnet unset',
};

/** Reads what follows `edns0`. Throws a CorefileError. */
export function readEdnsRule(directive: Directive, words: readonly string[]): RewriteRule {
  if (words.length < 2)
    directive.fail(
      `edns0: got ${words.length === 0 ? 'no argument' : `'${words[0]}'`}, allowed: edns0 local|nsid|subnet ${ACTIONS.join('|')} ...`,
    );
  const kind = directive.oneOf(words[0]!.toLowerCase(), ['local', 'nsid', 'subnet'], 'edns0');
  const action = directive.oneOf(words[1]!.toLowerCase(), ACTIONS, 'edns0');
  const revert = action !== 'unset' && words.length > 2 && words.at(-1) === 'revert';
  const rest = words.slice(2, revert ? -1 : undefined);
  const wanted = kind === 'nsid' ? 0 : kind === 'local' ? (action === 'unset' ? 1 : 2) : action === 'unset' ? 0 : 2;
  if (rest.length !== wanted) directive.fail(`edns0: got '${words.join(' ')}', allowed: ${USAGE[kind]}`);
  switch (kind) {
    case 'nsid':
      return new EdnsRule(action, NSID, () => NOTHING, revert);
    case 'local':
      return new EdnsRule(
        action,
        readCode(directive, rest[0]!),
        action === 'unset' ? () => NOTHING : readData(directive, rest[1]!),
        revert,
      );
    case 'subnet':
      return new EdnsRule(action, CLIENT_SUBNET, readSubnet(directive, action, rest), revert);
  }
}

const NOTHING = new Uint8Array(0);

function readCode(directive: Directive, text: string): number {
  const code = /^(0x[\da-f]+|0b[01]+|0o?[0-7]*|[1-9]\d*)$/i.test(text)
    ? Number(text.replace(/^0(?=[0-7])/, '0o'))
    : NaN;
  return code <= 0xffff ? code : directive.wrong(text, 'an option code from 0 to 65535, decimal or as 0xffee', 'edns0');
}

function readData(directive: Directive, text: string): OptionData {
  if (text.startsWith('{') && text.endsWith('}')) {
    const variable = VARIABLES[text];
    if (variable === undefined && !isMetadataLabel(text))
      directive.wrong(
        text,
        `${Object.keys(VARIABLES).join(', ')}, or a label of metadata such as {plugin/name}`,
        'edns0',
      );
    return variable ?? labelled(text.slice(1, -1));
  }
  if (text.startsWith('0x') && !/^0x([\da-f]{2})*$/i.test(text))
    directive.wrong(text, 'two hexadecimal digits for each octet after 0x', 'edns0');
  const data = text.startsWith('0x') ? Buffer.from(text.slice(2), 'hex') : Buffer.from(text);
  return () => data;
}

function readSubnet(directive: Directive, action: EdnsAction, bits: readonly string[]): OptionData {
  if (action === 'unset') return () => NOTHING;
  const prefix4 = directive.integer(bits[0]!, { min: 0, max: 32, what: 'edns0: IPV4-BITS' });
  return clientSubnet(prefix4, directive.integer(bits[1]!, { min: 0, max: 128, what: 'edns0: IPV6-BITS' }));
}
