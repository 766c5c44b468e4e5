import { deflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { SPDY_DICTIONARY } from '../../../src/lab/kube-api/spdy-dictionary.js';

it('is the dictionary that both ends of a SPDY/3.1 connection know: by its length, and the id that zlib gives it', () => {
  expect(SPDY_DICTIONARY).toHaveLength(1423);
  // RFC 1950 section 2.2: the id follows the two bytes of the header.
  expect(deflateSync('', { dictionary: SPDY_DICTIONARY }).toString('hex', 2, 6)).toBe('e3c6a7c2');
});
