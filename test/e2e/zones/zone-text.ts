import { readFileSync } from 'node:fs';
import path from 'node:path';
import { formatRr } from '../../../src/wire/index.js';
import { MasterFile } from '../../../src/zone/index.js';

export const ORIGIN = 'every.test.';
/** A zone with a record of every type that zones may hold. */
export const EVERY_TYPE = path.join(import.meta.dirname, 'every-type.zone');

/** Its lines, each a record. */
export const LINES: readonly string[] = readFileSync(EVERY_TYPE, 'utf8').split('\n').filter(Boolean);

/** Owner and type of a line, the first one aside, which is a directive. */
export function partsOf(line: string): { owner: string; type: string } {
  const [owner = '', type = ''] = line.split(' ');
  return { owner, type };
}

/**
 * The zone's text for another server: records of some types in the generic form of RFC 3597, which every server reads,
 * and without those of others.
 */
export function textFor(generic: ReadonlySet<string>, without: ReadonlySet<string>): string {
  const text: string[] = [];
  for (const line of LINES) {
    const { type } = partsOf(line);
    if (without.has(type)) continue;
    text.push(generic.has(type) ? genericForm(line) : line);
  }
  return `${text.join('\n')}\n`;
}

function genericForm(line: string): string {
  const file = new MasterFile('line', ORIGIN, () => Buffer.from(`$TTL 300\n${line}\n`));
  file.next();
  const { bytes, length } = file.data;
  const record = { name: partsOf(line).owner, type: 65_280, class: 1, ttl: 300, rdata: bytes.subarray(0, length) };
  return formatRr(record).replace('TYPE65280', `TYPE${file.type}`);
}
