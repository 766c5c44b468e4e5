import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineReader } from '../../src/kube/api/line-reader.js';
import { ListReader } from '../../src/kube/objects/list-reader.js';

function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.slice(places[i], end));
}

function readList(text: string, cuts: readonly number[] = []) {
  const items: unknown[] = [];
  const reader = new ListReader();
  for (const piece of pieces(Buffer.from(text), cuts)) {
    items.push(...reader.read(piece));
    // What was handed over belongs to the socket again.
    piece.fill(0x78);
  }
  return { items, meta: reader.end() };
}

const list = (items: unknown, rest: object = {}) =>
  JSON.stringify({
    kind: 'ServiceList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '7', continue: 'next', ...rest },
    items,
  });

describe('ListReader', () => {
  it.each([
    { name: 'no items', text: list([]), items: [] },
    { name: 'null items', text: list(null), items: [] },
    { name: 'one item', text: list([{ a: 1 }]), items: [{ a: 1 }] },
    {
      name: 'brackets, quotes and backslashes in text',
      text: list([{ a: '}]\\"{[' }, { b: '\\' }, { c: 'ü€😀' }]),
      items: [{ a: '}]\\"{[' }, { b: '\\' }, { c: 'ü€😀' }],
    },
    { name: 'a text that ends in a quote', text: list([{ a: 'x"' }, { b: '"' }]), items: [{ a: 'x"' }, { b: '"' }] },
    { name: 'items within items', text: list([{ items: [{ items: [] }] }]), items: [{ items: [{ items: [] }] }] },
    {
      name: 'items before the metadata, indented',
      text: '{\n "items" : [ {"a":1} ,\n {"b":[2]} ],\n "kind":"ServiceList", "metadata":{"resourceVersion":"7","continue":"next"}\n}',
      items: [{ a: 1 }, { b: [2] }],
    },
    {
      name: 'other lists beside',
      text: '{"other":[{"x":1}],"kind":"ServiceList","metadata":{"resourceVersion":"7","continue":"next","items":[1]},"items":[{"a":1}]}',
      items: [{ a: 1 }],
    },
  ])('reads $name', ({ text, items }) => {
    for (const cuts of [[], Array.from({ length: text.length * 4 }, (_, i) => i)]) {
      const read = readList(text, cuts);
      expect(read.items).toEqual(items);
      expect(read.meta).toEqual({ kind: 'ServiceList', resourceVersion: '7', continue: 'next' });
    }
  });

  it('reads the same however the octets arrive', () => {
    const item = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
    fc.assert(
      fc.property(fc.array(item), fc.array(fc.nat()), (items, cuts) => {
        expect(JSON.stringify(readList(list(items), cuts).items)).toBe(JSON.stringify(items));
      }),
    );
  });

  it.each([
    { name: 'nothing', text: '', error: 'JSON' },
    { name: 'half a list', text: list([{ a: 1 }]).slice(0, -1), error: 'JSON' },
    { name: 'half an item', text: list([{ a: 1 }]).slice(0, -4), error: 'JSON' },
    {
      name: 'an item that is no object',
      text: list([{ a: 1 }, 7]),
      error: 'an item of the list is no object: got "7"',
    },
    { name: 'an item that is no JSON', text: '{"items":[{a}]}', error: 'JSON' },
    {
      name: 'another object',
      text: '{"kind":"Status","metadata":{}}',
      error: 'the response is no list: kind "Status", resourceVersion undefined',
    },
    {
      name: 'a list without a version',
      text: '{"kind":"ServiceList","items":[]}',
      error: 'the response is no list: kind "ServiceList", resourceVersion undefined',
    },
    {
      name: 'items hidden by an escape',
      text: '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"\\u0069tems":[{}]}',
      error: 'the list has items in a place where none are read',
    },
  ])('refuses $name', ({ text, error }) => {
    expect(() => readList(text)).toThrow(error);
  });

  it('bounds what it holds', () => {
    const piece = Buffer.alloc(1024 * 1024, 0x20);
    const item = new ListReader();
    expect([...item.read(Buffer.from('{"items":[{"a":"'))]).toEqual([]);
    expect(() => {
      for (let i = 0; i < 9; i++) item.read(piece).next();
    }).toThrow('an item of the list is larger than 8388608 octets');
    const frame = new ListReader();
    expect(() => {
      for (let i = 0; i < 2; i++) frame.read(piece).next();
    }).toThrow('the list without its items is larger than 1048576 octets');
  });
});

describe('LineReader', () => {
  it('cuts at newlines however the octets arrive', () => {
    const text = 'one\n\n  two ü€😀\r\nhalf';
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const lines: string[] = [];
        const reader = new LineReader();
        for (const piece of pieces(Buffer.from(text), cuts)) {
          lines.push(...reader.read(piece));
          piece.fill(0x78);
        }
        expect(lines).toEqual(['one', 'two ü€😀']);
        expect(reader.pending).toBe(4);
      }),
    );
  });

  it('bounds what it holds', () => {
    const reader = new LineReader();
    expect(() => {
      for (let i = 0; i < 9; i++) reader.read(Buffer.alloc(1024 * 1024, 0x61)).next();
    }).toThrow('a watch event is larger than 8388608 octets');
  });
});
