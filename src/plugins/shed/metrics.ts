import type { Runtime, ServerAddress } from '../../chain/index.js';
import { TABLES, belongsTo, socketsOf, type KernelSocket } from './kernel-drops.js';

/**
 * Shows what the kernel has dropped at these addresses; it is looked up at each scrape. The returned function ends
 * that.
 */
export function showDrops(runtime: Runtime, addresses: () => readonly ServerAddress[]): () => void {
  const dropped = runtime.metrics.counter(
    'shed',
    'dropped_total',
    'Counter of queries and responses dropped, per server, by reason.',
    ['server', 'reason'],
  );
  return dropped.onCollect(() => {
    const sockets = TABLES.flatMap((path) => read(runtime, path));
    for (const { label, address, port } of addresses()) {
      const own = sockets.filter((socket) => belongsTo(socket, address, port));
      dropped.with({ server: label, reason: 'query' }).set(own.reduce((sum, { drops }) => sum + drops, 0));
      // Answers leave in the order in which they are there; none is thrown away for another.
      dropped.with({ server: label, reason: 'response' }).set(0);
    }
  });
}

/** None on systems without such a table. */
function read(runtime: Runtime, path: string): KernelSocket[] {
  try {
    return socketsOf(runtime.readFile(path));
  } catch {
    return [];
  }
}
