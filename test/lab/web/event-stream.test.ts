import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { ClusterView, VisitView } from '../../../src/lab/web/api.js';
import { EventStream, MAX_READERS } from '../../../src/lab/web/event-stream.js';

/** A browser's connection that takes nothing while it is stuck. */
class FakeResponse extends EventEmitter {
  text = '';
  writableLength = 0;
  destroyed = false;
  stuck = false;

  status = 0;

  writeHead(status: number): this {
    this.status = status;
    return this;
  }

  write(text: string): boolean {
    if (this.stuck) this.writableLength += text.length;
    else this.text += text;
    return !this.stuck;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const VIEW = { name: 'small' } as ClusterView;
const VISITS: readonly VisitView[] = [
  { server: 'host/a', name: 'x.'.repeat(600), type: 'A', transport: 'udp', hit: false, result: 'NOERROR' },
];

function world(): { readonly stream: EventStream; readonly open: () => FakeResponse } {
  const stream = new EventStream(() => ({ cluster: VIEW, samples: [] }));
  return {
    stream,
    open: () => {
      const response = new FakeResponse();
      expect(stream.add(response as unknown as ServerResponse, {})).toBe(true);
      return response;
    },
  };
}

describe('readers', () => {
  it('are given the cluster and the samples first, then what happens', () => {
    const { stream, open } = world();
    const reader = open();
    stream.send('flows', { flows: [], left: 3 });
    expect(reader.status).toBe(200);
    expect(reader.text).toBe(
      'retry: 1000\n\nevent: cluster\ndata: {"name":"small"}\n\nevent: samples\ndata: []\n\nevent: flows\ndata: {"flows":[],"left":3}\n\n',
    );
  });

  it('who is too slow misses rounds, and starts anew when it has caught up', () => {
    const { stream, open } = world();
    const [slow, quick] = [open(), open()];
    const greeting = slow.text;
    slow.stuck = true;
    for (let i = 0; i < 100_000 && slow.writableLength <= 512 * 1024; i++)
      stream.send('visits', { visits: VISITS, left: 0 });
    stream.round();
    const held = slow.writableLength;
    stream.send('visits', { visits: VISITS, left: 0 });
    expect(slow.writableLength).toBe(held);
    slow.stuck = false;
    slow.writableLength = 0;
    stream.round();
    expect(slow.text).toBe(greeting + greeting);
    // From then on it is told all again, and is not greeted once more.
    stream.round();
    stream.send('flows', { flows: [], left: 1 });
    expect(slow.text).toBe(`${greeting}${greeting}event: flows\ndata: {"flows":[],"left":1}\n\n`);
    expect(quick.text.length).toBeGreaterThan(held);
  });

  it('who does not catch up is dropped', () => {
    const { stream, open } = world();
    const slow = open();
    slow.writableLength = 10_000_000;
    for (let i = 0; i < 240; i++) stream.round();
    expect(slow.destroyed).toBe(false);
    stream.round();
    expect(slow.destroyed).toBe(true);
    expect(stream.size).toBe(0);
  });

  it('who has just as much unsent as is let be is told on', () => {
    const { stream, open } = world();
    const reader = open();
    reader.writableLength = 512 * 1024;
    stream.round();
    stream.send('flows', { flows: [], left: 1 });
    expect(reader.text).toMatch(/"left":1/);
    reader.writableLength++;
    stream.round();
    stream.send('flows', { flows: [], left: 2 });
    expect(reader.text).not.toMatch(/"left":2/);
  });

  it('whose connection breaks is gone, and is told nothing', () => {
    const { stream, open } = world();
    const reader = open();
    const { text } = reader;
    reader.emit('error', new Error('ECONNRESET'));
    stream.send('flows', { flows: [], left: 1 });
    expect([stream.size, reader.text]).toEqual([0, text]);
  });

  it('are told nothing after the end, though their connections close later', () => {
    const { stream, open } = world();
    const reader = open();
    const { text } = reader;
    reader.destroy = () => undefined;
    stream.close();
    stream.send('flows', { flows: [], left: 1 });
    expect([stream.size, reader.text]).toEqual([0, text]);
  });

  it('are so many and no more, and those that go make room', () => {
    const { stream, open } = world();
    const readers = Array.from({ length: MAX_READERS }, open);
    expect(stream.add(new FakeResponse() as unknown as ServerResponse, {})).toBe(false);
    readers[0]!.emit('close');
    open();
    stream.close();
    expect(readers.slice(1).every(({ destroyed }) => destroyed)).toBe(true);
    expect(stream.size).toBe(0);
  });
});
