import { describe, expect, it } from 'vitest';
import { Reply } from '../../../src/chain/index.js';
import { Flight, Flights, hashOf } from '../../../src/plugins/forward/flight.js';
import { query } from '../../support/dns.js';

const www = query('www.example.org.', 'A', { id: 1 });

describe('a query under way', () => {
  it.each([
    { name: 'the same with another id', other: query('www.example.org.', 'A', { id: 2 }), found: true },
    { name: 'another name', other: query('wwx.example.org.', 'A', { id: 1 }), found: false },
    { name: 'other capitals', other: query('WWW.example.org.', 'A', { id: 1 }), found: false },
    { name: 'another type', other: query('www.example.org.', 'AAAA', { id: 1 }), found: false },
    { name: 'another flag', other: query('www.example.org.', 'A', { id: 1, cd: true }), found: false },
    { name: 'an OPT record', other: query('www.example.org.', 'A', { id: 1, edns: 1232 }), found: false },
  ])('is found by equals: $name', ({ other, found }) => {
    const flights = new Flights();
    const flight = new Flight(www, hashOf(www), () => undefined);
    flights.add(flight);
    expect(hashOf(other) === hashOf(www)).toBe(found);
    expect(flights.find(other, hashOf(other))).toBe(found ? flight : undefined);
    // Whatever the hash says.
    expect(flights.find(other, hashOf(www))).toBe(found ? flight : undefined);
  });

  it('keeps its place from others with its hash, and loses it when it lands', async () => {
    const flights = new Flights();
    const landed: Flight[] = [];
    const fly = (one: typeof www): Flight =>
      new Flight(one, 7, (flight) => {
        landed.push(flight);
        flights.remove(flight);
      });
    const [first, second] = [fly(www), fly(query('else.example.org.'))];
    flights.add(first);
    flights.add(second);
    expect([flights.find(first.query, 7), flights.find(second.query, 7)]).toEqual([first, undefined]);
    const reply = Reply.empty(0);
    second.land(reply);
    expect(flights.find(first.query, 7)).toBe(first);
    first.land(reply);
    expect([flights.find(first.query, 7), landed]).toEqual([undefined, [second, first]]);
    expect(await first.outcome).toBe(reply);
  });
});
