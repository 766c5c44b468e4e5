import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/chain/index.js';
import { chaos } from '../../../src/plugins/chaos/setup.js';
import { setup } from '../../support/block.js';
import { query, reply, summary } from '../../support/dns.js';

const next = (): Outcome => reply({ rcode: 3 });
const ask = (text: string, qname: string, type = 'TXT', questionClass = 3): unknown =>
  summary(setup(chaos, text).ask(query(qname, type, { class: questionClass }), next) as Outcome);
const answered = (...answer: string[]): unknown => ({
  rcode: 'NOERROR',
  flags: '',
  ...(answer.length > 0 && { answer }),
});
const PASSED = { rcode: 'NXDOMAIN', flags: 'ra' };

describe('chaos', () => {
  it.each([
    { name: 'the version', text: 'chaos v7', qname: 'version.bind.', want: answered('version.bind. 0 CH TXT "v7"') },
    {
      name: "its other name, in the client's spelling",
      text: 'chaos v7',
      qname: 'Version.Server.',
      want: answered('Version.Server. 0 CH TXT "v7"'),
    },
    {
      name: 'the version of this program where none is given',
      text: 'chaos',
      qname: 'version.bind.',
      want: answered('version.bind. 0 CH TXT "nodens-0.0.0"'),
    },
    {
      name: 'the first of two directives',
      text: 'chaos one\nchaos two',
      qname: 'version.bind.',
      want: answered('version.bind. 0 CH TXT "one"'),
    },
    {
      name: 'a text of 300 bytes, cut',
      text: `chaos ${'v'.repeat(300)}`,
      qname: 'version.bind.',
      want: answered(`version.bind. 0 CH TXT "${'v'.repeat(255)}"`),
    },
    { name: 'the host', text: 'chaos', qname: 'hostname.bind.', want: answered('hostname.bind. 0 CH TXT "box"') },
    { name: 'the id', text: 'chaos', qname: 'id.server.', want: answered('id.server. 0 CH TXT "box"') },
    { name: 'no authors', text: 'chaos v', qname: 'authors.bind.', want: answered() },
    {
      name: 'an author once',
      text: 'chaos v a@example.org a@example.org',
      qname: 'authors.bind.',
      want: answered('authors.bind. 0 CH TXT "a@example.org"'),
    },
    { name: 'nothing to another type', text: 'chaos', qname: 'version.bind.', type: 'A', want: PASSED },
    { name: 'nothing to another name', text: 'chaos', qname: 'www.example.org.', want: PASSED },
    { name: 'nothing to class IN', text: 'chaos', qname: 'version.bind.', questionClass: 1, want: PASSED },
  ])('answers $name', ({ text, qname, type, questionClass, want }) => {
    expect(ask(text, qname, type, questionClass)).toEqual(want);
  });

  it('gives authors in an order of chance', () => {
    const { ask: again } = setup(chaos, 'chaos v a b c');
    const orders = new Set(
      Array.from({ length: 100 }, () =>
        JSON.stringify(summary(again(query('authors.bind.', 'TXT', { class: 3 })) as Outcome)),
      ),
    );
    expect(orders.size).toBe(6);
  });

  it('opens its address for other classes', () => expect(setup(chaos, 'chaos').handlers[0]!.everyClass).toBe(true));

  it('refuses a block', () =>
    expect(() => setup(chaos, 'chaos {\n}')).toThrow('Corefile:2: chaos: got a block in { }, allowed: none'));
});
