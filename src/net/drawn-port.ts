/** Ports that are drawn before giving up: one in some ten thousand is taken, so a second draw nearly always does. */
const DRAWS = 10;

/**
 * Opens sockets of several transports at one port. Where it is to be drawn (0), the port that the first transport
 * gets may be taken in another one: then the next
 * is drawn. `open` leaves nothing open when it rejects.
 */
export async function atOnePort<T>(port: number, open: () => Promise<T>): Promise<T> {
  for (let draw = 1; ; draw++) {
    try {
      return await open();
    } catch (error) {
      if (port !== 0 || draw === DRAWS || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}
