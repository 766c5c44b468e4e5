import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { liveText } from '../../../src/insight/explain/live.js';
import { REASON_CODES } from '../../../src/insight/explain/reasons.js';
import { explainAt } from '../../../src/insight/explain/route.js';
import { Server } from '../../../src/server/server.js';
import { Type } from '../../../src/wire/index.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/EXPLAIN.md'), 'utf8');
const fence = (kind: string): string => new RegExp(`\`\`\`${kind}\n([^]*?)\`\`\``).exec(page)![1]!;

/** What differs from run to run. */
const steady = (text: string): string =>
  text
    .replace(/127\.0\.0\.1:\d+|192\.0\.2\.53:53/g, 'UPSTREAM')
    .replace(/nothing (comes back|listens there) over TCP either/g, 'nothing OVER TCP')
    .replace(/\d+(\.\d)? m?s/g, 'TIME')
    .replace(/, asked \d+ times/g, ', asked N times')
    .replace(/try: .*/, 'try: ADVICE');

it('the example of docs/EXPLAIN.md prints what the page shows', async () => {
  const silent = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const upstream = `127.0.0.1:${silent.address().port}`;
  const server = await Server.create({ corefile: fence('corefile').replace('192.0.2.53', upstream) });
  const request = { name: 'www.example.org.', type: Type.A, client: '127.0.0.1', transport: 'udp' } as const;
  const text = liveText(await explainAt(server, request));
  const [command, ...shown] = fence('console').split('\n');
  expect(command).toBe('$ nodens explain www.example.org');
  expect(steady(text)).toBe(steady(shown.join('\n')));
  await server.stop();
  silent.close();
});

it('docs/EXPLAIN.md lists the reasons', () => {
  const listed = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);
  expect([...listed].sort()).toEqual([...REASON_CODES].sort());
});
