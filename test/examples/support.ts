import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin, ResponsePacket } from '../../src/index.js';
import { nodeImport } from '../../src/plugin-api/node-import.js';
import { testServer, type TestServer } from '../../src/testing.js';

export const EXAMPLES = path.resolve(import.meta.dirname, '../../examples/plugins');

/** A plugin of examples/plugins, as Node runs it. */
export async function example(name: string): Promise<Plugin> {
  const file = pathToFileURL(path.join(EXAMPLES, `${name}.js`)).href;
  return ((await nodeImport(file)) as { default: Plugin }).default;
}

/** What answers where the example asks further on: NXDOMAIN with the extended error 0. */
const rest: Plugin = {
  name: 'rest',
  api: 1,
  at: { after: 'cache' },
  dependsOn: 'question',
  setup: () => () => ({ rcode: 'REFUSED', flag_aa: false, validFor: 60 }),
};

/** A server with the example, whose block has `inside`. */
export const serve = (plugin: Plugin, inside: string, env: Record<string, string> = {}): Promise<TestServer> =>
  testServer({ corefile: `. {\n${inside}\nrest\n}\n`, plugins: [plugin, rest], env });

/** rcode and data of the answers. */
export const said = (reply: ResponsePacket | undefined): string =>
  reply === undefined
    ? 'silence'
    : [reply.rcode, ...reply.answers.map(({ data }) => (typeof data === 'string' ? data : JSON.stringify(data)))].join(
        ' ',
      );

/** An HTTP server at a loopback port, or at a socket file, that answers each path with text, a status or what a function does. */
export async function web(
  pages: Record<string, string | number | http.RequestListener>,
  file?: string,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = http.createServer((request, response) => {
    const page = pages[request.url!.replace(/\?.*/, '')] ?? 404;
    if (typeof page === 'function') return page(request, response);
    response.writeHead(typeof page === 'number' ? page : 200).end(typeof page === 'number' ? '' : page);
  });
  await new Promise<void>((resolve) =>
    file === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(file, resolve),
  );
  return {
    url: file === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${file}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
