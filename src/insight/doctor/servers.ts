import { hostPort } from '../../lib/cidr.js';
import { Rcode, rcodeName } from '../../wire/index.js';
import type { NodeFacts, ServerFacts } from './facts.js';
import { symptom, type Symptom } from './symptom.js';

/** A name that a resolver knows takes less, also from another continent. */
const SLOW = 500;
/** Above it, an answer needs fragments on a link of 1500 bytes: 20 bytes of IPv4 and 8 of UDP go off. */
const ONE_PACKET = 1472;

/** What nameservers answered, and how. */
export function* diagnoseServers({ servers, now }: NodeFacts): Iterable<Symptom> {
  for (const server of servers) {
    const name = server.port === 53 ? server.address : hostPort(server.address, server.port);
    yield* transports(name, server);
    yield* largeAnswers(name, server);
  }
  const signed = servers.find(({ signatures }) => signatures !== undefined)?.signatures;
  if (signed !== undefined && (now < signed.from || now > signed.until))
    yield symptom(
      'clock-wrong',
      `this host has ${day(now)}, the signatures are valid from ${day(signed.from)} to ${day(signed.until)}`,
    );
}

const day = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ');

function* transports(name: string, { udp, tcp }: ServerFacts): Iterable<Symptom> {
  if (udp === undefined) {
    yield tcp === undefined
      ? symptom('server-silent', `${name} does not answer`)
      : symptom('udp-silent', `${name} answers over TCP in ${tcp.time.toFixed(1)} ms, and not over UDP`);
    return;
  }
  if (tcp === undefined) yield symptom('tcp-silent', `${name} answers over UDP, and not over TCP`);
  if (udp.rcode === Rcode.SERVFAIL || udp.rcode === Rcode.REFUSED)
    yield symptom('server-fails', `${name} answers ${rcodeName(udp.rcode)}`);
  if (udp.time > SLOW) yield symptom('server-slow', `${name} took ${udp.time.toFixed(0)} ms`);
}

function* largeAnswers(name: string, { udp, large }: ServerFacts): Iterable<Symptom> {
  if (udp === undefined || large?.udp !== 'none') return;
  const why = large.size > ONE_PACKET ? 'in fragments' : 'in one packet';
  yield symptom('large-answers-lost', `an answer of ${large.size} bytes from ${name} does not arrive ${why} over UDP`);
}
