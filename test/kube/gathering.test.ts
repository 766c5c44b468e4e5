import { describe, expect, it } from 'vitest';
import { Gathering } from '../../src/kube/protobuf/gathering.js';

describe('Gathering', () => {
  it('gives a byte at once where nothing more was asked for', () =>
    expect(new Gathering().add(Buffer.from('a'))).toEqual(Buffer.from('a')));

  it('holds bytes until as many are there as were asked for, whatever pieces they come in', () => {
    const gathering = new Gathering();
    gathering.keep(Buffer.from('ab'), 5);
    expect(gathering.size).toBe(2);
    expect(gathering.add(Buffer.from('c'))).toBeUndefined();
    expect(gathering.add(Buffer.from('d'))).toBeUndefined();
    expect(gathering.size).toBe(4);
    expect(gathering.add(Buffer.from('e'))).toEqual(Buffer.from('abcde'));
    expect(gathering.size).toBe(0);
    // And begins anew.
    expect(gathering.add(Buffer.from('f'))).toEqual(Buffer.from('f'));
  });

  it('keeps what it was given, not the memory that it came in', () => {
    const gathering = new Gathering();
    const chunk = Buffer.from('ab');
    gathering.keep(chunk, 1);
    chunk.fill('x');
    expect(gathering.add(Buffer.from('c'))).toEqual(Buffer.from('abc'));
  });
});
