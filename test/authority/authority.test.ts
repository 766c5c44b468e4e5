import { describe, expect, it } from 'vitest';
import { Authority, ServedZone } from '../../src/authority/index.js';
import { DROP, type Handler } from '../../src/chain/index.js';

const handler = (more: object = {}): Handler => ({ name: 'other', handle: () => DROP, ...more });
const NOTIFIES = handler({ notify: () => undefined });

describe('zones whose changes are kept', () => {
  const add = (authority: Authority, origin: string): ServedZone => {
    const zone = new ServedZone(origin);
    authority.add(zone);
    return zone;
  };

  it.each([
    { name: 'where other servers are told of them', handlers: [NOTIFIES], want: true },
    { name: 'not where nobody is', handlers: [handler()], want: false },
  ])('$name, whenever they came', ({ handlers, want }) => {
    const authority = new Authority('file', () => DROP);
    const before = add(authority, 'before.example.');
    authority.linked([authority, ...handlers]);
    const after = add(authority, 'after.example.');
    expect([before.journal !== undefined, after.journal !== undefined]).toEqual([want, want]);
  });

  it('keep what they have where the chain is told again', () => {
    const authority = new Authority('file', () => DROP);
    const zone = add(authority, 'example.');
    authority.linked([NOTIFIES]);
    const { journal } = zone;
    authority.linked([NOTIFIES]);
    expect(zone.journal).toBe(journal);
  });
});

describe('zones', () => {
  it('come and go', () => {
    const authority = new Authority('auto', () => DROP, { counted: true });
    authority.add(new ServedZone('b.example.'));
    authority.add(new ServedZone('a.example.'));
    expect([authority.origins, authority.countedZones?.list]).toEqual([
      ['b.example.', 'a.example.'],
      ['b.example.', 'a.example.'],
    ]);
    authority.remove('b.example.');
    authority.remove('nosuch.example.');
    expect([authority.origins, authority.countedZones?.list]).toEqual([['a.example.'], ['a.example.']]);
    expect(authority.get('b.example.')).toBeUndefined();
  });

  it('are counted by their names only where that is wanted', () =>
    expect(new Authority('file', () => DROP).countedZones).toBeUndefined());
});
