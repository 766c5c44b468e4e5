import type { ServerResponse } from 'node:http';
import type { LiveEvents } from './api.js';

/** Unsent bytes after which a reader misses a round, and missed rounds after which its connection is closed. */
const BACKLOG = 512 * 1024;
const PATIENCE = 240;
/** Readers at a time. */
export const MAX_READERS = 16;

type EventName = keyof LiveEvents;
const frame = <Event extends EventName>(event: Event, data: LiveEvents[Event]): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

interface EventReader {
  readonly response: ServerResponse;
  /** Rounds in which it took nothing; its picture is old then. */
  missed: number;
}

/**
 * Tells all open pages what happens (server-sent events, HTML standard section 9.2). A slow reader misses rounds, gets
 * the full state when it has caught up, and is disconnected if it never does.
 */
export class EventStream {
  private readonly readers = new Set<EventReader>();

  /** @param welcome what a reader needs first, and again when it has missed something */
  constructor(private readonly welcome: () => Pick<LiveEvents, 'cluster' | 'samples'>) {}

  get size(): number {
    return this.readers.size;
  }

  /** Takes a reader on; false when there are too many. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): boolean {
    if (this.readers.size >= MAX_READERS) return false;
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const reader: EventReader = { response, missed: 0 };
    this.readers.add(reader);
    response.on('close', () => this.readers.delete(reader));
    response.on('error', () => this.readers.delete(reader));
    this.greet(reader);
    return true;
  }

  send<Event extends EventName>(event: Event, data: LiveEvents[Event]): void {
    if (this.readers.size === 0) return;
    const text = frame(event, data);
    for (const reader of this.readers) {
      if (reader.missed === 0) reader.response.write(text);
    }
  }

  /** To be called once a round, before anything is sent: finds readers that have fallen behind. */
  round(): void {
    for (const reader of this.readers) {
      if (reader.response.writableLength > BACKLOG) {
        if (++reader.missed > PATIENCE) reader.response.destroy();
      } else if (reader.missed > 0) {
        reader.missed = 0;
        this.greet(reader);
      }
    }
  }

  close(): void {
    for (const { response } of this.readers) response.destroy();
    this.readers.clear();
  }

  private greet({ response }: EventReader): void {
    const { cluster, samples } = this.welcome();
    response.write(`retry: 1000\n\n${frame('cluster', cluster)}${frame('samples', samples)}`);
  }
}
