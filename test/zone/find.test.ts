import { describe, expect, it } from 'vitest';
import { find, findCut, NamePath } from '../../src/zone/index.js';
import { encodeName, Type } from '../../src/wire/index.js';
import { load } from './zone.js';

const { zone } = load({
  db: [
    '$TTL 60',
    '@ SOA ns host 1 2 3 4 5',
    '@ NS ns',
    'sub NS ns.sub',
    'sub DS 1 13 2 00',
    'ns.sub A 192.0.2.1',
    '*.wild TXT x',
    'held.wild A 192.0.2.2',
    'x.between.wild A 192.0.2.3',
    'moved DNAME other.example.',
  ].join('\n'),
});
const path = (name: string): NamePath => new NamePath().load(encodeName(`${name}.`), 0);
const shown = (node: number | undefined): string | undefined => (node === undefined ? undefined : zone.tree.name(node));

describe('the delegation that a name is at or below', () => {
  it.each([
    { name: 'sub.example', type: Type.A, want: 'sub.example.' },
    { name: 'a.b.sub.example', type: Type.A, want: 'sub.example.' },
    // RFC 4035 section 3.1.4.1: DS of the cut itself is the parent's, that of a name below it is not.
    { name: 'sub.example', type: Type.DS, want: undefined },
    { name: 'a.sub.example', type: Type.DS, want: 'sub.example.' },
    { name: 'wild.example', type: Type.A, want: undefined },
    { name: 'nothing.example', type: Type.A, want: undefined },
    { name: 'example', type: Type.NS, want: undefined },
  ])('$name, type $type: $want', ({ name, type, want }) => expect(shown(findCut(zone, path(name), type))).toBe(want));
});

describe('what a zone has for a name', () => {
  // Wildcards: RFC 4592 section 3.3.1, and as CoreDNS answers a name that only lies between others.
  it.each([
    { name: 'held.wild.example', type: Type.A, want: { kind: 'name', node: 'held.wild.example.' } },
    { name: 'a.wild.example', type: Type.A, want: { kind: 'wildcard', node: '*.wild.example.' } },
    { name: 'a.b.wild.example', type: Type.A, want: { kind: 'wildcard', node: '*.wild.example.' } },
    { name: 'between.wild.example', type: Type.A, want: { kind: 'wildcard', node: '*.wild.example.' } },
    { name: 'a.between.wild.example', type: Type.A, want: { kind: 'none', between: false } },
    { name: 'a.held.wild.example', type: Type.A, want: { kind: 'none', between: false } },
    { name: 'wild.example', type: Type.A, want: { kind: 'none', between: true } },
    { name: 'nothing.example', type: Type.A, want: { kind: 'none', between: false } },
    { name: 'a.moved.example', type: Type.A, want: { kind: 'redirection', node: 'moved.example.' } },
    { name: 'moved.example', type: Type.A, want: { kind: 'name', node: 'moved.example.' } },
    { name: 'sub.example', type: Type.DS, want: { kind: 'name', node: 'sub.example.' } },
    { name: 'a.sub.example', type: Type.DS, want: { kind: 'cut', node: 'sub.example.' } },
  ])('$name, type $type: $want', ({ name, type, want }) => {
    const found = find(zone, path(name), type);
    expect('node' in found ? { ...found, node: shown(found.node) } : found).toEqual(want);
  });
});
