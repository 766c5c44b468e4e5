import { Class, Type, parseRr, type Name, type Rr } from '../../wire/index.js';

/** Timers of the record that is made, in seconds; nobody transfers such a zone. */
const TIMERS = '1 7200 1800 86400';

/**
 * That there is no record of the type at the end of the aliases (RFC 2308 section 2.2): the aliases of the answer, and
 * an SOA record of the zone that the filter is for. It may be kept as long as the answer.
 *
 * @param answer of the other type, not empty
 */
export function denialOf(
  answer: readonly Rr[],
  zone: Name,
): { readonly answer: readonly Rr[]; readonly authority: readonly Rr[]; readonly additional: readonly Rr[] } {
  const ttl = Math.min(...answer.map((record) => record.ttl));
  const { rdata } = parseRr(`. 0 IN SOA filter.invalid. hostmaster.filter.invalid. ${TIMERS} ${ttl}`);
  const soa: Rr = { name: zone, type: Type.SOA, class: Class.IN, ttl, rdata };
  return { answer: answer.filter(({ type }) => type === Type.CNAME), authority: [soa], additional: [] };
}
