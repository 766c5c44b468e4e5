import { jsonAnswer, type AdminRoute } from '../insight/admin/admin-endpoint.js';
import { explainRoute } from '../insight/explain/route.js';
import { VERSION } from '../lib/package-folder.js';
import { queriesRoute } from '../insight/top/queries-route.js';
import { realClock } from '../lib/clock.js';
import { topRoute } from '../insight/top/top-route.js';
import type { FlightRecorder } from '../record/flight-recorder.js';
import type { TopRecorder } from '../top/recorder.js';
import type { Server } from '../server/server.js';

/** All that a running server tells about itself, by path. */
export const adminRoutes = (
  server: Server,
  top: TopRecorder,
  recorder: FlightRecorder | undefined,
): readonly AdminRoute[] => [
  {
    path: '/',
    answer: () => jsonAnswer({ version: VERSION, pid: process.pid, serves: server.served.map(({ label }) => label) }),
  },
  topRoute(server, top),
  queriesRoute(top, realClock),
  explainRoute(server),
  ...(recorder === undefined ? [] : [{ path: '/record', answer: () => jsonAnswer(recorder.recording('asked for')) }]),
];
