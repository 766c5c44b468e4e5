import { describe, expect, it } from 'vitest';
import { Reply, type Query } from '../../../src/chain/index.js';
import { Flight, Flights, hashOf, hashOfQuestion } from '../../../src/plugins/forward/flight.js';
import { upstreamMessage } from '../../../src/plugins/forward/upstream-message.js';
import { query } from '../../support/dns.js';

const SEED = 5;
const www = query('www.example.org.', 'A', { id: 1 });

/** The flight that a query would have. */
function flightOf(asked: Query, onLanded: (flight: Flight) => void = () => undefined): Flight {
  const message = upstreamMessage(asked);
  const question = hashOfQuestion(message, asked.questionEnd, SEED);
  return new Flight(asked, message, hashOf(message, asked.questionEnd, question), question, onLanded);
}

describe('a query under way', () => {
  it.each([
    { name: 'the same with another id', other: query('www.example.org.', 'A', { id: 2 }), found: true },
    { name: 'other capitals', other: query('WWW.eXample.org.', 'A', { id: 1 }), found: true },
    { name: 'without RD', other: query('www.example.org.', 'A', { rd: false }), found: true },
    { name: 'another name', other: query('wwx.example.org.'), found: false, apart: false },
    { name: 'another type', other: query('www.example.org.', 'AAAA'), found: false, apart: false },
    { name: 'another flag', other: query('www.example.org.', 'A', { cd: true }), found: false, apart: true },
    { name: 'an OPT record', other: query('www.example.org.', 'A', { edns: 1232 }), found: false, apart: true },
  ])('is found by equals: $name', ({ other, found, apart = false }) => {
    const flights = new Flights();
    const flight = flightOf(www);
    flights.add(flight);
    const second = flightOf(other);
    expect(second.hash === flight.hash).toBe(found);
    expect(flights.find(second.message, other.questionEnd, second.hash)).toBe(found ? flight : undefined);
    // Whatever the hash says.
    expect(flights.find(second.message, other.questionEnd, flight.hash)).toBe(found ? flight : undefined);
    if (found) return;
    flights.add(second);
    expect([flight.apart, second.apart]).toEqual([false, apart]);
  });

  it.each([
    { name: 'sizes', one: { edns: 1232 }, other: { edns: 1399 } },
    { name: 'cookies', one: { edns: 1232 }, other: { edns: 1232, options: [{ code: 10, data: Buffer.alloc(8, 1) }] } },
    { name: 'unknown options', one: { edns: 512 }, other: { edns: 0, options: [{ code: 999, data: Buffer.of(1) }] } },
  ])('is joined by those with other $name', ({ one, other }) => {
    const flights = new Flights();
    const flight = flightOf(query('www.example.org.', 'A', one));
    flights.add(flight);
    const asked = query('www.example.org.', 'A', other);
    const { message, hash } = flightOf(asked);
    expect(flights.find(message, asked.questionEnd, hash)).toBe(flight);
  });

  it('has another hash in another process', () => {
    const message = upstreamMessage(www);
    expect(hashOfQuestion(message, www.questionEnd, 1)).not.toBe(hashOfQuestion(message, www.questionEnd, 2));
  });

  it('keeps its place from others with its hash, and loses it when it lands', async () => {
    const flights = new Flights();
    const landed: Flight[] = [];
    const fly = (one: Query): Flight =>
      new Flight(one, upstreamMessage(one), 7, 7, (flight) => {
        landed.push(flight);
        flights.remove(flight);
      });
    const [first, second] = [fly(www), fly(query('else.example.org.'))];
    const find = ({ message, query: asked }: Flight): Flight | undefined => flights.find(message, asked.questionEnd, 7);
    flights.add(first);
    flights.add(second);
    expect([find(first), find(second)]).toEqual([first, undefined]);
    const reply = Reply.empty(0);
    second.land(reply);
    expect(find(first)).toBe(first);
    first.land(reply);
    expect([find(first), landed]).toEqual([undefined, [second, first]]);
    expect(await first.outcome).toBe(reply);
  });
});
