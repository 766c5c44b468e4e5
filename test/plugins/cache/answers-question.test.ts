import { describe, expect, it } from 'vitest';
import { answersQuestion } from '../../../src/plugins/cache/answers-question.js';
import { query, reply } from '../../support/dns.js';

const TO_B = 'a. 60 IN CNAME b.';
const TO_C = 'b. 60 IN CNAME c.';

describe('answersQuestion', () => {
  it.each([
    { name: 'the record', answer: ['a. 60 IN A 192.0.2.1'], want: true },
    { name: 'in another letter case', answer: ['A. 60 IN A 192.0.2.1'], want: true },
    { name: 'of another name', answer: ['b. 60 IN A 192.0.2.1'], want: false },
    { name: 'of another type', answer: ['a. 60 IN TXT "x"'], want: false },
    { name: 'of another class', answer: ['a. 60 CH A 192.0.2.1'], want: false },
    { name: 'behind an alias', answer: [TO_B, 'b. 60 IN A 192.0.2.1'], want: true },
    { name: 'behind two, in any order', answer: ['c. 60 IN A 192.0.2.1', TO_C, 'A. 60 IN CNAME B.'], want: true },
    { name: 'an alias that leads nowhere', answer: [TO_B], want: false },
    { name: 'an alias and a record beside its target', answer: [TO_B, 'c. 60 IN A 192.0.2.1'], want: false },
    { name: 'a record at the alias itself', answer: [TO_B, 'a. 60 IN A 192.0.2.1'], want: false },
    { name: 'the same alias twice', answer: [TO_B, 'a. 30 IN CNAME B.', 'b. 60 IN A 192.0.2.1'], want: true },
    {
      name: 'an alias to two names',
      answer: [TO_B, 'a. 60 IN CNAME c.', 'b. 60 IN A 192.0.2.1', 'c. 60 IN A 192.0.2.1'],
      want: false,
    },
    { name: 'a circle', answer: [TO_B, 'b. 60 IN CNAME a.', 'a. 60 IN A 192.0.2.1'], want: false },
    { name: 'a circle of one', answer: ['a. 60 IN CNAME a.'], want: false },
    { name: 'CNAME asked for', type: 'CNAME', answer: [TO_B], want: true },
    { name: 'CNAME asked for, two targets', type: 'CNAME', answer: [TO_B, 'a. 60 IN CNAME c.'], want: false },
    { name: 'CNAME asked for, of another name', type: 'CNAME', answer: [TO_C], want: false },
    { name: 'ANY asked for', type: 'ANY', answer: ['a. 60 IN TXT "x"'], want: true },
    { name: 'ANY asked for, of another name', type: 'ANY', answer: ['b. 60 IN TXT "x"'], want: false },
    { name: 'class ANY asked for', class: 255, answer: ['a. 60 CH A 192.0.2.1'], want: true },
    { name: 'no answer', answer: [], authority: ['a. 60 IN A 192.0.2.1'], want: false },
  ])('$name: $want', ({ type, class: qclass, answer, authority, want }) => {
    const { records } = reply({ answer, authority });
    expect(answersQuestion(records, query('a.', type, { class: qclass }))).toBe(want);
  });
});
