import { expect, it } from 'vitest';
import { silentLog } from '../../src/lib/log.js';
import { Server } from '../../src/server/server.js';

it('a reload that fails is counted when it fails, whoever asked for it', async () => {
  let text = '.:0 {\n    bind 127.0.0.1\n    whoami\n}\n';
  const server = await Server.create({ corefile: { name: 'Corefile', read: () => text }, log: silentLog() });
  const failed = async (): Promise<string | undefined> =>
    /^coredns_reload_failed_total (\d+)$/m.exec(await server.runtime.metrics.text())?.[1];
  expect([await server.reload(), await failed()]).toEqual([true, undefined]);
  text = '.:0 {\n    no-such-plugin\n}\n';
  expect([await server.reload(), await failed()]).toEqual([false, '1']);
  expect([await server.reload(), await failed()]).toEqual([false, '2']);
  await server.stop();
});
