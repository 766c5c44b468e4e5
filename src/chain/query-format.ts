import { hostPort } from '../lib/cidr.js';
import type { LineBuffer } from '../lib/line-buffer.js';
import type { Milliseconds } from '../lib/units.js';
import { visible } from '../lib/visible.js';
import { Flag, OPT_SIZE, fitReply, rcodeName } from '../wire/index.js';
import type { NotedHit } from './noted-hit.js';
import type { Query } from './query.js';
import type { Reply } from './reply.js';

/**
 * Writes one part of a line. `reply` is undefined where no handler made one, `elapsed` the time since the query came
 * in.
 */
type LogField = (query: Query, reply: Reply | undefined, elapsed: Milliseconds) => string;

/** A format made ready: the whole line for a query. */
export type QueryFormat = LogField;

/** Writes a part of a line, or all of it, for a query that got a shared answer; see `visible`. */
type HitField = (hit: NotedHit, line: LineBuffer) => void;

/** Makes ready what writes the line for each query like `query` that got `reply` as a shared answer. */
export type HitFormat = (query: Query, reply: Reply) => HitField;

const EMPTY = '-';

export const COMMON_LOG_FORMAT =
  `{remote}:{port} ${EMPTY} {>id} "{type} {class} {name} {proto} {size}` +
  ` {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}`;
export const COMBINED_LOG_FORMAT = `${COMMON_LOG_FORMAT} "{>opcode}"`;

/** The placeholders beside `{/LABEL}`, which stands for a label of the query's metadata. */
const FIELDS: Readonly<Record<string, LogField>> = {
  '{type}': (query) => query.typeName,
  '{name}': (query) => query.name,
  '{class}': (query) => query.className,
  '{proto}': (query) => query.protocol,
  '{size}': (query) => String(query.size),
  '{remote}': (query) => bracketed(query.client.remote.address),
  '{port}': (query) => String(query.client.remote.port),
  '{local}': (query) => bracketed(query.client.local.address),
  '{>id}': (query) => String(query.id),
  '{>opcode}': (query) => String(query.opcode),
  '{>do}': (query) => (query.do ? 'true' : 'false'),
  '{>bufsize}': (query) => String(query.maxSize),
  '{rcode}': (_query, reply) => (reply === undefined ? EMPTY : rcodeText(reply.rcode)),
  '{>rflags}': (query, reply) => (reply === undefined ? EMPTY : flagNames(flagsAsSent(query, reply))),
  '{rsize}': (query, reply) => (reply === undefined ? '0' : String(reply.sizeFor(query))),
  '{duration}': (_query, _reply, elapsed) => durationOf(elapsed),
};

/** Those that differ between queries which get the same shared answer. */
const HIT_FIELDS: Readonly<Record<string, (reply: Reply) => HitField>> = {
  '{size}': () => (hit, line) => line.decimal(hit.size),
  '{remote}':
    () =>
    ({ remote: { address } }, line) =>
      line.text(address.includes(':') ? visible(bracketed(address)) : address),
  '{port}': () => (hit, line) => line.decimal(hit.remote.port),
  '{>id}': () => (hit, line) => line.decimal(hit.id),
  '{>bufsize}': () => (hit, line) => line.decimal(hit.maxSize),
  '{>rflags}':
    ({ flags }) =>
    (hit, line) =>
      line.text(flagNames((flags & ~REPEATED) | (hit.queryFlags & REPEATED))),
  '{duration}': () => (hit, line) => line.text(durationOf(hit.elapsed)),
};

/** Text and placeholders of a format, in turn. */
const partsOf = (text: string): string[] => text.split(/(\{[^{}]*\})/).filter((part) => part !== '');

function fieldOf(part: string): LogField | undefined {
  if (part.startsWith('{/') && part.endsWith('}')) return metadataField(part.slice(2, -1));
  return Object.hasOwn(FIELDS, part) ? FIELDS[part] : undefined;
}

/** Makes a format ready. Whatever in braces is no placeholder stays as it is written. */
export function compileFormat(text: string): QueryFormat {
  const fields = partsOf(text).map((part): LogField => fieldOf(part) ?? (() => part));
  return (query, reply, elapsed) => {
    let line = '';
    for (let i = 0; i < fields.length; i++) line += fields[i]!(query, reply, elapsed);
    return line;
  };
}

/** The same for queries that are told of afterwards: what they have in common is written once for all. */
export function compileHitFormat(text: string): HitFormat {
  const parts = partsOf(text);
  return (query, reply) => {
    const fields: (string | HitField)[] = [];
    let common: string[] = [];
    const endCommon = (): void => {
      // Joined, it lies in one piece.
      if (common.length > 0) fields.push(visible(common.join('')));
      common = [];
    };
    for (const part of parts) {
      if (!Object.hasOwn(HIT_FIELDS, part)) common.push(fieldOf(part)?.(query, reply, 0) ?? part);
      else {
        endCommon();
        fields.push(HIT_FIELDS[part]!(reply));
      }
    }
    endCommon();
    return (hit, line) => {
      for (let i = 0; i < fields.length; i++) {
        const field = fields[i]!;
        if (typeof field === 'string') line.text(field);
        else field(hit, line);
      }
    };
  };
}

const metadataField =
  (label: string): LogField =>
  (query) =>
    query.context.metadata?.get(label) ?? EMPTY;

const bracketed = (address: string): string => hostPort(address, '').slice(0, -1);

function rcodeText(rcode: number): string {
  const name = rcodeName(rcode);
  return name.startsWith('RCODE') ? String(rcode) : name;
}

/** Of the last duration that was written: those who are answered together waited equally long. */
const last = { elapsed: NaN, text: '' };

/** Seconds to the nanosecond, without exponent or trailing zeros: `0.00233467s`. */
function durationOf(elapsed: Milliseconds): string {
  if (elapsed === last.elapsed) return last.text;
  const value = Math.round(elapsed * 1e6) / 1e9;
  // Numbers below a millionth would be printed with an exponent.
  const text = value >= 1e-6 || value <= 0 ? String(value) : value.toFixed(9).replace(/0+$/, '');
  last.elapsed = elapsed;
  return (last.text = `${text}s`);
}

const REPEATED = Flag.RD | Flag.CD;

/** The reply's flags together with those that are repeated from the query, and TC where it will be cut short. */
function flagsAsSent(query: Query, reply: Reply): number {
  const flags = (reply.flags & ~REPEATED) | (query.queryFlags & REPEATED);
  return isCutShort(query, reply) ? flags | Flag.TC : flags;
}

function isCutShort(query: Query, reply: Reply): boolean {
  const limit = query.replyLimit;
  const opt = query.hasEdns && reply.edns === undefined ? OPT_SIZE : 0;
  if (reply.sizeFor(query) + opt <= limit) return false;
  const options = reply.edns?.options.reduce((sum, option) => sum + 4 + option.data.length, 0) ?? 0;
  const ednsReply = query.hasEdns ? { udpSize: query.udpSize, do: query.do, options: undefined } : undefined;
  const sent = fitReply(query, 0, 0, reply.records, undefined, ednsReply, limit - options, 0);
  return ((sent[2]! << 8) & Flag.TC) !== 0;
}

const SHOWN = ['QR', 'AA', 'TC', 'RD', 'RA', 'Z', 'AD', 'CD'] as const;
/** All combinations of the seven flags that vary, by the header word's bits 4 to 10; QR is always set. */
const FLAG_NAMES = Array.from({ length: 128 }, (_, bits) => {
  const flags = Flag.QR | (bits << 4);
  return SHOWN.filter((name) => flags & Flag[name])
    .map((name) => name.toLowerCase())
    .join(',');
});

const flagNames = (flags: number): string => FLAG_NAMES[(flags >> 4) & 0x7f]!;
