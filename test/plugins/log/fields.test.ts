import { describe, expect, it } from 'vitest';
import { COMBINED_LOG_FORMAT as COMBINED, COMMON_LOG_FORMAT as COMMON } from '../../../src/chain/index.js';
import { compileFields } from '../../../src/plugins/log/fields.js';
import { log } from '../../../src/plugins/log/setup.js';
import { setup } from '../../support/block.js';
import { query, reply } from '../../support/dns.js';

const answer = reply({ answer: ['www.example.org. 300 IN A 192.0.2.1'] });
const common = {
  remote: '127.0.0.1',
  id: 7,
  type: 'A',
  class: 'IN',
  name: 'www.example.org.',
  proto: 'udp',
  size: 33,
  do: false,
  bufsize: 512,
  duration: 0.0015,
};

describe('the fields of a line', () => {
  it.each([
    { name: 'the usual format', format: COMMON, with: answer, want: { ...common, rcode: 'NOERROR', rsize: 64 } },
    {
      name: 'the combined format',
      format: COMBINED,
      with: answer,
      want: { ...common, rcode: 'NOERROR', rsize: 64, opcode: 0 },
    },
    { name: 'no reply', format: COMMON, with: undefined, want: { ...common, rsize: 0 } },
    { name: 'a part', format: 'a {name} {nothing} {name}', with: answer, want: { name: 'www.example.org.' } },
    { name: 'a label that is not there', format: '{/log/class} {type}', with: answer, want: { type: 'A' } },
  ])('are those of $name', ({ format, with: made, want }) => {
    const { port, rflags, ...rest } = compileFields(format)(query('www.example.org.', 'A', { id: 7 }), made, 1.5);
    expect(rest).toEqual(want);
    expect([typeof port, rflags]).toEqual(
      format.startsWith('{remote}') ? ['number', made && 'qr,rd,ra'] : ['undefined', undefined],
    );
  });

  it('have whole seconds of a duration too', () =>
    expect(compileFields('{duration}')(query('a.'), answer, 12_500)).toEqual({ duration: 12.5 }));

  it('have IPv6 addresses without brackets', () =>
    expect(compileFields('{remote}')(query('a.', 'A', { remote: '::1' }), answer, 0)).toEqual({ remote: '::1' }));

  it('go to a log that takes them', async () => {
    const taken: unknown[] = [];
    const { block, ask } = setup(log, 'log . "{name} {rcode}"');
    Object.assign(block.runtime.log, { infoWith: (line: string, fields: unknown) => taken.push([line, fields]) });
    await ask(query('www.example.org.'), () => answer);
    expect(taken).toEqual([['www.example.org. NOERROR', { name: 'www.example.org.', rcode: 'NOERROR' }]]);
  });
});
