import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LAB_FOLDER } from '../../src/lab/topology/load.js';
import { parseScript, playScript } from '../../src/lab/session/script.js';
import { drivenLab } from './lab.js';

const FOLDER = path.join(LAB_FOLDER, 'scripts');
const SCRIPTS = readdirSync(FOLDER).filter((file) => file.endsWith('.lab'));

describe('lab/scripts', () => {
  it('has the lessons', () => {
    expect(SCRIPTS).toEqual([
      'cache.lab',
      'ipam.lab',
      'masquerade.lab',
      'names.lab',
      'node-cache-dies.lab',
      'node-local-iptables.lab',
      'node-local-redirect.lab',
    ]);
  });

  it.each(SCRIPTS)('%s comes out as it says', async (file) => {
    const driven = await drivenLab();
    const script = parseScript(file, readFileSync(path.join(FOLDER, file), 'utf8'));
    let text = '';
    const failures = await playScript(
      script,
      driven.session,
      (part) => (text += part),
      (work) => driven.drive(work),
    );
    await driven.end();
    expect(failures, text).toEqual([]);
    expect(text.match(/^\$ /gm)).toHaveLength(script.steps);
  });
});
