import { formatIp } from '../../lib/cidr.js';
import {
  Flag,
  Type,
  className,
  formatRdata,
  opcodeName,
  opcodeOf,
  readName,
  typeName,
  type Edns,
  type EdnsOption,
  type Message,
  type Name,
  type Question,
  type Rr,
} from '../../wire/index.js';
import { rcodeName } from '../../wire/index.js';

/** How records are laid out. */
export interface RecordLayout {
  readonly showTtl: boolean;
  readonly showClass: boolean;
  /** TTLs as `1h30m`. */
  readonly ttlUnits: boolean;
  /** Long hexadecimal or base64 text is cut into words of this many characters; 0 for never. */
  readonly split: number;
  /** SOA records on several lines with words behind the numbers. */
  readonly multiline: boolean;
}

export const LAYOUT: RecordLayout = { showTtl: true, showClass: true, ttlUnits: false, split: 56, multiline: false };

/** Columns in which class, type and data start, counted from 0. */
function columns({ showTtl, showClass, multiline }: RecordLayout): readonly [number, number, number] {
  if (multiline || (!showTtl && !showClass)) return [24, 24, 32];
  return showTtl && showClass ? [32, 40, 48] : [24, 32, 40];
}

/** The column in which the TTL starts. */
const TTL = 24;

const TAB = 8;

/** Text that knows in which column it ends. */
class Row {
  private column = 0;
  text = '';

  put(text: string): this {
    this.text += text;
    this.column += text.length;
    return this;
  }

  /** Goes on at column `to`, at least one further than the end so far: tabs as far as they reach, then blanks. */
  to(to: number): this {
    const goal = Math.max(to, this.column + 1);
    const tabs = Math.max(0, Math.floor(goal / TAB) - Math.floor(this.column / TAB));
    const from = tabs > 0 ? Math.floor(goal / TAB) * TAB : this.column;
    this.text += '\t'.repeat(tabs) + ' '.repeat(goal - from);
    this.column = goal;
    return this;
  }
}

/** A name as BIND escapes it: `\032` for a blank, `\$`, and no backslash before an apostrophe. */
export function bindName(name: Name): string {
  return /[\\$]/.test(name)
    ? name.replace(/\\ |\\'|\\(?:\d{3}|.)|\$/g, (found) =>
        found === '\\ ' ? '\\032' : found === "\\'" ? "'" : found === '$' ? '\\$' : found,
      )
    : name;
}

/** As `bindName`, without the closing dot of other names than the root. */
export const bindBare = (name: Name): string => (name === '.' ? '.' : bindName(name).replace(/\.$/, ''));

const SPLIT = new Set<number>([Type.DS, Type.CDS, Type.DNSKEY, Type.SSHFP, Type.TLSA]);
const NAMES_ONLY = new Set<number>([Type.NS, Type.CNAME, Type.PTR, Type.DNAME]);

/** Record data as BIND's tools write it. */
export function bindRdata({ type, rdata }: Pick<Rr, 'type' | 'rdata'>, split = LAYOUT.split): string {
  if (NAMES_ONLY.has(type) && rdata.length > 0) return bindName(readName(rdata, 0).name);
  const text = formatRdata(type, rdata);
  if (!SPLIT.has(type) || split === 0) return text;
  return text.replace(/[^ ]+$/, (last) => last.match(new RegExp(`.{1,${split}}`, 'g'))!.join(' '));
}

/** One record, fields in columns; without line end. */
export function recordLine(record: Rr, layout: RecordLayout = LAYOUT): string {
  const [classAt, typeAt, dataAt] = columns(layout);
  const row = new Row().put(bindName(record.name));
  if (layout.showTtl) row.to(TTL).put(layout.ttlUnits ? ttlWithUnits(record.ttl) : String(record.ttl));
  if (layout.showClass) row.to(classAt).put(className(record.class));
  const data = layout.multiline && record.type === Type.SOA ? longSoa(record) : bindRdata(record, layout.split);
  return row.to(typeAt).put(typeName(record.type)).to(dataAt).put(data).text;
}

export function questionLine(question: Question, layout: RecordLayout = LAYOUT): string {
  const [classAt, typeAt] = columns(layout);
  const row = new Row().put(bindName(question.name)).to(classAt).put(className(question.class));
  return `;${row.to(typeAt).put(typeName(question.type)).text}`;
}

function longSoa(record: Rr): string {
  const [origin, mail, ...numbers] = bindRdata(record).split(' ') as [string, string, ...string[]];
  const lines = ['serial', 'refresh', 'retry', 'expire', 'minimum'].map((field, i) => {
    const number = numbers[i]!;
    return `\t\t\t\t${number.padEnd(10)} ; ${field}${i === 0 ? '' : ` (${inWords(Number(number))})`}\n`;
  });
  return `${origin} ${mail} (\n${lines.join('')}\t\t\t\t)`;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** Seconds as whole units, largest first, none that is nought. */
function inUnits(seconds: number): [string, number][] {
  let left = seconds;
  return UNITS.flatMap(([unit, size]): [string, number][] => {
    const count = Math.floor(left / size);
    left %= size;
    return count > 0 ? [[unit, count]] : [];
  });
}

const inWords = (seconds: number): string =>
  inUnits(seconds)
    .map(([unit, count]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
    .join(' ') || '0 seconds';
const ttlWithUnits = (ttl: number): string =>
  inUnits(ttl)
    .map(([unit, count]) => `${count}${unit[0]}`)
    .join('') || '0s';

const FLAGS = ['QR', 'AA', 'TC', 'RD', 'RA', 'AD', 'CD'] as const;

/** The two header lines, without line end. `extra` counts the OPT record. */
export function headerLines(message: Message): string[] {
  const { id, flags, rcode, question, answer, authority, additional, edns } = message;
  const names = FLAGS.filter((name) => flags & Flag[name])
    .map((name) => ` ${name.toLowerCase()}`)
    .join('');
  const lines = [
    `;; ->>HEADER<<- opcode: ${opcodeName(opcodeOf(flags))}, status: ${rcodeName(rcode)}, id: ${id}`,
    `;; flags:${names}${flags & Flag.Z ? '; MBZ: 0x4' : ''}; QUERY: ${question.length}, ` +
      `ANSWER: ${answer.length}, AUTHORITY: ${authority.length}, ADDITIONAL: ` +
      `${additional.length + (edns ? 1 : 0)}`,
  ];
  if (flags & Flag.QR && flags & Flag.RD && !(flags & Flag.RA))
    lines.push(';; WARNING: recursion requested but not available');
  return lines;
}

/** EDNS options that dig names (IANA registry of EDNS0 option codes). */
const OPTION = { NSID: 3, ECS: 8, COOKIE: 10, EDE: 15 } as const;

/** The lines of the OPT pseudo section. `sent` is the client cookie of the query, to tell whether it came back. */
export function optLines(edns: Edns, sent: Uint8Array | undefined): string[] {
  return [
    `; EDNS: version: ${edns.version}, flags:${edns.do ? ' do' : ''}; udp: ${edns.udpSize}`,
    ...edns.options.map((option) => `; ${optionText(option, sent)}`),
  ];
}

function optionText({ code, data }: EdnsOption, sent: Uint8Array | undefined): string {
  const hex = Buffer.from(data).toString('hex');
  switch (code) {
    case OPTION.COOKIE:
      return `COOKIE: ${hex}${cookieVerdict(data, sent)}`;
    case OPTION.NSID:
      return data.length === 0
        ? 'NSID:'
        : `NSID: ${hex.replace(/../g, (octet) => `${octet} `).trim()} ("${Buffer.from(data)
            .toString('latin1')
            .replace(/[^ -~]/g, '.')}")`;
    case OPTION.ECS:
      return `CLIENT-SUBNET: ${subnetText(data)}`;
    case OPTION.EDE:
      return (
        `EDE: ${data.length >= 2 ? (data[0]! << 8) | data[1]! : 0}` +
        (data.length > 2 ? `: (${Buffer.from(data.subarray(2)).toString('utf8')})` : '')
      );
    default:
      return `OPT=${code}:${hex.replace(/../g, ' $&')}`;
  }
}

/** A server that knows cookies adds its own behind the client's eight bytes (RFC 7873 section 4). */
function cookieVerdict(data: Uint8Array, sent: Uint8Array | undefined): string {
  if (sent === undefined) return '';
  const same = Buffer.from(data.subarray(0, sent.length)).equals(Buffer.from(sent));
  if (!same) return ' (bad)';
  return data.length > sent.length ? ' (good)' : ' (echoed)';
}

function subnetText(data: Uint8Array): string {
  const octets = new Uint8Array(data[1] === 2 ? 16 : 4);
  octets.set(data.subarray(4, 4 + octets.length));
  return `${formatIp(octets)}/${data[2] ?? 0}/${data[3] ?? 0}`;
}
