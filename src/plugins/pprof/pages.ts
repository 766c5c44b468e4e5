import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { HttpAnswer, HttpRequest } from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { heapText, resourcesText, type LoopDelay } from './figures.js';
import type { Instruments } from './instruments.js';

const compress = promisify(gzip);

export const ROOT = '/debug/pprof';
const DEFAULT_CPU_SECONDS = 30;
const DEFAULT_HEAP_SECONDS = 10;
const MAX_SECONDS = 300;

const text = (body: string): HttpAnswer => ({ body });

/** An answer to a request for one of the paths below `/debug/pprof`. */
export type Page = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  profile: `where the CPU's time goes; ?seconds=N, ${DEFAULT_CPU_SECONDS} by default`,
  heap: `what is allocated and in use; ?seconds=N, ${DEFAULT_HEAP_SECONDS} by default; ?debug=1 for V8's figures`,
  block: 'by how much the event loop was late, with the option block',
  goroutine: 'what the event loop waits for',
  cmdline: 'the command line',
  symbol: 'says that profiles hold their symbols',
};

/** The pages by path. Instruments are loaded when they are first asked for. */
export function pages(clock: Clock, delay: LoopDelay | undefined): ReadonlyMap<string, Page> {
  let loaded: Promise<Instruments> | undefined;
  const instruments = (): Promise<Instruments> =>
    (loaded ??= import('./instruments.js').then((module) => new module.Instruments(clock)));
  const index = Object.entries(DESCRIPTIONS).map(([name, what]) => `${name.padEnd(10)} ${what}\n`);
  return new Map<string, Page>([
    ['', () => ({ status: 302, body: '', headers: { location: `${ROOT}/` } })],
    ['/', () => text(`${ROOT}/\n\n${index.join('')}`)],
    [
      '/profile',
      (request) => profile(request, DEFAULT_CPU_SECONDS, async (...how) => (await instruments()).cpu(...how)),
    ],
    [
      '/heap',
      (request) =>
        request.query.get('debug') === '1'
          ? text(heapText())
          : profile(request, DEFAULT_HEAP_SECONDS, async (...how) => (await instruments()).heap(...how)),
    ],
    ['/block', () => text(delay === undefined ? 'switched off: see the option block\n' : delay.text())],
    ['/goroutine', () => text(resourcesText())],
    ['/cmdline', () => text(process.argv.join('\0'))],
    ['/symbol', () => text('num_symbols: 1\n')],
  ]);
}

async function profile(
  { query, signal }: HttpRequest,
  usual: number,
  make: (duration: Milliseconds, signal: AbortSignal) => Promise<Uint8Array | undefined>,
): Promise<HttpAnswer> {
  const given = query.get('seconds') ?? String(usual);
  const seconds = /^\d+$/.test(given) ? Number(given) : 0;
  if (seconds < 1 || seconds > MAX_SECONDS)
    return { status: 400, body: `seconds: got '${given}', allowed: a whole number from 1 to ${MAX_SECONDS}\n` };
  const made = await make(seconds * 1000, signal);
  if (made === undefined) return { status: 409, body: 'another profile is being made, one at a time is possible\n' };
  return {
    headers: { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment; filename="profile"' },
    body: await compress(made),
  };
}
