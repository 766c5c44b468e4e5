import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { PluginDefinition } from '../../src/chain/index.js';
import { PLUGINS } from '../../src/server/directives.js';
import { TestBlock, directives } from '../support/block.js';

/** Where files are read and written. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-options-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What stands after each directive and option: nothing, numbers, words and times, too many of them, a block. */
const WORDS = ['', '0', '1', '-1', '99999999999', 'x', '1s', '-1s', '99999h', '1 2 3 4 5 6 7 8', '1 {\nx\n}', '/ /'];
/** The first arguments with which a block is looked at. */
const FIRST = ['', '.', '. 10.0.0.1', '10.0.0.1', 'a'];

/** What the Corefile is refused with; `taken` for one that is not. */
function refusal(plugin: PluginDefinition, text: string): string {
  const block = new TestBlock();
  block.settings.root = folder;
  try {
    plugin.setup(directives(`${plugin.name} ${text}`, plugin.name), block);
    return 'taken';
  } catch (error) {
    // Of files, what the system says of them is left out.
    return (error as Error).message.replaceAll(folder, '').replace(/(ENOENT|EISDIR): .*/, '$1');
  } finally {
    block.lifetime.end(new Error('refused'));
  }
}

/** The options that a plugin says it knows, and the arguments that it wants before them. */
function optionsOf(plugin: PluginDefinition): { first: string; options: readonly string[] } {
  for (const first of FIRST) {
    const allowed = /unknown option 'no-option'; allowed: (.*)$/.exec(refusal(plugin, `${first} {\nno-option\n}`))?.[1];
    if (allowed !== undefined) return { first, options: allowed.split(', ').filter((name) => !name.includes(' ')) };
  }
  return { first: '', options: [] };
}

/** One line for all that is refused in the same words, with `*` for what was written. */
function listed(plugin: PluginDefinition): readonly string[] {
  const { first, options } = optionsOf(plugin);
  const groups = [
    { of: plugin.name, text: (words: string) => words },
    ...options.map((option) => ({
      of: `${plugin.name} ${option}`,
      text: (words: string) => `${first} {\n${option} ${words}\n}`,
    })),
  ];
  return groups.flatMap(({ of, text }) => {
    const said = new Map<string, string[]>();
    for (const words of WORDS) {
      const why = refusal(plugin, text(words)).replaceAll(`'${words}'`, "'*'");
      said.set(why, [...(said.get(why) ?? []), `'${words.replaceAll('\n', ' ')}'`]);
    }
    return [of, ...[...said].map(([why, all]) => `  ${all.join(' ')}: ${why}`)];
  });
}

describe('what a Corefile may not say', () => {
  const known = readFileSync(new URL('option-errors.txt', import.meta.url), 'utf8').split('\n');
  it.each(PLUGINS)('$name', (plugin) => {
    const at = known.indexOf(plugin.name);
    const lines = listed(plugin);
    expect(lines).toEqual(known.slice(at, at + lines.length));
  });
});
