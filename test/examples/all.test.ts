import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { manualPage } from '../../src/index.js';
import { whatIsWrong } from '../../src/plugin-api/check-plugin.js';
import { EXAMPLES, example } from './support.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
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

  it('have the types of the public entry points, under strict', () => {
    const program = ts.createProgram(
      files.map((file) => path.join(EXAMPLES, file)),
      {
        allowJs: true,
        checkJs: true,
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        types: ['node'],
        baseUrl: ROOT,
        paths: { 'nodens/plugin': ['src/plugin.ts'] },
      },
    );
    const faults = ts.getPreEmitDiagnostics(program).filter(({ file }) => file?.fileName.includes('examples/'));
    expect(
      faults.map(
        ({ file, start, messageText }) =>
          `${path.basename(file!.fileName)}:${file!.getLineAndCharacterOfPosition(start ?? 0).line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      ),
    ).toEqual([]);
  }, 60_000);
});
