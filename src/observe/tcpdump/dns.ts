import { formatIp } from '../../lib/cidr.js';
import {
  Class,
  Flag,
  HEADER_SIZE,
  Opcode,
  RCODE_MASK,
  Type,
  WireError,
  className,
  decodeMessage,
  opcodeOf,
  readName,
  typeName,
} from '../../wire/index.js';
import type { Message, Rr } from '../../wire/index.js';

/** Words of tcpdump for operation codes and response codes; empty for the ordinary ones. */
const OPCODES = ['', ' inv_q', ' stat', ' op3', ' notify', ' update'];
const RCODES = [
  '',
  ' FormErr',
  ' ServFail',
  ' NXDomain',
  ' NotImp',
  ' Refused',
  ' YXDomain',
  ' YXRRSet',
  ' NXRRSet',
  ' NotAuth',
  ' NotZone',
];
/**
 * Bits of a query's second header word that tcpdump finds strange: AA, TC, RA, the reserved one and the response
 * code.
 */
const STRANGE = 0x06cf;

/**
 * What tcpdump prints of a DNS message after the addresses: `7116+ A? google.com. (28)`. `octets` is the length it
 * shows.
 */
export function dnsText(bytes: Uint8Array, octets = bytes.length): string {
  if (bytes.length < HEADER_SIZE) return `domain [length ${bytes.length} < ${HEADER_SIZE}] (invalid)`;
  let message: Message;
  try {
    message = decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return `${broken(bytes)} [|domain]`;
  }
  return `${(message.flags & Flag.QR) === 0 ? query(message) : response(message)} (${octets})`;
}

/** As far as a message can be read whose sections cannot: its header. */
function broken(bytes: Uint8Array): string {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  const word = header.readUInt16BE(2);
  const message: Message = {
    id: header.readUInt16BE(0),
    flags: word & ~RCODE_MASK,
    rcode: word & RCODE_MASK,
    question: [],
    answer: [],
    authority: [],
    additional: [],
  };
  if ((word & Flag.QR) === 0) return queryHead(message);
  return `${responseHead(message)} ${header.readUInt16BE(6)}/${header.readUInt16BE(8)}/${header.readUInt16BE(10)}`;
}

const queryHead = ({ id, flags }: Message): string =>
  `${id}${opcodeText(flags)}${flags & Flag.RD ? '+' : ''}${flags & Flag.CD ? '%' : ''}`;

function opcodeText(flags: number): string {
  const opcode = opcodeOf(flags);
  return OPCODES[opcode] ?? ` op${opcode}`;
}

const sizes = (message: Message): { answers: number; authorities: number; additionals: number } => ({
  answers: message.answer.length,
  authorities: message.authority.length,
  additionals: message.additional.length + (message.edns ? 1 : 0),
});

function query(message: Message): string {
  const { flags } = message;
  const opcode = opcodeOf(flags);
  const { answers, authorities, additionals } = sizes(message);
  const word = flags | (message.rcode & 0x0f);
  const expected = opcode === Opcode.IQUERY ? 1 : 0;
  const questions = message.question.length;
  return [
    queryHead(message),
    word & STRANGE ? ` [b2&3=0x${word.toString(16)}]` : '',
    answers !== expected ? ` [${answers}a]` : '',
    questions !== 1 - expected ? ` [${questions}q]` : '',
    authorities > 0 ? ` [${authorities}n]` : '',
    additionals > 0 ? ` [${additionals}au]` : '',
    ...message.question
      .slice(0, 1)
      .map((question) => ` ${typeText(question.type)}${classText(question.class)}? ${question.name}`),
  ].join('');
}

function responseHead({ id, flags, rcode }: Message): string {
  const code = rcode & RCODE_MASK;
  const bits = [
    flags & Flag.AA ? '*' : '',
    flags & Flag.RA ? '' : '-',
    flags & Flag.TC ? '|' : '',
    flags & Flag.AD ? '$' : '',
  ];
  return `${id}${opcodeText(flags)}${RCODES[code] ?? ` Resp${code}`}${bits.join('')}`;
}

function response(message: Message): string {
  const { answers, authorities, additionals } = sizes(message);
  const questions = message.question.length !== 1 ? ` [${message.question.length}q]` : '';
  // Without -v only the answer section is spelled out.
  return (
    `${responseHead(message)}${questions} ` +
    `${answers}/${authorities}/${additionals}${message.answer.map((record) => ` ${recordText(record)}`).join(',')}`
  );
}

const typeText = (type: number): string => (type === Type.ANY ? 'ANY' : typeName(type).replace(/^TYPE(?=\d)/, 'Type'));
const classText = (value: number): string =>
  value === Class.IN ? '' : ` ${value === Class.CH ? 'CHAOS' : className(value).replace(/^CLASS(\d+)$/, '(Class $1)')}`;

function recordText(record: Rr): string {
  const data = dataText(record);
  return `${typeText(record.type)}${classText(record.class)}${data === '' ? '' : ` ${data}`}`;
}

/** Record data as far as tcpdump shows it without -v: not that of SOA, for one. */
function dataText({ type, rdata }: Rr): string {
  const view = Buffer.from(rdata.buffer, rdata.byteOffset, rdata.length);
  switch (type) {
    case Type.A:
    case Type.AAAA:
      return formatIp(rdata);
    case Type.NS:
    case Type.CNAME:
    case Type.PTR:
    case Type.DNAME:
      return readName(rdata, 0).name;
    case Type.MX:
      return `${readName(rdata, 2).name} ${view.readUInt16BE(0)}`;
    case Type.SRV:
      return `${readName(rdata, 6).name}:${view.readUInt16BE(4)} ${view.readUInt16BE(0)} ${view.readUInt16BE(2)}`;
    case Type.TXT:
      return texts(view)
        .map((text) => `"${text}"`)
        .join(' ');
    default:
      return '';
  }
}

function texts(data: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < data.length; at += 1 + data[at]!)
    found.push(data.toString('latin1', at + 1, at + 1 + data[at]!));
  return found;
}
