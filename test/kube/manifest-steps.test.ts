import { describe, expect, it } from 'vitest';
import { yamlDocuments } from '../../src/kube/manifests/documents.js';
import { manifestSteps, parseManifest } from '../../src/kube/manifests/parse.js';
import { loadYaml } from '../../src/kube/yaml.js';

const ITEMS = Array.from(
  { length: 40 },
  (_, i) => `- kind: Service\n  metadata:\n    name: s${i}\n    labels: { a: "1" }\n`,
);
const LIST = `apiVersion: v1\nitems:\n${ITEMS.join('')}kind: List\nmetadata: {}\n`;

/** The text of a JSON list that is long enough to be read in pieces. */
const longJson = (count: number, kind: string, indent?: number): string =>
  JSON.stringify(
    {
      items: Array.from({ length: count }, (_, i) => ({ metadata: { name: `s${i}`, note: 'é😀"]}'.repeat(100) } })),
      kind,
    },
    undefined,
    indent,
  );

describe('manifestSteps', () => {
  it.each([
    { name: 'a List of which kubectl put the kind last', text: LIST },
    {
      name: 'a typed list',
      text: LIST.replaceAll('- kind: Service\n  ', '- ').replace('kind: List', 'kind: "ServiceList"'),
    },
    { name: 'comments between its parts', text: LIST.replaceAll('- kind', '# one more\n- kind') },
    { name: 'a list right behind another', text: `${LIST}---\n${LIST}` },
    { name: 'several lists', text: `${LIST}---\n# and\n---\n${LIST}...\n${LIST}` },
    {
      name: 'parts that refer to one another',
      text: LIST.replace('{ a: "1" }', '&l { a: "2" }').replace('{ a: "1" }', '*l'),
    },
    { name: 'a part with a tag', text: LIST.replace('- kind', '- !!map\n  kind') },
    { name: 'parts of which one is empty', text: LIST.replace('items:\n', 'items:\n- kind: Pod\n- {kind: Node}\n') },
    { name: 'an object that is no list', text: LIST.replace('kind: List', 'kind: Other') },
    { name: 'a list before an object that is none', text: `${LIST}---\n${LIST.replace('kind: List', 'kind: Other')}` },
    { name: 'a list of numbers after its objects', text: LIST.replace('kind: List', '- 7\nkind: Other') },
    { name: 'a list without parts', text: 'kind: List\nitems: []\n' },
    { name: 'text that looks like an anchor', text: LIST.replace('{ a: "1" }', '{ a: "&x", b: "*x" }') },
  ])('has what the YAML package makes of all at once: $name', ({ text }) => {
    const values = loadYaml()
      .parseAllDocuments(text)
      .map((document) => document.toJS() as { kind?: string; items?: unknown[] } | null);
    const want = values.flatMap((value) => (value?.kind?.endsWith('List') ? value.items! : (value ?? [])));
    expect([...parseManifest('f', text)].map(({ raw }) => raw)).toEqual(want);
  });

  it('composes a part of a list when its turn comes', () => {
    const steps = manifestSteps('f', Buffer.from(LIST.replace('name: s2\n', 'name: [s2\n')));
    const taken: string[] = [];
    expect(() => {
      for (const step of steps) if (step !== undefined) taken.push(step.place);
    }).toThrow(/^f:14:5: /);
    expect(taken).toEqual(['f:3:3', 'f:7:3']);
  });

  it('reads each part of a list as soon as it has ended, before its kind is known', () => {
    const text = `items:\n${ITEMS.join('').repeat(20)}kind: List\n`;
    const read: number[] = [];
    const steps = yamlDocuments(text, new (loadYaml().LineCounter)(), ({ offset }) => read.push(offset), true);
    const counts: number[] = [];
    for (const step of steps) if (step === undefined) counts.push(read.length);
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts.at(-1)).toBeGreaterThan(19 * ITEMS.length);
  });

  it('lets others have their turn while words are read', () => {
    const idle = (text: string): number =>
      [...manifestSteps('f', Buffer.from(text))].filter((step) => step === undefined).length;
    expect(idle(LIST)).toBeLessThan(3);
    expect(idle(`kind: List\nitems:\n${ITEMS.join('').repeat(20)}`)).toBeGreaterThan(5);
    expect(idle(longJson(500, 'ServiceList'))).toBeGreaterThan(500);
  });

  it.each([undefined, 2])('reads a long list in JSON, indented by %s', (indent) => {
    const text = longJson(500, 'ServiceList', indent);
    const { items } = JSON.parse(text) as { items: unknown[] };
    const objects = [...parseManifest('f', text)];
    expect(objects.map(({ raw }) => raw)).toEqual(items);
    expect(new Set(objects.map(({ kind }) => kind))).toEqual(new Set(['Service']));
  });

  it('reads a long object in JSON that is no list', () => {
    const text = longJson(500, 'Other');
    expect([...parseManifest('f', text)].map(({ raw }) => raw)).toEqual([JSON.parse(text)]);
  });
});
