import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Reply } from '../../../src/chain/index.js';
import { Flag, rcodeName } from '../../../src/wire/index.js';
import { reply, texts, type QuestionOptions } from '../../support/dns.js';
import { World } from './world.js';

interface Step {
  /** A query from before the recording that only shows in the metrics. */
  probe?: [name: string, type: string];
  question?: [name: string, type: string];
  options?: QuestionOptions;
  want?: Record<string, unknown>;
  /** Milliseconds. */
  sleep?: number;
  /** Queries that reached the upstream since the probe. */
  asked?: number;
  metrics?: string[];
}

interface Recording {
  /** What the upstream answered, by name; NXDOMAIN for others. */
  upstream: Record<string, { answer?: string[]; authority?: string[]; rcode?: number; truncated?: boolean }>;
  sets: { name: string; corefile: string; steps: Step[] }[];
}

const recording = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Recording;

function upstream(name: string): Reply {
  const { truncated, ...parts } = recording.upstream[name] ?? {
    rcode: 3,
    authority: ['. 900 IN SOA ns1. hostmaster. 1 1800 900 604800 900'],
  };
  return reply({ ...parts, flags: Flag.RA | (truncated ? Flag.TC : 0) });
}

describe.each(recording.sets)('recorded from the reference: $name', ({ corefile, steps }) => {
  it('answers, asks and counts the same', async () => {
    const world = new World(corefile, (asked) => upstream(asked.name));
    for (const [index, step] of steps.entries()) {
      if (step.probe) await world.reply(...step.probe);
      if (step.sleep !== undefined) world.block.clock.advance(step.sleep);
      if (step.asked !== undefined) expect(world.asked.length - 1, `step ${index}`).toBe(step.asked);
      if (step.question) expect(await seen(world, step), `step ${index}`).toEqual(step.want);
      if (step.metrics) {
        const lines = (await world.block.metrics.text()).split('\n');
        expect(
          lines.filter((line) => /^coredns_cache_(entries|hits_total|misses_total|requests_total)\{/.test(line)).sort(),
        ).toEqual(step.metrics);
      }
    }
  });
});

async function seen(
  world: World,
  { question: [name, type] = ['', ''], options }: Step,
): Promise<Record<string, unknown>> {
  const question = world.question(name, type, options);
  const got = (await world.ask(question)) as Reply;
  const flags = ['AA', 'TC', 'RD', 'RA', 'AD', 'CD'] as const;
  const message = got.messageFor(question);
  const sections = (['answer', 'authority', 'additional'] as const).filter((section) => message[section].length > 0);
  return {
    rcode: rcodeName(message.rcode),
    flags: flags
      .filter((flag) => message.flags & Flag[flag])
      .join(',')
      .toLowerCase(),
    size: got.sizeFor(question) + (question.hasEdns ? 11 : 0),
    ...Object.fromEntries(sections.map((section) => [section, texts(message[section])])),
  };
}
