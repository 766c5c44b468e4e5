import { Zones, definePlugin, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { goRegExp, type GoRegExp } from '../../lib/go-regexp.js';
import { Rcode, classFromName, rcodeFromName, typeFromName, type EdnsOption, type Section } from '../../wire/index.js';
import { GoTemplateError } from '../../gotemplate/index.js';
import { Template } from './handler.js';
import { templateMetrics } from './metrics.js';
import { RecordTemplate, type TemplateRule } from './rule.js';

const USAGE = 'template CLASS TYPE [ZONES...]';
const OPTIONS = ['match', 'answer', 'additional', 'authority', 'rcode', 'ederror', 'fallthrough', 'upstream'];
/** The option code of an extended DNS error (RFC 8914 section 2). */
const EXTENDED_ERROR = 15;

export const template = definePlugin('template', (directives, block) => {
  const rules = directives.map((directive) => readRule(directive, block));
  return new Template(rules, (query) => block.ask(query), templateMetrics(block.runtime.metrics));
});

function readRule(directive: Directive, block: Block): TemplateRule {
  directive.argCount(2, Infinity, USAGE);
  const [className, typeName, ...zones] = directive.args as [string, string, ...string[]];
  const patterns: GoRegExp[] = [];
  const records: RecordTemplate[] = [];
  const rule = {
    class:
      classFromName(className) ?? directive.wrong(className, 'IN, CH, HS, NONE, ANY or CLASS with a number', 'CLASS'),
    type:
      typeFromName(typeName) ?? directive.wrong(typeName, 'a record type such as A, MX or TYPE65280, or ANY', 'TYPE'),
    zones: block.zonesOf(zones, directive),
    patterns,
    records,
    rcode: Rcode.NOERROR as number,
    extendedError: undefined as EdnsOption | undefined,
    through: new Zones([]),
  };
  for (const option of directive.options ?? []) {
    option.noOptions();
    switch (option.name) {
      case 'match':
        option.argCount(1, Infinity, 'match REGEX...');
        patterns.push(...option.args.map((text) => readPattern(text, option)));
        break;
      case 'answer':
      case 'additional':
      case 'authority':
        option.argCount(1, Infinity, `${option.name} RECORD...`);
        records.push(...readRecords(option, option.name));
        break;
      case 'rcode':
        rule.rcode = readRcode(option);
        break;
      case 'ederror':
        rule.extendedError = readExtendedError(option);
        break;
      case 'fallthrough':
        rule.through = new Zones(option.args.length === 0 ? ['.'] : option.zones(option.args));
        break;
      case 'upstream':
        break;
      default:
        option.unknown(OPTIONS);
    }
  }
  // Answers come before the others, so that the mistake that is met first is the one that the reference meets first.
  const order: Section[] = ['answer', 'additional', 'authority'];
  return { ...rule, records: records.toSorted((a, b) => order.indexOf(a.section) - order.indexOf(b.section)) };
}

function readPattern(text: string, option: Option): GoRegExp {
  try {
    return goRegExp(text);
  } catch (error) {
    return option.fail((error as RangeError).message);
  }
}

function readRecords(option: Option, section: Section): RecordTemplate[] {
  return option.args.map((text) => {
    try {
      return new RecordTemplate(section, text);
    } catch (error) {
      if (!(error instanceof GoTemplateError)) throw error;
      return option.fail(`got template '${text}', ${error.message}`);
    }
  });
}

function readRcode(option: Option): number {
  const name = option.one('rcode CODE');
  return rcodeFromName(name) ?? option.wrong(name, 'a response code such as NOERROR, NXDOMAIN, SERVFAIL or REFUSED');
}

function readExtendedError(option: Option): EdnsOption {
  option.argCount(1, 2, 'ederror CODE [REASON]');
  const code = option.integer(option.args[0]!, { min: 0, max: 0xffff, what: 'CODE' });
  return {
    code: EXTENDED_ERROR,
    data: Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(option.args[1] ?? '')]),
  };
}
