import { expect, it } from 'vitest';
import { KeptReplies } from '../../src/authority/kept-replies.js';
import { Type } from '../../src/wire/index.js';
import { reply } from '../support/dns.js';

const SIZE = 16_384;

it('replies are kept by name, type and whether signatures are wanted, and given up when there are too many', () => {
  const kept = new KeptReplies();
  const made = [reply(), reply(), reply(), reply()];
  const known = (): boolean[] => [
    kept.get('a.', Type.A, false) === made[0],
    kept.get('a.', Type.A, true) === made[1],
    kept.get('a.', Type.AAAA, false) === made[2],
    kept.get('b.', Type.A, false) === made[3],
  ];
  kept.keep('a.', Type.A, false, made[0]!);
  kept.keep('a.', Type.A, true, made[1]!);
  kept.keep('a.', Type.AAAA, false, made[2]!);
  kept.keep('b.', Type.A, false, made[3]!);
  for (let i = 4; i < SIZE; i++) kept.keep(`n${i}.`, Type.A, false, made[0]!);
  expect(known()).toEqual([true, true, true, true]);
  kept.keep('one-more.', Type.A, false, made[0]!);
  expect(known()).toEqual([false, false, false, false]);
  expect(kept.get('one-more.', Type.A, false)).toBe(made[0]);
  // As many have room again.
  for (let i = 1; i < SIZE; i++) kept.keep(`n${i}.`, Type.A, false, made[0]!);
  expect(kept.get('one-more.', Type.A, false)).toBe(made[0]);
  kept.keep('too-many.', Type.A, false, made[0]!);
  expect(kept.get('one-more.', Type.A, false)).toBeUndefined();
});

it('a reply with signatures is that of no other type without', () => {
  const kept = new KeptReplies();
  kept.keep('a.', 0xfffe, true, reply());
  for (const type of [2, 0xfffe]) expect(kept.get('a.', type, false)).toBeUndefined();
});
