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

/** By directive and option, a line for all that is refused in the same words, with `*` for what was written. */
function listed(plugin: PluginDefinition): ReadonlyMap<string, readonly string[]> {
  const { first, options } = optionsOf(plugin);
  const lines = (text: (words: string) => string): readonly string[] => {
    const said = new Map<string, string[]>();
    for (const words of WORDS) {
      // Which options there are is told by the list itself.
      const why = refusal(plugin, text(words))
        .replaceAll(`'${words}'`, "'*'")
        .replace(/(unknown option 'x'); allowed: .*/, '$1');
      said.set(why, [...(said.get(why) ?? []), `'${words.replaceAll('\n', ' ')}'`]);
    }
    return [...said].map(([why, all]) => `  ${all.join(' ')}: ${why}`);
  };
  return new Map([
    [plugin.name, lines((words) => words)] as const,
    ...options.map(
      (option) => [`${plugin.name} ${option}`, lines((words) => `${first} {\n${option} ${words}\n}`)] as const,
    ),
  ]);
}

describe('what a Corefile may not say', () => {
  const blocks = readFileSync(new URL('option-errors.txt', import.meta.url), 'utf8').split(/^(?=\S)/m);
  const known = new Map(blocks.map((block) => [block.split('\n')[0]!, block.trimEnd().split('\n').slice(1)]));

  it.each(PLUGINS)('$name', (plugin) => {
    const now = listed(plugin);
    const own = [...known].filter(([name]) => name.split(' ')[0] === plugin.name);
    expect(own.map(([name]) => [name, now.get(name)])).toEqual(own);
  });
});
