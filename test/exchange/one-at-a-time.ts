import type { Milliseconds } from '../../src/lib/units.js';
import { goodReply, type Asked } from '../support/fake-upstream.js';
import type { World } from './world.js';

export interface ServerManner {
  /** How long the server works on a query; undefined for one that it never answers. */
  time: (name: string) => Milliseconds | undefined;
  /** Works on all queries of a connection at once, and answers each when it is done. */
  anyOrder: boolean;
  /** Connections that it takes queries from; the others wait until one of these is closed. */
  readonly served?: number;
  /** Connections whose queries are lost, by the order in which they were opened. */
  readonly lossy?: readonly number[];
}

/** What a server saw of its connections. */
export interface Load {
  /** Most queries that were there at once on one connection. */
  deepest: number;
  /** Queries that came, by name. */
  readonly count: Map<string, number>;
}

/**
 * Has the world's server work on one query at a time per connection, as most servers do, or on all at once.
 * Changes of `manner` hold from then on.
 */
export function serve(world: World, manner: ServerManner): Load {
  const load: Load = { deepest: 0, count: new Map() };
  const busyUntil = new Map<unknown, Milliseconds>();
  const inFlight = new Map<unknown, number>();
  world.server.answer = (asked: Asked) => {
    const { connection, message } = asked;
    const { name } = message.question[0]!;
    const number = world.server.connections.indexOf(connection!);
    if (number >= (manner.served ?? Infinity) || manner.lossy?.includes(number)) return;
    load.count.set(name, (load.count.get(name) ?? 0) + 1);
    inFlight.set(connection, (inFlight.get(connection) ?? 0) + 1);
    load.deepest = Math.max(load.deepest, inFlight.get(connection)!);
    const time = manner.time(name);
    if (time === undefined) return;
    const now = world.clock.monotonic();
    const done = (manner.anyOrder ? now : Math.max(now, busyUntil.get(connection) ?? 0)) + time;
    busyUntil.set(connection, done);
    world.clock.setTimeout(() => {
      inFlight.set(connection, inFlight.get(connection)! - 1);
      asked.reply(goodReply(message));
    }, done - now);
  };
  return load;
}
