import { seededRandom } from '../../src/lib/random.js';
import {
  Query,
  Reply,
  QueryContext,
  type Client,
  type Lifetime,
  type Outcome,
  type ServerAddress,
  type Transport,
} from '../../src/chain/index.js';
import {
  Flag,
  RCODE_MASK,
  encodeMessage,
  formatRr,
  parseRr,
  rcodeName,
  typeFromName,
  type EdnsOption,
  type Rr,
} from '../../src/wire/index.js';

/** A record from master-file text. */
export const rr = (text: string): Rr => parseRr(text);
export const rrs = (...texts: string[]): Rr[] => texts.map(parseRr);

/** Records as text with single spaces, as rows of a test write them. */
export const texts = (records: readonly Rr[]): string[] =>
  records.map((record) => formatRr(record).replaceAll('\t', ' '));

export interface QuestionOptions {
  id?: number;
  class?: number;
  rd?: boolean;
  cd?: boolean;
  ad?: boolean;
  /** UDP payload size; adds an OPT record. */
  edns?: number;
  do?: boolean;
  options?: EdnsOption[];
  transport?: Transport;
  remote?: string;
  port?: number;
  received?: number;
  /** The client's connection. */
  connection?: Lifetime;
  /** Not to be made one with equal questions. */
  separate?: boolean;
}

export const SERVER: ServerAddress = {
  index: 0,
  label: 'dns://127.0.0.1:53',
  scheme: 'dns',
  address: '127.0.0.1',
  port: 53,
};

/** Who asks: 127.0.0.1 over UDP, unless said otherwise. */
export function client(options: QuestionOptions = {}): Client {
  return {
    transport: options.transport ?? 'udp',
    remote: { address: options.remote ?? '127.0.0.1', port: options.port ?? 40212 },
    local: { address: '127.0.0.1', port: 53 },
    server: SERVER,
  };
}

/** What is known of a query beside its message. */
export function context(options: QuestionOptions = {}): QueryContext {
  const made = new QueryContext(client(options), options.received ?? 0, { connection: options.connection });
  made.separate = options.separate ?? false;
  return made;
}

/** A query as it would arrive: `query('www.example.org.', 'AAAA', { edns: 1232 })`. */
export function query(name: string, type = 'A', options: QuestionOptions = {}): Query {
  const flags = (options.rd === false ? 0 : Flag.RD) | (options.cd ? Flag.CD : 0) | (options.ad ? Flag.AD : 0);
  const bytes = encodeMessage({
    id: options.id ?? 4660,
    flags,
    rcode: 0,
    question: [{ name, type: typeFromName(type)!, class: options.class ?? 1 }],
    answer: [],
    authority: [],
    additional: [],
    edns:
      options.edns === undefined
        ? undefined
        : { udpSize: options.edns, version: 0, do: options.do ?? false, options: options.options ?? [] },
  });
  return new Query(bytes, context(options));
}

/** A reply from master-file text: `reply({ answer: ['a. 300 IN A 192.0.2.1'] })`. */
export function reply(
  parts: { rcode?: number; flags?: number; answer?: string[]; authority?: string[]; additional?: string[] } = {},
): Reply {
  return Reply.of(parts.flags ?? Flag.RA, parts.rcode ?? 0, {
    answer: rrs(...(parts.answer ?? [])),
    authority: rrs(...(parts.authority ?? [])),
    additional: rrs(...(parts.additional ?? [])),
  });
}

/**
 * The outcome as something to compare: rcode, flags' names, and the sections that are not empty as text. The rcode's
 * bits stand apart: one among the flags is shown.
 */
export function summary(outcome: Outcome): Record<string, unknown> | 'drop' {
  if (!(outcome instanceof Reply)) return 'drop';
  const flags = Object.entries(Flag)
    .filter(([name, bit]) => name !== 'QR' && outcome.flags & bit)
    .map(([name]) => name.toLowerCase());
  if ((outcome.flags & RCODE_MASK) !== 0) flags.push(`rcode ${outcome.flags & RCODE_MASK}`);
  const sections = Object.fromEntries(
    (['answer', 'authority', 'additional'] as const)
      .filter((section) => outcome[section].length > 0)
      .map((section) => [section, texts(outcome[section])]),
  );
  return { rcode: rcodeName(outcome.rcode), flags: flags.join(','), ...sections };
}

export const random = (): ReturnType<typeof seededRandom> => seededRandom(1);
