// `npm run weather [-- --short] [-- NAME...]` or `[-- --soak MINUTES]`: plays hostile weather at a server in a network of
// its own and prints figures; fails where one is beyond its limit, those of times in the short form aside. `--beside` plays
// what may have something else beside it, `--alone` the rest.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { isInstalled } from '../support/debian-server.js';
import { clients } from './clients.js';
import { files } from './files.js';
import { fuzz } from './fuzz.js';
import { loop } from './loop.js';
import { loss } from './loss.js';
import { memory } from './memory.js';
import { names } from './names.js';
import { restart } from './restart.js';
import { rolling } from './rolling.js';
import { silent } from './silent.js';
import { soak } from './soak.js';
import { spoof } from './spoof.js';
import { holds, type Figure, type Weather } from './row.js';

const ROWS: readonly Weather[] = [fuzz, clients, spoof, silent, loss, restart, rolling, names, files, memory, loop];
/** Set in the process that is in the network of its own. */
const INSIDE = 'NODENS_WEATHER';

const { values, positionals } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    beside: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
    soak: { type: 'string' },
  },
  allowPositionals: true,
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function textOf(figure: Figure): string {
  const { what, got, unit, atMost, atLeast } = figure;
  const limit = atMost !== undefined ? ` (at most ${atMost})` : atLeast !== undefined ? ` (at least ${atLeast})` : '';
  const value = Number.isInteger(got) ? `${got}` : got.toFixed(1);
  return `${holds(figure) ? '  ' : '! '}${what}: ${value}${unit && ` ${unit}`}${limit}`;
}

async function play(): Promise<boolean> {
  const unknown = positionals.filter((name) => !ROWS.some((row) => row.name === name));
  if (unknown.length > 0) throw new Error(`got ${unknown.join(', ')}, allowed: ${ROWS.map(({ name }) => name).join()}`);
  let good = true;
  if (values.soak !== undefined) {
    const minutes = Number(values.soak);
    if (!(minutes > 0)) throw new Error(`--soak: got ${values.soak}, allowed: minutes above 0`);
    for (const figure of await soak(minutes, say)) {
      say(textOf(figure));
      good &&= holds(figure);
    }
    return good;
  }
  const wanted = ({ name, tested, alone = false }: Weather): boolean => {
    if (positionals.length > 0) return positionals.includes(name);
    if (values.short && tested === true) return false;
    return values.beside === values.alone || values.alone === alone;
  };
  for (const row of ROWS.filter(wanted)) {
    const missing = row.needs.filter((program) => !isInstalled(program));
    say(missing.length > 0 ? `${row.name}: skipped, not installed: ${missing.join(', ')}` : row.name);
    if (missing.length > 0) continue;
    for (const figure of await row.play(values.short ? 'short' : 'full')) {
      say(textOf(figure));
      // A machine that builds and tests beside it is no place to measure times.
      good &&= holds(figure) || (values.short && figure.timed === true);
    }
  }
  return good;
}

if (process.env[INSIDE] !== undefined) process.exit((await play()) ? 0 : 1);
else if (spawnSync('unshare', ['-n', 'true']).status !== 0) say('skipped: it needs root, for a network of its own');
else {
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', ['-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...command], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: 'yes' },
  });
  process.exit(status ?? 1);
}
