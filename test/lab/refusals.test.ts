import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/lab/commands/index.js';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

/** What stands behind each program: nothing, options and words that none has, numbers, too much. */
const WORDS = ['', '--nonsense', 'x', '-n', '-n x', '-n -1', '-5', '99999999999', 'x y z u v'];
/** kubectl's have tests of their own, and these two wait for keys or end the session. */
const OTHERS = ['kubectl', 'tcpdump', 'exit'];
const IN_POD = ['ip', 'iptables', 'cat', 'ss', 'ping', 'dig', 'curl', 'nslookup', 'host', 'getent', 'wget', 'nc'];
const PROGRAMS = [
  ...COMMANDS.commands.map(({ name }) => name).filter((name) => !OTHERS.includes(name)),
  ...IN_POD.map((name) => `kubectl exec curl-pod -- ${name}`),
];

describe('what a program does not do', () => {
  let driven: Driven;
  beforeAll(async () => {
    driven = await drivenLab();
  });
  afterAll(() => driven.end());

  const known = readFileSync(new URL('refusals.txt', import.meta.url), 'utf8').split(/^(?=\$ )/m);
  it.each(PROGRAMS)('%s', async (program) => {
    const session = driven.fresh();
    const told: string[] = [];
    for (const words of WORDS) {
      const line = `${program} ${words}`.trim();
      let text = '';
      const code = await driven.drive(session.run(line, { write: (part) => (text += part), interactive: true }));
      if (code !== 0) told.push(`$ ${line}\n${text.trimEnd()}\n[${code}]\n`);
    }
    const own = WORDS.map((words) => `$ ${program} ${words}`.trim());
    expect(told).toEqual(known.filter((block) => own.includes(block.slice(0, block.indexOf('\n')))));
  });
});
