import { Lifetime, type ConnectionLimits, type Next } from '../../src/chain/index.js';
import type { Clock } from '../../src/lib/clock.js';
import { Responder } from '../../src/server/respond.js';
import { InFlight } from '../../src/server/in-flight.js';
import { Chain, Routes } from '../../src/server/routes.js';

/** Routes without a zone. */
export const noRoutes = (inFlight = new InFlight()): Routes =>
  new Routes({ inFlight, lifetime: new Lifetime(), refused: () => undefined });

/** Routes that lead every question to one handler. */
export function routesTo(ask: Next, inFlight?: InFlight, limits?: ConnectionLimits): Routes {
  const routes = noRoutes(inFlight);
  routes.add('.', new Chain(ask, [], { limits }));
  return routes;
}

/** A responder in which a fault of a handler, and a query that takes too long, are faults of the test. */
export const strictResponder = (
  clock: Clock,
  panicked = (error: unknown): void => {
    throw error;
  },
): Responder =>
  new Responder(clock, {
    panicked,
    overdue: (query) => {
      throw new Error(`${query.name} was not answered in time`);
    },
  });
