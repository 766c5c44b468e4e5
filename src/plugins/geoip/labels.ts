import type { Facts, Schema } from './database.js';

type Label = (facts: Facts) => string;

const text = (value: string | undefined): string => value ?? '';

/** In decimal with all its digits, never with an exponent. */
function decimal(value: number | undefined): string {
  if (value === undefined) return '';
  const short = String(value);
  return short.includes('e') ? value.toFixed(20).replace(/\.?0+$/, '') : short;
}

/** The labels without `geoip/`, and what each says. Names are in English; what is not known is empty. */
export const LABELS: Readonly<Record<Schema, Readonly<Record<string, Label>>>> = {
  city: {
    'city/name': ({ city }) => text(city?.names.en),
    'country/code': ({ country }) => text(country?.iso_code),
    'country/name': ({ country }) => text(country?.names.en),
    'country/is_in_european_union': ({ country }) => String(country?.is_in_european_union === true),
    'continent/code': ({ continent }) => text(continent?.code),
    'continent/name': ({ continent }) => text(continent?.names.en),
    latitude: ({ location }) => decimal(location?.latitude),
    longitude: ({ location }) => decimal(location?.longitude),
    timezone: ({ location }) => text(location?.time_zone),
    postalcode: ({ postal }) => text(postal?.code),
    'subdivisions/code': ({ subdivisions }) => (subdivisions ?? []).map(({ iso_code: code }) => text(code)).join(','),
  },
  asn: {
    'asn/number': ({ autonomous_system_number: number }) => String(number ?? 0),
    'asn/org': ({ autonomous_system_organization: organization }) => text(organization),
  },
};
