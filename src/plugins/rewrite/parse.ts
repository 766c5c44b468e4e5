import type { Next } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import type { Logger } from '../../lib/log.js';
import { classFromName, isName, rcodeFromName, typeFromName } from '../../wire/index.js';
import { OwnerChange, ValueChange, byPattern, bySuffix } from './answer.js';
import { CnameRule } from './cname-rule.js';
import { ClassRule, RcodeChange, ReplyRule, TtlChange, TypeRule } from './field-rules.js';
import type { Step } from './handler.js';
import { MATCH_TYPES, RegexMatcher, matcher, normalName, regexFor, type MatchType, type Matcher } from './matcher.js';
import { NameRule } from './name-rule.js';
import { readEdnsRule } from './parse-edns.js';
import type { ReplyChange, RewriteRule } from './rule.js';

/** What rules need beside their text. */
export interface RuleContext {
  readonly ask: Next;
  readonly log: Logger;
}

const FIELDS = ['name', 'type', 'class', 'edns0', 'ttl', 'rcode', 'cname'] as const;
const MODES = ['continue', 'stop'];
/** Largest TTL that a range without an upper end allows, in seconds (RFC 2181 section 8). */
const MAX_TTL = 2 ** 31 - 1;
const MAX_RCODE = 23;

/** Reads one `rewrite` directive, on one line or in several within { }. Throws a CorefileError. */
export function readStep(directive: Directive, around: RuleContext): Step {
  const words = wordsOf(directive);
  const mode = MODES.includes(words[0]?.toLowerCase() ?? '') ? words.shift()!.toLowerCase() : 'stop';
  const field = words.shift()?.toLowerCase();
  if (field === undefined) directive.fail(`got no field, allowed: ${FIELDS.join(', ')}`);
  if (field === 'answer') directive.fail('answer: it must come after a name rule');
  return { rule: readRule(directive, directive.oneOf(field, FIELDS), words, around), stops: mode === 'stop' };
}

function wordsOf(directive: Directive): string[] {
  const { args, options } = directive;
  if (options === undefined) return [...args];
  if (args.length > 1)
    directive.fail(
      `got a block in { } after '${args.join(' ')}', allowed: only after rewrite, rewrite continue or rewrite stop`,
    );
  return [
    ...args,
    ...options.flatMap((option) => {
      option.noOptions();
      return [option.name, ...option.args];
    }),
  ];
}

function readRule(
  directive: Directive,
  field: (typeof FIELDS)[number],
  words: string[],
  around: RuleContext,
): RewriteRule {
  switch (field) {
    case 'name':
      return readNameRule(directive, words);
    case 'type':
      return readPair(directive, field, words, typeFromName, (from, to) => new TypeRule(from, to));
    case 'class':
      return readPair(directive, field, words, classFromName, (from, to) => new ClassRule(from, to));
    case 'edns0':
      return readEdnsRule(directive, words);
    case 'ttl': {
      const {
        type,
        rest: [from, ttl],
      } = matchAnd(directive, 'ttl', words, 2, 'FROM SECONDS|MIN-MAX');
      return new ReplyRule(readMatcher(directive, 'ttl', type, from!), readTtl(directive, ttl!));
    }
    case 'rcode': {
      const {
        type,
        rest: [from, old, other],
      } = matchAnd(directive, 'rcode', words, 3, 'FROM RCODE RCODE');
      return new ReplyRule(
        readMatcher(directive, 'rcode', type, from!),
        new RcodeChange(readRcode(directive, old!), readRcode(directive, other!)),
      );
    }
    case 'cname': {
      const {
        type,
        rest: [from, to],
      } = matchAnd(directive, 'cname', words, 2, 'FROM TO');
      // Targets are complete names with their dot, and are taken as they are written, but for letter case.
      return new CnameRule(
        compiled(directive, 'cname', () => matcher(type, from!.toLowerCase(), to!.toLowerCase())),
        around.ask,
        around.log,
      );
    }
  }
}

function readPair(
  directive: Directive,
  field: string,
  words: string[],
  read: (name: string) => number | undefined,
  make: (from: number, to: number) => RewriteRule,
): RewriteRule {
  if (words.length !== 2) directive.fail(`${field}: got ${got(words)}, allowed: ${field} FROM TO`);
  const [from, to] = words.map(
    (word) =>
      read(word) ??
      directive.wrong(word, field === 'type' ? 'a record type such as A, MX or ANY' : 'IN, CH, HS, NONE or ANY', field),
  );
  return make(from!, to!);
}

/** The match type, exact when none is written, and the `count` words after it. */
function matchAnd(
  directive: Directive,
  field: string,
  words: string[],
  count: number,
  usage: string,
): { type: MatchType; rest: string[] } {
  if (words.length === count) return { type: 'exact', rest: words };
  if (words.length !== count + 1)
    directive.fail(`${field}: got ${got(words)}, allowed: ${field} [${MATCH_TYPES.join('|')}] ${usage}`);
  return { type: directive.oneOf(words[0]!.toLowerCase(), MATCH_TYPES, field), rest: words.slice(1) };
}

function readMatcher(directive: Directive, field: string, type: MatchType, from: string): Matcher {
  return compiled(directive, field, () => matcher(type, type === 'regex' ? from : normalName(from), ''));
}

function readNameRule(directive: Directive, words: string[]): RewriteRule {
  if (words.length < 2)
    directive.fail(`name: got ${got(words)}, allowed: name [${MATCH_TYPES.join('|')}] FROM TO [answer ...]`);
  const type = words.length === 2 ? 'exact' : directive.oneOf(words.shift()!.toLowerCase(), MATCH_TYPES, 'name');
  const [from, to] = [type === 'regex' ? words[0]! : normalName(words[0]!), normalName(words[1]!)];
  if (type === 'exact')
    for (const name of [from, to]) if (!isName(name)) directive.wrong(name, 'a domain name', 'name');
  const { auto, changes } = readAnswers(directive, words.slice(2));
  const rule = compiled(directive, 'name', () => matcher(type, from, to));
  // For an end of names the way back is known: it holds for all names of the reply, not only for the one asked for.
  if (type === 'suffix')
    return new NameRule(
      rule,
      false,
      auto ? [new OwnerChange(bySuffix(to, from)), new ValueChange(bySuffix(to, from)), ...changes] : changes,
    );
  return new NameRule(rule, auto || type === 'exact', changes);
}

const ANSWER_USAGE = 'answer auto, answer name FROM TO, answer value FROM TO';

function readAnswers(directive: Directive, words: string[]): { auto: boolean; changes: ReplyChange[] } {
  const changes: ReplyChange[] = [];
  let auto = false;
  let named = false;
  if (words.length > 0 && words[0] !== 'answer') directive.wrong(words[0]!, ANSWER_USAGE, 'name');
  while (words.length > 0) {
    if (words[0] === 'answer') words.shift();
    const kind = directive.oneOf(words.shift() ?? '', ['auto', 'name', 'value'], 'answer');
    if (kind === 'auto') {
      auto = true;
      continue;
    }
    const [from, to] = words.splice(0, 2);
    if (from === undefined || to === undefined)
      directive.fail(
        `answer ${kind}: got ${from === undefined ? 'no argument' : `'${from}'`}, allowed: answer ${kind} FROM TO`,
      );
    const rename = byPattern(
      compiled(directive, `answer ${kind}`, () => new RegexMatcher(regexFor(from, to), normalName(to))),
    );
    changes.push(kind === 'name' ? new OwnerChange(rename) : new ValueChange(rename));
    named ||= kind === 'name';
  }
  if (auto && named) directive.fail('answer: got both auto and name, allowed: one of them');
  return { auto, changes };
}

function compiled<Made>(directive: Directive, what: string, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return directive.fail(`${what}: ${error.message}`);
  }
}

function readTtl(directive: Directive, text: string): TtlChange {
  const match = /^(\d*)(-?)(\d*)$/.exec(text);
  const [, low, dash, high] = match ?? [];
  const min = low === '' ? 0 : Number(low);
  const max = dash === '' ? min : high === '' ? MAX_TTL : Number(high);
  const empty = low === '' && (high === '' || high === undefined);
  if (match === null || empty || min > max || max > 0xffffffff)
    directive.wrong(text, 'SECONDS, MIN-MAX, MIN- or -MAX, with whole numbers of seconds and MIN not above MAX', 'ttl');
  return new TtlChange(min, max);
}

function readRcode(directive: Directive, text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : rcodeFromName(text);
  return number !== undefined && number <= MAX_RCODE
    ? number
    : directive.wrong(text, `a response code by name, such as SERVFAIL, or from 0 to ${MAX_RCODE}`, 'rcode');
}

const got = (words: readonly string[]): string => (words.length === 0 ? 'no argument' : `'${words.join(' ')}'`);
