import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';
import { ASKING } from './everyday/asking.js';
import { OBJECTS, ROLLOUTS } from './everyday/kubectl.js';
import { masked } from './everyday/line.js';
import { ODDITIES, ON_NODE } from './everyday/node.js';

describe.each([
  { name: 'objects and pods', lines: OBJECTS },
  { name: 'rollouts and nodes', lines: ROLLOUTS },
  { name: 'on a node', lines: ON_NODE },
  { name: 'now and then', lines: ODDITIES },
  { name: 'what there is', lines: ASKING },
])('lines of everyday use, $name', ({ lines }) => {
  let driven: Driven;
  beforeAll(async () => {
    driven = await drivenLab();
  });
  afterAll(() => driven.end());

  it.each(lines.map(([line, begins, code = 0]) => ({ line, begins, code })))(
    '$line',
    async ({ line, begins, code }) => {
      const ran = await driven.run(line.replaceAll('\\n', '\n'));
      expect(masked(ran.text).startsWith(masked(begins)), `got: ${ran.text.slice(0, 400)}`).toBe(true);
      expect(ran.code).toBe(code);
    },
  );
});

it('holds 200 lines of everyday use', () => {
  expect([...OBJECTS, ...ROLLOUTS, ...ON_NODE, ...ODDITIES, ...ASKING].length).toBeGreaterThanOrEqual(200);
});
