import { describe, expect, it } from 'vitest';
import { wishFrom } from '../../../src/insight/top/top-route.js';

describe('what a request asks for', () => {
  const wish = (text: string) => wishFrom(new URLSearchParams(text));

  it.each([
    ['nothing', '', { rows: 20, sort: 'rate', filter: '' }],
    ['all', 'rows=3&sort=nxdomain&filter=Pod', { rows: 3, sort: 'nxdomain', filter: 'pod' }],
  ])('%s', (_, text, expected) => expect(wish(text)).toEqual(expected));

  it.each([
    ['no row', 'rows=0', "rows: got '0', allowed: 1 to 1000"],
    ['too many rows', 'rows=1001', "rows: got '1001', allowed: 1 to 1000"],
    ['no number', 'rows=x', "rows: got 'x', allowed: 1 to 1000"],
    ['another order', 'sort=name', "sort: got 'name', allowed: rate, time, nxdomain"],
  ])('not %s', (_, text, message) => expect(() => wish(text)).toThrow(message));
});
