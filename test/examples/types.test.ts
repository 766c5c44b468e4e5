import { readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { EXAMPLES } from './support.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const files = readdirSync(EXAMPLES).filter((file) => file.endsWith('.js'));

it('examples/plugins have the types of the public entry points, under strict', () => {
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
