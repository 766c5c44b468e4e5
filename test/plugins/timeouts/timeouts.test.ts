import { describe, expect, it } from 'vitest';
import { timeouts } from '../../../src/plugins/timeouts/setup.js';
import { setup } from '../../support/block.js';

const text = (...lines: string[]): string => `timeouts {\n${lines.join('\n')}\n}`;

describe('timeouts', () => {
  it.each([
    { name: 'read', corefile: text('read 5s'), want: { read: 5000 } },
    { name: 'write', corefile: text('write 1m'), want: { write: 60_000 } },
    { name: 'idle, in seconds', corefile: text('idle 7'), want: { idle: 7000 } },
    { name: 'the bounds', corefile: text('read 1s', 'idle 24h'), want: { read: 1000, idle: 86_400_000 } },
    { name: 'queries', corefile: text('maxtcpqueries 128'), want: { queries: 128 } },
    {
      name: 'as many queries as 31 bits hold',
      corefile: text('maxtcpqueries 2147483647'),
      want: { queries: 2147483647 },
    },
    { name: 'any number of queries', corefile: text('maxtcpqueries -1'), want: { queries: Infinity } },
    {
      name: 'several directives',
      corefile: `${text('read 5s')}\n${text('idle 5s')}`,
      want: { read: 5000, idle: 5000 },
    },
  ])('sets $name', ({ corefile, want }) => expect(setup(timeouts, corefile).block.settings.limits).toEqual(want));

  it.each([
    { name: 'nothing', corefile: 'timeouts', error: '2: timeouts: got no option, allowed: read, write, idle, maxtcpq' },
    { name: 'an empty block', corefile: text(), error: '2: timeouts: got no option' },
    { name: 'an argument', corefile: 'timeouts 5s', error: "2: timeouts: got 1 argument ('5s'), allowed: no argument" },
    { name: 'another option', corefile: text('accept 5s'), error: "3: timeouts: unknown option 'accept'" },
    { name: 'no time', corefile: text('read'), error: '3: timeouts: read: got no argument' },
    { name: 'two times', corefile: text('read 5s 6s'), error: "3: timeouts: read: got 2 arguments ('5s' '6s')" },
    {
      name: 'too short a time',
      corefile: text('idle 500ms'),
      error: "3: timeouts: idle: got '500ms', allowed: a duration",
    },
    { name: 'too long a time', corefile: text('idle 25h'), error: "3: timeouts: idle: got '25h', allowed: a duration" },
    { name: 'no queries', corefile: text('maxtcpqueries 0'), error: "3: timeouts: maxtcpqueries: MAXIMUM: got '0'" },
    {
      name: 'more queries than 31 bits hold',
      corefile: text('maxtcpqueries 2147483648'),
      error: "3: timeouts: maxtcpqueries: MAXIMUM: got '2147483648'",
    },
    {
      name: 'less than none',
      corefile: text('maxtcpqueries -2'),
      error: "3: timeouts: maxtcpqueries: MAXIMUM: got '-2'",
    },
    { name: 'no number', corefile: text('maxtcpqueries x'), error: "3: timeouts: maxtcpqueries: MAXIMUM: got 'x'" },
  ])('refuses $name', ({ corefile, error }) => expect(() => setup(timeouts, corefile)).toThrow(`Corefile:${error}`));
});
