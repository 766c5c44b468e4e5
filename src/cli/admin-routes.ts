import { jsonAnswer, type AdminRoute } from '../insight/admin/admin-endpoint.js';
import { VERSION } from '../lib/package-folder.js';
import type { Server } from '../server/server.js';

/** All that a running server tells about itself, by path. */
export const adminRoutes = (server: Server): readonly AdminRoute[] => [
  {
    path: '/',
    answer: () => jsonAnswer({ version: VERSION, pid: process.pid, serves: server.served.map(({ label }) => label) }),
  },
];
