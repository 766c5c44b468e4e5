import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { manualPage } from '../../src/index.js';
import { whatIsWrong } from '../../src/plugin-api/check-plugin.js';
import { EXAMPLES, example } from './support.js';

const files = readdirSync(EXAMPLES).filter((file) => file.endsWith('.js'));

describe('examples/plugins', () => {
  it.each(files)('%s is under 150 lines, a plugin, and built on the public entry points alone', async (file) => {
    const text = readFileSync(path.join(EXAMPLES, file), 'utf8');
    expect(text.split('\n').length).toBeLessThan(150);
    const imports = [...text.matchAll(/(?:from |import\()'([^']+)'/g)].map(([, name]) => name!);
    expect(imports.filter((name) => !/^(node:|nodens(\/|$))/.test(name))).toEqual([]);
    const plugin = await example(file.replace('.js', ''));
    expect(whatIsWrong(plugin)).toBeUndefined();
    expect(manualPage(plugin)).toContain('## Examples');
  });
});
