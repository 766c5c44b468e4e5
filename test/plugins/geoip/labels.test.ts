import { describe, expect, it } from 'vitest';
import { LABELS } from '../../../src/plugins/geoip/labels.js';

type Facts = Parameters<(typeof LABELS.city)['latitude']>[0];
const at = (latitude: number | undefined): Facts => ({ location: { latitude, longitude: latitude } }) as Facts;

describe('coordinates', () => {
  it.each([
    { value: 0, want: '0' },
    { value: -33.494, want: '-33.494' },
    { value: 179.999999, want: '179.999999' },
    // In decimal, as Go writes them, where JavaScript has an exponent.
    { value: 1e-7, want: '0.0000001' },
    { value: -2.5e-9, want: '-0.0000000025' },
    { value: 1e-15, want: '0.000000000000001' },
    { value: undefined, want: '' },
  ])('$value is written $want', ({ value, want }) => {
    expect(LABELS.city['latitude']!(at(value))).toBe(want);
    expect(LABELS.city['longitude']!(at(value))).toBe(want);
  });
});

it('what is not known is empty, nothing or false', () => {
  const none = {} as Facts;
  const said = Object.values(LABELS).flatMap((labels) => Object.entries(labels).map(([name, of]) => [name, of(none)]));
  expect(Object.fromEntries(said.filter(([, value]) => value !== ''))).toEqual({
    'asn/number': '0',
    'country/is_in_european_union': 'false',
  });
});
