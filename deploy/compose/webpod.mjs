// A pod of the service webpod: says which one it is, who asked, and what.
import { createServer } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';

const own = Object.values(networkInterfaces()).flat();
createServer(({ method, url, httpVersion, rawHeaders, socket }, response) => {
  const headers = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
  const lines = [
    `Hostname: ${hostname()}`,
    ...own.map(({ address }) => `IP: ${address}`),
    `RemoteAddr: ${socket.remoteAddress}:${socket.remotePort}`,
    `${method} ${url} HTTP/${httpVersion}`,
    ...headers,
  ];
  response.end(`${lines.join('\n')}\n`);
}).listen(80, '0.0.0.0');
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));
