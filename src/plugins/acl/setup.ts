import { definePlugin, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { parseCidr, type Cidr } from '../../lib/cidr.js';
import { Networks } from '../../lib/networks.js';
import { typeFromName } from '../../wire/index.js';
import { Acl } from './handler.js';
import { AclMetrics } from './metrics.js';
import { ACTIONS, type AclAction, type AclPolicy, type AclRule } from './rule.js';

const SECTIONS = ['type', 'net'];
const USAGE = 'ACTION [type QTYPE...] [net SOURCE...]';

/** Several directives in a server block are asked in their order. */
export const acl = definePlugin('acl', (directives, block) => {
  const rules = directives.map((directive) => readRule(directive, block));
  return new Acl(
    rules,
    new AclMetrics(block.runtime.metrics, () => block.settings.view?.name ?? ''),
    block.logger('acl'),
  );
});

const readRule = (directive: Directive, block: Block): AclRule => ({
  zones: block.zonesOf(directive.args, directive),
  policies: (directive.options ?? []).map(readPolicy),
});

function readPolicy(option: Option): AclPolicy {
  option.noOptions();
  const action = option.name.toLowerCase();
  if (!isAction(action)) option.unknown(ACTIONS);
  let types: Set<number> | undefined;
  let sources: Cidr[] | undefined;
  for (const { section, words } of sectionsOf(option)) {
    if (section === 'type') types = words === undefined ? undefined : withTypes(types ?? new Set(), words, option);
    else
      sources = words === undefined ? undefined : [...(sources ?? []), ...words.map((text) => readBlock(text, option))];
  }
  const { file, line } = option;
  const text = [option.name, ...option.args].join(' ');
  return { action, types, sources: sources && new Networks(sources), text, place: { file, line } };
}

const isAction = (text: string): text is AclAction => (ACTIONS as readonly string[]).includes(text);

/** The words after `type` and `net`; undefined for those that hold `*`. */
function sectionsOf(option: Option): { section: string; words: readonly string[] | undefined }[] {
  const sections: { section: string; words: string[] }[] = [];
  for (const word of option.args) {
    const section = word.toLowerCase();
    if (SECTIONS.includes(section)) sections.push({ section, words: [] });
    else if (sections.length === 0) option.wrong(word, `type or net; usage: ${USAGE}`);
    else sections.at(-1)!.words.push(word);
  }
  return sections.map(({ section, words }) => {
    if (words.length === 0) option.fail(`got nothing after '${section}', allowed: ${USAGE}`);
    return { section, words: words.includes('*') ? undefined : words };
  });
}

function withTypes(types: Set<number>, words: readonly string[], option: Option): Set<number> {
  for (const word of words)
    types.add(typeFromName(word) ?? option.wrong(word, 'a record type such as A, MX or TYPE65280, or *', 'type'));
  return types;
}

const readBlock = (text: string, option: Option): Cidr =>
  parseCidr(text) ?? option.wrong(text, 'an address, an address block such as 10.0.0.0/8 or fd00::/8, or *', 'net');
