import { PORT } from './cluster.js';

/** What both sides tell of a flow: the packets that each namespace saw, and the connections that each node keeps. */
export interface Seen {
  /** By namespace. */
  readonly packets: Readonly<Record<string, readonly string[]>>;
  /** By node. */
  readonly entries: Readonly<Record<string, readonly string[]>>;
}

const KNOWN: readonly number[] = Object.values(PORT);

/**
 * The same without what differs from run to run: drawn ports get letters in their order of appearance, and IDs of
 * messages, sequence numbers, windows, timestamps and lifetimes go. Segments that only acknowledge go too: whether one
 * is sent, and when, hangs on how busy the machine is.
 */
export function comparable({ packets, entries }: Seen): Seen {
  const letters = new Map<string, string>();
  const lettered = (port: string): string => {
    if (Number(port) < 1024 || KNOWN.includes(Number(port))) return port;
    if (!letters.has(port)) letters.set(port, String.fromCharCode(97 + letters.size));
    return letters.get(port)!;
  };
  const packet = (line: string): string =>
    line
      .replace(/(?<=\d\.\d+\.\d+\.\d+\.)(\d+)(?= >|: )/g, lettered)
      .replace(/, (?:seq|ack|win) [\d:]+/g, '')
      .replace(/, options \[[^\]]*\]/, '')
      .replace(/(?<=: |length \d+ )\d+(?=[*+|$-]* )/, 'ID')
      .replace(/ id \d+, /, ' id ID, ')
      .replace(/ +/g, ' ');
  const entry = (line: string): string =>
    line
      .replace(/^(\w+ +\d+) \d+/, '$1')
      .replace(/(?<=port=)\d+/g, lettered)
      .replace(/ id=\d+/g, ' id=ID')
      .replace(/ mark=\d+ use=\d+$/, '')
      .replace(/ +/g, ' ');
  const each = (lists: Seen['packets'], make: (line: string) => string): Seen['packets'] =>
    Object.fromEntries(Object.entries(lists).map(([name, lines]) => [name, lines.map(make)]));
  return {
    packets: each(
      Object.fromEntries(Object.entries(packets).map(([name, lines]) => [name, lines.filter((one) => !onlyAcks(one))])),
      packet,
    ),
    entries: Object.fromEntries(Object.entries(each(entries, entry)).map(([name, lines]) => [name, [...lines].sort()])),
  };
}

/** Whether a segment says nothing but how far the other side has come. */
export const onlyAcks = (line: string): boolean => /Flags \[\.\],.* length 0/.test(line);
