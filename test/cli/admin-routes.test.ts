import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminRoutes } from '../../src/cli/admin-routes.js';
import { ManualClock } from '../../src/lib/clock.js';
import { FlightRecorder } from '../../src/record/flight-recorder.js';
import { Server } from '../../src/server/server.js';
import { TopRecorder } from '../../src/top/recorder.js';

describe('what a running server tells about itself', () => {
  const clock = new ManualClock();
  const top = new TopRecorder(clock, [1, 2]);
  let server: Server;
  beforeAll(async () => {
    server = await Server.create({ corefile: '. {\n whoami\n}\n' });
  });
  afterAll(async () => {
    top.stop();
    await server.stop();
  });

  it.each([
    { name: 'without a record', recorder: undefined, more: [] },
    { name: 'with one', recorder: new FlightRecorder({ size: 1 << 16, slow: 500 }, clock), more: ['/record'] },
  ])('has its paths, $name', ({ recorder, more }) =>
    expect(adminRoutes(server, top, recorder).map(({ path }) => path)).toEqual([
      '/',
      '/top',
      '/queries',
      '/explain',
      ...more,
    ]),
  );
});
