import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Type, decodeMessage, typeName } from '../../src/wire/index.js';
import { compiledProgram } from '../support/compiled.js';
import { query, type QuestionOptions } from '../support/dns.js';
import { Reached, WAYS, canRun, type Line } from '../support/ways.js';

const KEY = path.resolve(import.meta.dirname, '../dnssec/keys/ed25519');
const DIRECTIVES = [`dnssec example.org {\n key file ${KEY}\n }`, 'file corefiles/db.example.org example.org'];

// What the batched way needs takes its time on a machine that has much to do.
beforeAll(() => void compiledProgram(), 180_000);
let reached: Reached | undefined;
afterEach(async () => {
  await reached?.stop();
  reached = undefined;
});

let ids = 0;
async function types(line: Line, name: string, options: QuestionOptions = {}): Promise<string> {
  const { rcode, answer, authority } = decodeMessage(await line.ask(query(name, 'A', { id: ++ids, ...options }).bytes));
  const all = [...answer, ...authority].map(({ type }) => typeName(type));
  return [rcode, ...all].join(' ');
}
const DO: QuestionOptions = { edns: 1232, do: true };

describe.each(WAYS.filter(canRun))('dnssec over $name', (way) => {
  it('gives signatures to those who ask for them, however often and whoever asks before', async () => {
    reached = new Reached(way);
    await reached.start(DIRECTIVES, { cwd: process.cwd() });
    const line = await reached.connect();
    for (let round = 0; round < 3; round++) {
      expect(await types(line, 'www.example.org.')).toBe('0 A NS NS');
      expect(await types(line, 'www.example.org.', { edns: 1232 })).toBe('0 A NS NS');
      expect(await types(line, 'www.example.org.', DO)).toBe('0 A RRSIG NS NS RRSIG');
      expect(await types(line, 'WWW.example.org.', DO)).toBe('0 A RRSIG NS NS RRSIG');
      expect(await types(line, 'nosuch.example.org.')).toBe('3 SOA');
      expect(await types(line, 'nosuch.example.org.', DO)).toBe('0 SOA RRSIG RRSIG NSEC');
    }
    const keys = decodeMessage(await line.ask(query('example.org.', 'DNSKEY', { id: ++ids, ...DO }).bytes));
    expect(keys.answer.map(({ type }) => type)).toEqual([Type.DNSKEY, Type.RRSIG]);
    const text = await reached.server.runtime.metrics.text();
    expect(text).toMatch(/^coredns_dnssec_cache_misses_total\{.*\} 5$/m);
  });
});
