import { describe, expect, it } from 'vitest';
import { Channel } from '../../src/lib/channel.js';
import { ManualClock } from '../../src/lib/clock.js';
import type { MemoryCeiling, MemoryStep } from '../../src/lib/memory-ceiling.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { ByteBudget, budgetOf } from '../../src/plugins/cache/byte-budget.js';
import { Server } from '../../src/server/server.js';

/** A ceiling whose step is set by hand. */
class Fake {
  readonly ceiling = 1000;
  readonly shrinking = new Channel<void>();
  step: MemoryStep = 'ample';

  get delays(): boolean {
    return this.step === 'wait' || this.step === 'refuse';
  }

  get refuses(): boolean {
    return this.step === 'refuse';
  }
}

describe('want of memory', () => {
  it('has queries refused, with a reason, and counted', async () => {
    const memory = new Fake();
    const metrics = new Metrics();
    const server = await Server.create({
      corefile: '. {\n whoami\n}\n',
      metrics,
      memory: memory as unknown as MemoryCeiling,
    });
    const ask = async () => server.inject({ name: 'a.test.', type: 'A', edns: true } as never);
    expect(await ask()).toMatchObject({ rcode: 0 });
    expect(await metrics.text()).toContain('coredns_dns_memory_refused_total 0\n');
    memory.step = 'refuse';
    const refused = await ask();
    expect(refused).toMatchObject({ rcode: 5 });
    const text = await metrics.text();
    expect(text).toContain('coredns_dns_memory_ceiling_bytes 1000\n');
    expect(text).toContain('coredns_dns_memory_refused_total 1\n');
    expect(text).toContain('coredns_dns_memory_step{step="refuse"} 1\n');
    expect(text).toContain('coredns_dns_memory_step{step="ample"} 0\n');
    memory.step = 'wait';
    expect(await ask()).toMatchObject({ rcode: 0 });
    await server.stop();
  });

  it('has caches give a tenth each time, and grow again afterwards', () => {
    const budget = new ByteBudget(1000);
    let entries = 10;
    budget.add(1000);
    budget.register(() => {
      if (entries === 0) return false;
      entries--;
      budget.remove(100);
      return true;
    });
    budget.register(() => false);
    budget.shrink();
    expect([entries, budget.used]).toEqual([9, 900]);
    budget.shrink();
    expect(entries).toBe(8);
    budget.add(50);
    expect(budget.isExceeded).toBe(true);
    budget.relax();
    expect(budget.isExceeded).toBe(false);
  });

  it('lets caches grow again ten seconds after the last time that they had to shrink', async () => {
    const memory = new Fake();
    const clock = new ManualClock();
    const server = await Server.create({
      corefile: '. {\n cache\n whoami\n}\n',
      clock,
      memory: memory as unknown as MemoryCeiling,
    });
    const budget = budgetOf(server.runtime);
    memory.shrinking.emit();
    budget.add(1);
    clock.advance(6000);
    memory.shrinking.emit();
    const exceeded = [9999, 1].map((time) => {
      clock.advance(time);
      return budget.isExceeded;
    });
    expect(exceeded).toEqual([true, false]);
    await server.stop();
  });
});
