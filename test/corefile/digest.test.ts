import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseCorefile } from '../../src/corefile/load.js';
import { memoryFiles } from './memory-files.js';
import { NODE_CACHE, NODE_CACHE_SHA512 } from './production.js';

const digest = (text: string, files = {}, env = {}): string =>
  parseCorefile({ name: 'Corefile', text }, memoryFiles(files, env)).digest();
const sha512 = (json: string): string => createHash('sha512').update(json).digest('hex');

describe('digest', () => {
  it('is what node-cache logged for its Corefile', () => expect(digest(NODE_CACHE)).toBe(NODE_CACHE_SHA512));

  it.each([
    { name: 'no block', text: '', json: 'null' },
    { name: 'no directive', text: 'A.org:53 b {\n}', json: '[{"Keys":["A.org:53","b"],"Tokens":{}}]' },
    {
      name: 'directives by name',
      text: '. {\n log\n cache 1 {\n}\n log a\n}',
      json: '[{"Keys":["."],"Tokens":{"cache":[{"File":"","Line":3,"Text":"cache"},{"File":"","Line":3,"Text":"1"},{"File":"","Line":3,"Text":"{"},{"File":"","Line":4,"Text":"}"}],"log":[{"File":"","Line":2,"Text":"log"},{"File":"","Line":5,"Text":"log"},{"File":"","Line":5,"Text":"a"}]}}]',
    },
    {
      name: 'a directive name as written',
      text: '. {\n {$D} {$D}\n}',
      env: { D: 'log' },
      json: '[{"Keys":["."],"Tokens":{"log":[{"File":"","Line":2,"Text":"{$D}"},{"File":"","Line":2,"Text":"log"}]}}]',
    },
    {
      name: 'an imported file',
      text: 'import a',
      files: { '/etc/dns/a': '.\nlog' },
      json: '[{"Keys":["."],"Tokens":{"log":[{"File":"/etc/dns/a","Line":2,"Text":"log"}]}}]',
    },
    {
      name: 'characters special to HTML',
      text: '. {\n log "<&>\u2028"\n}',
      json: '[{"Keys":["."],"Tokens":{"log":[{"File":"","Line":2,"Text":"log"},{"File":"","Line":2,"Text":"\\u003c\\u0026\\u003e\\u2028"}]}}]',
    },
  ])('is over $name', ({ text, files, env, json }) => expect(digest(text, files, env)).toBe(sha512(json)));

  const TEXT = '. {\n import a\n cache {$TTL}\n}';
  const BEFORE = digest(TEXT, { '/etc/dns/a': 'log' }, { TTL: '1' });
  it.each([
    { name: 'changes with an imported file', text: TEXT, file: 'log .', ttl: '1', same: false },
    { name: 'changes with the environment', text: TEXT, file: 'log', ttl: '2', same: false },
    { name: 'changes with the line', text: `\n${TEXT}`, file: 'log', ttl: '1', same: false },
    { name: 'does not change with white space', text: TEXT.replaceAll(' ', '\t '), file: 'log', ttl: '1', same: true },
    { name: 'does not change with comments', text: `${TEXT} # a`, file: 'log # b', ttl: '1', same: true },
  ])('$name', ({ text, file, ttl, same }) =>
    expect(digest(text, { '/etc/dns/a': file }, { TTL: ttl }) === BEFORE).toBe(same),
  );
});
