import { expect, it } from 'vitest';
import { silentLog } from '../../src/lib/log.js';
import { Server } from '../../src/server/server.js';

/** Directives of the plugins that node-local-dns (kubernetes-sigs) compiles in, cmd/node-cache/main.go of June 2026. */
const DIRECTIVES = [
  ...['bind 127.0.0.1', 'bufsize 1232', 'cache 30', 'debug', 'dns64', 'errors', 'forward . 127.0.0.1:1'],
  ...['health 127.0.0.1:0', 'hosts', 'loadbalance', 'log', 'loop', 'prometheus 127.0.0.1:0', 'pprof 127.0.0.1:0'],
  ...['reload', 'rewrite name a.test b.test', 'template IN ANY c.test', 'timeouts {\n read 1s\n }', 'whoami'],
  'trace zipkin 127.0.0.1:1',
];

it('every plugin that node-local-dns has starts here', async () => {
  const corefile = `.:0 {\n    ${DIRECTIVES.join('\n    ')}\n}\n`;
  const server = await Server.create({ corefile, log: silentLog() });
  await server.listen();
  expect(server.banner()).toHaveLength(1);
  await server.stop();
});
