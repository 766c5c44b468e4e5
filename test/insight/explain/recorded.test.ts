import { describe, expect, it } from 'vitest';
import { readRecording, recordingText, storyOfRecorded } from '../../../src/insight/explain/recorded.js';
import type { FlightQuery, FlightRecord } from '../../../src/record/recorded-query.js';

const QUERY: FlightQuery = {
  at: '2026-01-02T03:04:05.678Z',
  why: ['slow', 'failed'],
  name: 'a.example.',
  type: 'A',
  class: 'IN',
  asked: ['rd', 'edns 1232'],
  client: { address: '10.244.0.5', port: 40_000, transport: 'udp' },
  server: 'dns://:53',
  zones: ['.', 'example.'],
  place: { file: 'Corefile', line: 3 },
  view: '',
  handlers: ['errors', 'cache', 'forward'],
  notes: [
    { kind: 'cache', plugin: 'cache', state: 'miss' },
    { kind: 'attempt', plugin: 'forward', to: '10.0.0.1:53', protocol: 'udp', sent: 1, ended: 2001, result: 'timeout' },
  ],
  result: 'SERVFAIL',
  cause: undefined,
  errors: [
    [22, ''],
    [23, '10.0.0.1:53 timed out'],
  ],
  time: 2002,
};
const record = (queries: readonly FlightQuery[], more: Partial<FlightRecord> = {}): FlightRecord => ({
  form: 'nodens-record/1',
  program: '1',
  pid: 7,
  written: '2026-01-02T03:05:00.000Z',
  occasion: 'asked',
  omitted: 0,
  queries,
  ...more,
});

describe('readRecording', () => {
  it('reads what was written', () => {
    const written = record([QUERY]);
    expect(readRecording(JSON.stringify(written), 'f')).toEqual(JSON.parse(JSON.stringify(written)));
    expect(readRecording(JSON.stringify(record([])), 'f').queries).toEqual([]);
  });

  const without = (name: keyof FlightQuery): string => JSON.stringify(record([QUERY, { ...QUERY, [name]: undefined }]));
  it.each([
    { name: 'no JSON', text: '{' },
    { name: 'null', text: 'null' },
    { name: 'another form', text: JSON.stringify({ ...record([]), form: 'nodens-record/2' }) },
    { name: 'no queries', text: JSON.stringify({ ...record([]), queries: 'none' }) },
    { name: 'a query that is null', text: JSON.stringify({ ...record([]), queries: [null] }) },
    ...(['name', 'time', 'why', 'notes', 'handlers', 'errors', 'asked', 'zones', 'client'] as const).map((name) => ({
      name: `a query without ${name}`,
      text: without(name),
    })),
  ])('refuses $name', ({ text }) =>
    expect(() => readRecording(text, 'file.json')).toThrow(
      'file.json: got no recording, allowed: what nodens record writes',
    ),
  );
});

describe('storyOfRecorded', () => {
  const by = (notes: FlightQuery['notes'], handlers = QUERY.handlers): string | undefined =>
    storyOfRecorded({ ...QUERY, notes, handlers }).answeredBy?.name;
  const note = (plugin: string): FlightQuery['notes'][number] => ({ kind: 'cache', plugin, state: 'miss' });

  it.each([
    { name: 'the last handler that told something', notes: ['forward', 'cache'], want: 'forward' },
    { name: 'the only one', notes: ['cache', 'cache'], want: 'cache' },
    { name: 'the last that told something, of none in the block', notes: ['x', 'y'], want: 'y' },
    { name: 'nobody', notes: [], want: undefined },
  ])('was answered by $name', ({ notes, want }) => expect(by(notes.map(note))).toBe(want));

  it('names extended errors, and says whether there is a cache', () => {
    const story = storyOfRecorded(QUERY);
    expect(story.errors).toEqual([
      { code: 22, name: 'No Reachable Authority', text: '' },
      { code: 23, name: 'Network Error', text: '10.0.0.1:53 timed out' },
    ]);
    expect([story.cached, storyOfRecorded({ ...QUERY, handlers: [] }).cached]).toEqual([true, false]);
  });
});

describe('recordingText', () => {
  it('shows a query a paragraph', () =>
    expect(
      recordingText(record([QUERY]))
        .split('\n')
        .slice(0, 9),
    ).toEqual([
      '1 query of 1, written 2026-01-02T03:05:00.000Z (asked)',
      '',
      '2026-01-02T03:04:05.678Z slow, failed: a.example. A from 10.244.0.5 by UDP (rd, edns 1232), block . example. (Corefile:3)',
      '  cache  cache miss',
      '  forward  10.0.0.1:53 by UDP: timeout after 2.0 s',
      '  SERVFAIL after 2.0 s',
      '  EDE 22 (No Reachable Authority)',
      '  EDE 23 (Network Error): 10.0.0.1:53 timed out',
      '  why: upstream 10.0.0.1:53 is silent: timeout after 2.0 s by UDP',
    ]));

  it('shows the queries of one name, in any spelling', () => {
    const other = { ...QUERY, name: 'B.example.' };
    for (const name of ['b.example', 'B.EXAMPLE.']) {
      const text = recordingText(record([QUERY, other, other], { omitted: 3 }), name);
      expect(text.split('\n')[0]).toBe(
        '2 queries of 3, written 2026-01-02T03:05:00.000Z (asked), 3 more were not kept: more than 100 a second',
      );
      expect(text).not.toContain('a.example.');
    }
  });

  it('says that one was left out', () =>
    expect(recordingText(record([QUERY], { omitted: 1 })).split('\n')[0]).toMatch(/, 1 more were not kept: /));

  it('shows what is not there', () => {
    const bare = {
      ...QUERY,
      zones: [],
      place: undefined,
      asked: [],
      notes: [],
      result: undefined,
      errors: [],
      time: 5,
    };
    expect(
      recordingText(record([bare]))
        .split('\n')
        .slice(2, 4),
    ).toEqual([
      '2026-01-02T03:04:05.678Z slow, failed: a.example. A from 10.244.0.5 by UDP, no block',
      '  no answer after 5.0 ms',
    ]);
    const placeless = recordingText(record([{ ...bare, zones: ['.'] }]));
    expect(placeless.split('\n')[2]).toContain(', block .');
  });
});
