import { describe, expect, it } from 'vitest';
import { jsonPatch, mergePatch, strategicPatch } from '../../src/lab/cluster/patch.js';

const containers = [
  { name: 'a', image: 'x:1', env: [{ name: 'E', value: '1' }] },
  { name: 'b', image: 'y:1' },
];

describe('a merge patch (RFC 7386)', () => {
  it.each([
    { name: 'sets', object: { a: 1 }, change: { b: 2 }, want: { a: 1, b: 2 } },
    { name: 'takes away by null', object: { a: 1, b: { c: 1 } }, change: { b: { c: null } }, want: { a: 1, b: {} } },
    { name: 'puts lists in place', object: { a: [{ name: 'x' }] }, change: { a: [] }, want: { a: [] } },
    { name: 'makes an object of what was none', object: { a: 1 }, change: { a: { b: null } }, want: { a: {} } },
  ])('$name', ({ object, change, want }) => expect(mergePatch(object, change)).toEqual(want));
});

describe('a strategic merge patch', () => {
  it.each([
    {
      name: 'merges a list by the name of its members',
      change: { containers: [{ name: 'a', image: 'x:2' }] },
      want: { containers: [{ ...containers[0], image: 'x:2' }, containers[1]] },
    },
    {
      name: 'adds a member',
      change: { containers: [{ name: 'c', image: 'z' }] },
      want: { containers: [...containers, { name: 'c', image: 'z' }] },
    },
    {
      name: 'deletes a member',
      change: { containers: [{ name: 'a', $patch: 'delete' }] },
      want: { containers: [containers[1]] },
    },
    {
      name: 'replaces a list',
      change: { containers: [{ $patch: 'replace' }, { name: 'c' }] },
      want: { containers: [{ name: 'c' }] },
    },
    {
      name: 'brings a list into an order',
      change: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
      want: { containers: [containers[1], containers[0]] },
    },
    {
      name: 'keeps the members that it names',
      object: { strategy: { type: 'RollingUpdate', rollingUpdate: {} } },
      change: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
      want: { strategy: { type: 'Recreate' } },
    },
    {
      name: 'deletes from a set',
      object: { finalizers: ['a', 'b'] },
      change: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] },
      want: { finalizers: ['b', 'c'] },
    },
    {
      name: 'replaces a list that is one value',
      object: { args: ['a', 'b'] },
      change: { args: ['c'] },
      want: { args: ['c'] },
    },
    { name: 'deletes an object', object: { a: { b: 1 } }, change: { a: { $patch: 'delete' } }, want: {} },
    {
      name: 'replaces an object',
      object: { a: { b: 1 } },
      change: { a: { $patch: 'replace', c: 1 } },
      want: { a: { c: 1 } },
    },
  ])('$name', ({ object, change, want }) => expect(strategicPatch(object ?? { containers }, change)).toEqual(want));
});

describe('a JSON patch (RFC 6902)', () => {
  it.each([
    { name: 'add to a list', operations: [{ op: 'add', path: '/l/1', value: 9 }], want: { a: { b: 1 }, l: [1, 9, 2] } },
    {
      name: 'add at its end',
      operations: [{ op: 'add', path: '/l/-', value: 9 }],
      want: { a: { b: 1 }, l: [1, 2, 9] },
    },
    { name: 'replace', operations: [{ op: 'replace', path: '/a/b', value: 2 }], want: { a: { b: 2 }, l: [1, 2] } },
    {
      name: 'replace in a list',
      operations: [{ op: 'replace', path: '/l/0', value: 9 }],
      want: { a: { b: 1 }, l: [9, 2] },
    },
    { name: 'remove', operations: [{ op: 'remove', path: '/l/0' }], want: { a: { b: 1 }, l: [2] } },
    { name: 'move', operations: [{ op: 'move', from: '/a/b', path: '/c' }], want: { a: {}, c: 1, l: [1, 2] } },
    { name: 'copy', operations: [{ op: 'copy', from: '/l', path: '/c' }], want: { a: { b: 1 }, c: [1, 2], l: [1, 2] } },
    {
      name: 'test, and a name with a slash',
      operations: [
        { op: 'test', path: '/a/b', value: 1 },
        { op: 'add', path: '/x~1y', value: 0 },
      ],
      want: { a: { b: 1 }, 'x/y': 0, l: [1, 2] },
    },
  ])('$name', ({ operations, want }) => expect(jsonPatch({ a: { b: 1 }, l: [1, 2] }, operations)).toEqual(want));

  it.each([
    {
      name: 'a test that fails',
      operations: [{ op: 'test', path: '/a', value: 2 }],
      error: 'test: /a is not what was said',
    },
    { name: 'nothing to remove', operations: [{ op: 'remove', path: '/c' }], error: 'there is nothing at /c' },
    { name: 'an unknown operation', operations: [{ op: 'set', path: '/a' }], error: 'allowed: {"op": "add"|' },
    { name: 'no list', operations: { op: 'add' }, error: 'is a list of operations' },
    { name: 'no path', operations: [{ op: 'add', value: 1 }], error: 'got {"op":"add","value":1}, allowed: ' },
    { name: 'a path without its slash', operations: [{ op: 'add', path: 'a', value: 1 }], error: 'got {"op":"add"' },
    { name: 'a way from nowhere', operations: [{ op: 'move', path: '/b' }], error: 'got {"op":"move","path":"/b"}' },
  ])('refuses $name', ({ operations, error }) => expect(() => jsonPatch({ a: 1 }, operations)).toThrow(error));
});
