import { describe, expect, it } from 'vitest';
import { LabelSelector } from '../../src/kube/objects/label-selector.js';

const labels = { app: 'web', tier: 'front', 'example.org/x': '1', empty: '' };

describe('LabelSelector', () => {
  it.each([
    { text: '', matches: true },
    { text: 'app=web', matches: true },
    { text: 'app==web', matches: true },
    { text: 'app = other', matches: false },
    { text: 'app!=other', matches: true },
    { text: 'app!=web', matches: false },
    { text: 'missing!=x', matches: true },
    { text: 'missing=x', matches: false },
    { text: 'app', matches: true },
    { text: '!app', matches: false },
    { text: '!missing', matches: true },
    { text: 'empty=', matches: true },
    { text: 'app=', matches: false },
    { text: 'app in (web, other)', matches: true },
    { text: 'app in (a,b)', matches: false },
    { text: 'empty in (,x)', matches: true },
    { text: 'app notin (a)', matches: true },
    { text: 'missing notin (a)', matches: true },
    { text: 'missing in (a)', matches: false },
    { text: 'app notin (web)', matches: false },
    { text: 'example.org/x=1,tier in (front),!missing', matches: true },
    { text: 'app=web,tier=back', matches: false },
  ])('$text matches: $matches', ({ text, matches }) => expect(LabelSelector.parse(text).matches(labels)).toBe(matches));

  it('gives the API the text it was given', () =>
    expect(LabelSelector.parse('  environment in (staging, qa),application=nginx ').text).toBe(
      'environment in (staging, qa),application=nginx',
    ));

  it.each([
    { text: 'a=b c', error: 'got "c", want "," or the end' },
    { text: 'a=b,', error: 'got the end, want a label key' },
    { text: '=b', error: 'got "=", want a label key' },
    { text: '-a', error: 'got "-a", want a label key' },
    { text: 'a>1', error: 'got ">", want =, ==, !=, in, notin, or nothing' },
    { text: 'a between b', error: 'got "between", want =, ==, !=, in, notin, or nothing' },
    { text: 'a in b', error: 'got "b", want "("' },
    { text: 'a in (b', error: 'got the end, want "," or ")"' },
    { text: 'a=b/c', error: 'got "b/c", want a label value' },
    { text: `a=${'x'.repeat(64)}`, error: 'want a label value' },
  ])('refuses $text', ({ text, error }) => {
    expect(() => LabelSelector.parse(text)).toThrow(`label selector ${JSON.stringify(text)}: `);
    expect(() => LabelSelector.parse(text)).toThrow(error);
  });
});
