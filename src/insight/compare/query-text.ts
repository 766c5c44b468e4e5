import { Flag, encodeMessage, encodeName, fqdn, typeFromName, type Edns } from '../../wire/index.js';
import { RecordingError, type RecordedQuery } from './recorded-query.js';

/** A query as text says it. */
interface Asked {
  readonly name: string;
  readonly type: string;
  readonly transport?: 'udp' | 'tcp' | undefined;
  readonly dnssec?: boolean;
  /** Largest reply over UDP, in bytes; more than 512 is said by EDNS. */
  readonly size?: number;
}

const PLAIN_SIZE = 512;

/** The query that asks so; undefined where name or type are none. */
export function queryOf({ name, type, transport = 'udp', dnssec = false, size = 0 }: Asked): RecordedQuery | undefined {
  const number = typeFromName(type.toUpperCase());
  try {
    encodeName(fqdn(name));
  } catch {
    return undefined;
  }
  if (number === undefined) return undefined;
  const edns: Edns | undefined =
    dnssec || size > PLAIN_SIZE
      ? { udpSize: Math.min(Math.max(size, PLAIN_SIZE), 65_535), version: 0, do: dnssec, options: [] }
      : undefined;
  const bytes = encodeMessage({
    id: 0,
    flags: Flag.RD,
    rcode: 0,
    question: [{ name: fqdn(name), type: number, class: 1 }],
    answer: [],
    authority: [],
    additional: [],
    edns,
  });
  return { at: 0, transport, bytes };
}

/** A line of CoreDNS's `log` in its common form, whatever stands before: a time, or the name of a pod. */
const COMMON =
  /\S+:\d+ - \d+ \\?"(?<type>\S+) IN (?<name>\S+) (?<transport>udp|tcp) \d+ (?<dnssec>true|false) (?<size>\d+)\\?"/;

/**
 * The query of a line of log: the common form, also within a line of JSON, or an object with the fields `name` and
 * `type`, and `proto`, `do` and `bufsize` where it has them; undefined for any other line.
 */
function loggedQuery(line: string): RecordedQuery | undefined {
  const found = COMMON.exec(line)?.groups;
  if (found !== undefined) {
    const { name = '', type = '', transport, dnssec, size } = found;
    return queryOf({ name, type, transport: proto(transport), dnssec: dnssec === 'true', size: Number(size) });
  }
  if (!line.startsWith('{')) return undefined;
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { name, type } = raw;
  if (typeof name !== 'string' || typeof type !== 'string') return undefined;
  const dnssec = raw['do'] === true || raw['do'] === 'true';
  return queryOf({ name, type, transport: proto(raw['proto']), dnssec, size: Number(raw['bufsize'] ?? 0) });
}

const proto = (text: unknown): 'udp' | 'tcp' => (text === 'tcp' ? 'tcp' : 'udp');

/** Whether a text is a log: one of its first lines is a line of log. */
export const isLog = (text: string): boolean =>
  text.split('\n', 200).some((line) => COMMON.test(line) || (line.startsWith('{') && loggedQuery(line) !== undefined));

/** The queries of a log; other lines are passed over. */
export function* readLog(text: string): Iterable<RecordedQuery> {
  for (const line of text.split('\n')) {
    const query = loggedQuery(line);
    if (query !== undefined) yield query;
  }
}

/** The queries of a list as dnsperf takes it: a name and a type in each line; `#` and `;` begin a comment. */
export function* readList(text: string, file: string): Iterable<RecordedQuery> {
  for (const [i, line] of text.split('\n').entries()) {
    const [name, type, extra] = line
      .replace(/^\s*[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (name === undefined || name === '') continue;
    const query = type === undefined || extra !== undefined ? undefined : queryOf({ name, type });
    if (query === undefined)
      throw new RecordingError(
        file,
        `got '${line.trim().slice(0, 80)}', allowed: a name and a type, such as 'example.org A'`,
        i + 1,
      );
    yield query;
  }
}
