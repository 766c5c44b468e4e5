import type { OptAnswer } from 'dns-packet';
import type { Transport } from '../chain/index.js';
import { Flag, OPCODE_MASK, encodeMessage, opcodeName, rcodeName, type Edns, type Message } from '../wire/index.js';
import { nameFrom } from './data-fields.js';
import type { PluginQuestion, RcodeName } from './messages.js';
import { publicName } from './names.js';
import { classFrom, classText, publicRecord, type ResourceRecord } from './records.js';
import { publicTypeName, typeNumber, type TypeName } from './type-names.js';

/** A query without a socket: what is asked, and by whom. */
export interface InjectedQuery {
  /** With or without its closing dot. */
  readonly name: string;
  /** A where it is left out. */
  readonly type?: TypeName | (string & NonNullable<unknown>);
  /** IN where it is left out. */
  readonly class?: string;
  /** 0 to 65535; drawn where it is left out. */
  readonly id?: number;
  /** RD; true where it is left out. */
  readonly recursionDesired?: boolean;
  /** CD (RFC 4035 section 3.2.2). */
  readonly checkingDisabled?: boolean;
  /** DO (RFC 3225), which brings an OPT record with it. */
  readonly dnssecOk?: boolean;
  /** Largest UDP payload that the client takes, 0 to 65535 bytes, which brings an OPT record with it. */
  readonly udpPayloadSize?: number;
  /** EDNS options, which bring an OPT record with them. */
  readonly ednsOptions?: readonly { readonly code: number; readonly data: Uint8Array }[];
  /** Who asks; 127.0.0.1 over UDP where nothing is said. */
  readonly client?: InjectedClient;
}

/** Who an injected query comes from. */
export interface InjectedClient {
  /** IPv4 or IPv6. */
  readonly address?: string;
  /** 0 to 65535. */
  readonly port?: number;
  readonly transport?: Transport;
}

/** A response with all that dns-packet's `decode` gives. */
export interface ResponsePacket {
  readonly id: number;
  readonly type: 'response';
  /** The second word of the header without QR, as dns-packet has it. */
  readonly flags: number;
  readonly flag_qr: boolean;
  readonly flag_aa: boolean;
  readonly flag_tc: boolean;
  readonly flag_rd: boolean;
  readonly flag_ra: boolean;
  readonly flag_z: boolean;
  readonly flag_ad: boolean;
  readonly flag_cd: boolean;
  readonly opcode: string;
  readonly rcode: RcodeName;
  readonly questions: readonly PluginQuestion[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** The OPT record comes last, where there is one. */
  readonly additionals: readonly (ResourceRecord | OptAnswer)[];
}

/** What a client without OPT options names for a size, in bytes (DNS Flag Day 2020). */
const UDP_SIZE = 1232;

/** The bytes of a query. Throws a NodensError for a name, a type or a class that is none. */
export function queryBytes(query: InjectedQuery, id: number): Buffer {
  const { dnssecOk, udpPayloadSize, ednsOptions } = query;
  const edns: Edns | undefined =
    dnssecOk === undefined && udpPayloadSize === undefined && ednsOptions === undefined
      ? undefined
      : { udpSize: udpPayloadSize ?? UDP_SIZE, version: 0, do: dnssecOk === true, options: ednsOptions ?? [] };
  const name = nameFrom(query.name, 'name');
  return encodeMessage({
    id: query.id ?? id,
    flags: (query.recursionDesired === false ? 0 : Flag.RD) | (query.checkingDisabled === true ? Flag.CD : 0),
    rcode: 0,
    question: [{ name, type: typeNumber(query.type ?? 'A', 'type'), class: classFrom(query.class, 'class') }],
    answer: [],
    authority: [],
    additional: [],
    edns,
  });
}

/** A response in the names of dns-packet. */
export function responsePacket(message: Message): ResponsePacket {
  const { flags, rcode, edns } = message;
  const has = (bit: number): boolean => (flags & bit) !== 0;
  return {
    id: message.id,
    type: 'response',
    flags: (flags & ~Flag.QR) | (rcode & 0xf),
    flag_qr: has(Flag.QR),
    flag_aa: has(Flag.AA),
    flag_tc: has(Flag.TC),
    flag_rd: has(Flag.RD),
    flag_ra: has(Flag.RA),
    flag_z: has(Flag.Z),
    flag_ad: has(Flag.AD),
    flag_cd: has(Flag.CD),
    opcode: opcodeName((flags & OPCODE_MASK) >> 11),
    rcode: rcodeName(rcode) as RcodeName,
    questions: message.question.map((question) => ({
      name: publicName(question.name),
      type: publicTypeName(question.type),
      class: classText(question.class),
    })),
    answers: message.answer.map(publicRecord),
    authorities: message.authority.map(publicRecord),
    additionals: [...message.additional.map(publicRecord), ...(edns === undefined ? [] : [optRecord(edns, rcode)])],
  };
}

/** The OPT record as dns-packet has it; data of options stays bytes. */
const optRecord = (edns: Edns, rcode: number): OptAnswer =>
  ({
    name: '.',
    type: 'OPT',
    udpPayloadSize: edns.udpSize,
    extendedRcode: rcode >> 4,
    ednsVersion: edns.version,
    flags: edns.do ? 0x8000 : 0,
    flag_do: edns.do,
    options: edns.options.map(({ code, data }) => ({ code, data: Buffer.from(data) })),
  }) as OptAnswer;
