import { describe, expect, it } from 'vitest';
import { addressText, frameAt, readAddress, stepOf } from '../../src/page/address.js';
import type { PageAddress } from '../../src/page/address.js';
import type { PlaybackFrame } from '../../src/page/frames.js';

const NEW: PageAddress = { topology: '', pod: '', name: '', types: 'A,AAAA', libc: 'glibc', step: '' };

describe("the page's address", () => {
  it.each<{ name: string; search: string; address: PageAddress }>([
    { name: 'of a new page', search: '', address: NEW },
    {
      name: 'of a lookup',
      search: '?topology=two-nodes&pod=default/curl-pod&name=google.com',
      address: { ...NEW, topology: 'two-nodes', pod: 'default/curl-pod', name: 'google.com' },
    },
    {
      name: 'of a moment, with all that differs',
      search: '?topology=kind&pod=kube-system/a&name=a.b.&types=AAAA&libc=musl&step=3.2',
      address: { topology: 'kind', pod: 'kube-system/a', name: 'a.b.', types: 'AAAA', libc: 'musl', step: '3.2' },
    },
    { name: 'with signs of its own', search: '?name=a%26b%3D%23%20%25', address: { ...NEW, name: 'a&b=# %' } },
  ])('$name is read as it was written', ({ search, address }) => {
    expect(addressText(address)).toBe(search);
    expect(readAddress(search)).toEqual(address);
  });

  it('leaves out what it does not know', () => expect(readAddress('?nosuch=1&name=a')).toEqual({ ...NEW, name: 'a' }));
});

describe('a moment in an address', () => {
  const frame = (kind: PlaybackFrame['kind'], query: number, hop: number): PlaybackFrame =>
    ({ kind, query, hop }) as PlaybackFrame;
  const frames = [
    frame('start', -1, 0),
    frame('visit', 0, 0),
    frame('reply', 0, 1),
    frame('visit', 1, 0),
    frame('reply', 1, 1),
    frame('end', -1, 0),
  ];

  it('is found in a lookup of many queries', () => {
    const many = [frame('start', -1, 0), ...Array.from({ length: 12 }, (_, i) => frame('reply', i, 0))];
    expect(frameAt(many, '12.7')).toBe(12);
  });

  it('leads back to it', () =>
    expect(frames.map((one) => [stepOf(one), frameAt(frames, stepOf(one))])).toEqual([
      ['', 0],
      ['1.1', 1],
      ['1.2', 2],
      ['2.1', 3],
      ['2.2', 4],
      ['end', 5],
    ]));

  it.each([
    { name: 'a hop that is not there this time: the last of its query', step: '1.7', at: 2 },
    { name: 'a query that is not there', step: '9.1', at: 0 },
    { name: 'no step', step: 'nonsense', at: 0 },
    { name: 'a negative one', step: '-1.1', at: 0 },
    { name: 'the opening as a number', step: '0.1', at: 0 },
  ])('$name', ({ step, at }) => expect(frameAt(frames, step)).toBe(at));
});
