import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { dir, write } from './peer.js';
import { NODENS } from './peers.js';
import { inTurns, type Contestant } from './turns.js';
import { aligned } from './report.js';

/** CPU time of a cache hit with a log into a file, and what the file then held. */
export interface LoggedCost {
  readonly log: string;
  readonly cost: number;
  /** As a multiple of that without a log. */
  readonly ratio: number;
  readonly answered: number;
  readonly lines: number;
}

const LOGS = ['', 'log', 'log . {\n class error\n }', 'log . {\n class denial\n }'];
const NAMES = 1000;
/** A line of the log about a query of dnsperf, without what differs from one to the next. */
const LINE =
  /^\[INFO\] 127\.0\.0\.1:\d+ - \d+ "A IN n\d{1,4}\.bench\.example\.org\. udp \d\d false 512" NOERROR qr(,aa)?,rd \d{2,3} [\d.]+s$/;

const END = '[INFO] SIGTERM: Shutting down servers then terminating';

/** What a hit costs with a log, in turns with one without. Rejects where a line is wrong, missing or one too many. */
export async function measureLogged(
  only: RegExp,
  seconds: number,
  upstream: () => Promise<number>,
  nextPort: () => number,
): Promise<LoggedCost[]> {
  if (!only.test('log: cache hit')) return [];
  const to = await upstream();
  const file = (port: number): string => path.join(dir, `log-${port}`);
  const questions = Array.from({ length: NAMES }, (_, i) => `n${i + 1}.bench.example.org A`);
  const contestants = LOGS.map((log): Contestant => {
    const port = nextPort();
    const corefile = `.:${port} {\n bind 127.0.0.1\n ${log}\n cache 3600\n forward . 127.0.0.1:${to}\n}\n`;
    const conf = write(`logged-${port}`, corefile);
    const words = ['-c', `exec "$0" "$@" >${file(port)}`, NODENS, '-quiet', '-conf', conf];
    return { name: log, port, command: { command: 'sh', args: words }, questions, warmUp: 2 };
  });
  const results = await inTurns(contestants, seconds);
  const costs: LoggedCost[] = [];
  for (const [i, { name, cost, ratio, sent, answered }] of results.entries()) {
    const lines = await rightLines(name, file(contestants[i]!.port));
    // A start may have been asked more than once before it answered.
    if (name === 'log' && (lines < answered || lines > sent + 10))
      throw new Error(`${name}: ${lines} lines for ${answered} answers to ${sent} queries`);
    costs.push({ log: name.replaceAll(/\s+/g, ' ') || 'none', cost, ratio, answered, lines });
  }
  return costs;
}

/** How many lines a log has. It may be longer than a string can be. Rejects at the first that is wrong. */
async function rightLines(name: string, log: string): Promise<number> {
  let lines = 0;
  for await (const line of createInterface({ input: createReadStream(log, 'latin1') })) {
    if (line === END) continue;
    if (!LINE.test(line)) throw new Error(`${name}: wrong line: ${line}`);
    lines++;
  }
  return lines;
}

export const loggedTable = (costs: readonly LoggedCost[]): string =>
  aligned([
    ['cache hit, 1,000 names', '', 'us', 'times', 'answered', 'lines'],
    ...costs.map(({ log, cost, ratio, answered, lines }) => [
      log,
      '',
      cost.toFixed(2),
      ratio.toFixed(2),
      String(answered),
      String(lines),
    ]),
  ]).join('\n');
