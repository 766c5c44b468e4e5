import { DROP, Reply, replyOf, type Outcome } from '../chain/index.js';
import { NodensError } from '../lib/errors.js';
import { suggestion } from '../corefile/index.js';
import { Flag, Rcode, rcodeFromName, rcodeName, type Edns, type EdnsOption, type Rr } from '../wire/index.js';
import { shown, wrong } from './data-fields.js';
import { DROP_REPLY, type ExtendedError, type PluginReply, type RcodeName } from './messages.js';
import { publicRecord, rrFrom, type ResourceRecord } from './records.js';

const SOURCE = Symbol('nodens.reply');

/** What a view, and each copy of it, was made from. */
interface ViewSource {
  readonly outcome: Outcome;
  readonly view: PluginReply;
}

const SECTIONS = { answers: 'answer', authorities: 'authority', additionals: 'additional' } as const;
type SectionName = keyof typeof SECTIONS;
const SECTION_NAMES = Object.keys(SECTIONS) as readonly SectionName[];

const FLAGS = { flag_aa: Flag.AA, flag_tc: Flag.TC, flag_ra: Flag.RA, flag_ad: Flag.AD } as const;
const FLAG_NAMES = Object.keys(FLAGS) as readonly (keyof typeof FLAGS)[];
const ALL_FLAGS = Flag.AA | Flag.TC | Flag.RA | Flag.AD;

/** What says something about a reply; one of them must be there. */
const TELLING = ['rcode', 'flags', ...FLAG_NAMES, ...SECTION_NAMES, 'extendedError'];
/** What a packet of dns-packet has besides, or what is read elsewhere. */
const BESIDES = new Set(['validFor', 'id', 'type', 'questions', 'opcode', 'flag_qr', 'flag_rd', 'flag_z', 'flag_cd']);

/** EDNS option for extended errors (RFC 8914 section 2). */
const EXTENDED_ERROR = 15;
/** As DNS Flag Day 2020 has it, in bytes; nobody is told, since the server answers with its own OPT record. */
const UDP_SIZE = 1232;

/** What an outcome looks like where nobody answered: only a copy that says otherwise is a reply. */
const SILENT = Reply.failure(Rcode.SERVFAIL);

/**
 * A reply as plugins see it; sections are made into objects when they are asked for. All of it are properties of its
 * own, so that a copy with a spread keeps them, and the copy knows what it was made from.
 */
export function viewReply(outcome: Outcome): PluginReply {
  const reply = replyOf(outcome) ?? SILENT;
  const sections: Partial<Record<SectionName, readonly ResourceRecord[]>> = {};
  const section = (name: SectionName): readonly ResourceRecord[] =>
    (sections[name] ??= Object.freeze(reply[SECTIONS[name]].map(publicRecord)));
  const source = { outcome, view: undefined as unknown as PluginReply };
  source.view = Object.freeze({
    [SOURCE]: source,
    rcode: rcodeName(reply.rcode) as RcodeName,
    flag_aa: (reply.flags & Flag.AA) !== 0,
    flag_tc: (reply.flags & Flag.TC) !== 0,
    flag_ra: (reply.flags & Flag.RA) !== 0,
    flag_ad: (reply.flags & Flag.AD) !== 0,
    get answers() {
      return section('answers');
    },
    get authorities() {
      return section('authorities');
    },
    get additionals() {
      return section('additionals');
    },
  });
  return source.view;
}

/** A reply that a handler gave back, as the chain has it. */
export interface GivenReply {
  readonly outcome: Outcome;
  /** It is what `next` gave, unchanged. */
  readonly passedOn: boolean;
  /** In seconds. */
  readonly validFor: number | undefined;
}

/**
 * Reads what a handler gave back. Throws a NodensError that says what is wrong with it.
 *
 * @param value a reply that `next` gave, a changed copy of one, a reply of its own, or DROP_REPLY
 */
export function readReply(value: unknown): GivenReply {
  if (value === DROP_REPLY) return { outcome: DROP, passedOn: false, validFor: undefined };
  const { [SOURCE]: source, ...fields } = replyObject(value);
  if (source !== undefined && source.view === value)
    return { outcome: source.outcome, passedOn: true, validFor: undefined };
  const validFor = fields['validFor'];
  if (validFor !== undefined && !(typeof validFor === 'number' && validFor >= 0))
    wrong('validFor', validFor, 'seconds, 0 or more');
  const given = source?.outcome;
  // What others left unanswered stays so, whatever was changed about it; and so do the messages of a transfer.
  const outcome = given === undefined || given instanceof Reply ? made(fields, source, given) : given;
  return { outcome, passedOn: false, validFor: validFor as number | undefined };
}

type Fields = Readonly<Record<string, unknown>>;

function replyObject(value: unknown): Fields & { readonly [SOURCE]?: ViewSource } {
  const keys = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  if (!keys.some((key) => TELLING.includes(key))) {
    const got = keys.length > 0 ? `an object with ${keys.slice(0, 5).join(', ')}` : shown(value);
    const near = keys[0] === undefined ? '' : suggestion(keys[0], TELLING);
    const allowed = `a reply with at least one of ${TELLING.join(', ')}, what next() gave, or DROP${near}`;
    throw new NodensError('NODENS_RECORD', `got ${got} for a reply, allowed: ${allowed}`);
  }
  const unknown = keys.find((key) => !TELLING.includes(key) && !BESIDES.has(key));
  if (unknown !== undefined)
    throw new NodensError(
      'NODENS_RECORD',
      `got a reply with '${unknown}', allowed: ${TELLING.join(', ')}${suggestion(unknown, TELLING)}`,
    );
  return value as Fields & { readonly [SOURCE]?: ViewSource };
}

function made(fields: Fields, source: ViewSource | undefined, base: Reply | undefined): Reply {
  const flags = flagsFrom(fields, base);
  const rcode = rcodeFrom(fields, base);
  const changed: Partial<Record<'answer' | 'authority' | 'additional', readonly Rr[]>> = {};
  for (const name of SECTION_NAMES) {
    const records = fields[name];
    if (records === undefined || (source !== undefined && records === source.view[name])) continue;
    changed[SECTIONS[name]] = recordsFrom(records, name);
  }
  const edns = ednsFrom(fields['extendedError'] as ExtendedError | undefined, base?.edns);
  if (base === undefined || !base.written) return Reply.of(flags, rcode, { ...sectionsOf(base), ...changed }, edns);
  const headed = base.withHeader({ flags, rcode }).withEdns(edns);
  return Object.keys(changed).length === 0 ? headed : headed.withSections(changed);
}

const sectionsOf = (reply: Reply | undefined): Partial<Reply['sections']> => reply?.sections ?? {};

function recordsFrom(records: unknown, section: SectionName): Rr[] {
  if (!Array.isArray(records)) return wrong(section, records, 'a list of records');
  return records
    .filter((record: unknown) => (record as { type?: unknown } | null)?.type !== 'OPT')
    .map((record, i) => rrFrom(record, `${section}[${i}]`));
}

function flagsFrom(fields: Fields, base: Reply | undefined): number {
  const { flags: bits } = fields;
  if (bits !== undefined && typeof bits !== 'number') return wrong('flags', bits, 'a number');
  let flags = (bits ?? base?.flags ?? Flag.AA) & ALL_FLAGS;
  for (const name of FLAG_NAMES) {
    const given = fields[name];
    if (given === undefined) continue;
    if (typeof given !== 'boolean') return wrong(name, given, 'true or false');
    flags = given ? flags | FLAGS[name] : flags & ~FLAGS[name];
  }
  return flags;
}

function rcodeFrom(fields: Fields, base: Reply | undefined): number {
  const { rcode, flags } = fields;
  if (rcode === undefined) return base?.rcode ?? (typeof flags === 'number' ? flags & 0xf : Rcode.NOERROR);
  const number = typeof rcode === 'string' ? rcodeFromName(rcode) : rcode;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 0xfff
    ? number
    : wrong('rcode', rcode, 'a name such as NXDOMAIN, or a number from 0 to 4095');
}

function ednsFrom(error: ExtendedError | undefined, before: Edns | undefined): Edns | undefined {
  if (error === undefined) return before;
  const { code, text = '' } = error;
  if (!Number.isInteger(code) || code < 0 || code > 0xffff || typeof text !== 'string')
    return wrong('extendedError', error, '{ code: 0 to 65535, text: a string }');
  const data = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(text)]);
  const others = (before?.options ?? []).filter((option) => option.code !== EXTENDED_ERROR);
  const options: EdnsOption[] = [...others, { code: EXTENDED_ERROR, data }];
  return { udpSize: before?.udpSize ?? UDP_SIZE, version: 0, do: false, options };
}
