import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ManualClock } from '../../src/lib/clock.js';
import { Lab } from '../../src/lab/lab.js';
import { LAB_FOLDER, loadTopology } from '../../src/lab/topology/load.js';
import { DRIVEN_START, drive } from '../../src/lab/session/driven-clock.js';
import { COMMANDS } from '../../src/lab/commands/index.js';
import { Session } from '../../src/lab/session/session.js';
import { parseTopology } from '../../src/lab/topology/parse.js';
import type { Topology } from '../../src/lab/topology/topology.js';

/** A lab whose clock stands still until a command waits. */
export interface Driven {
  readonly lab: Lab;
  readonly session: Session;
  /** Runs a line; gives what it wrote and its exit code. */
  run(line: string): Promise<{ readonly text: string; readonly code: number }>;
  drive<T>(work: Promise<T>): Promise<T>;
  /** A session of its own, which knows nothing of what others have set. */
  fresh(): Session;
  end(): Promise<void>;
}

/** A topology that comes along, with some of its text replaced. */
export function topologyWith(name: string, changes: readonly (readonly [string, string])[]): Topology {
  const file = `lab/${name}.yaml`;
  const text = changes.reduce(
    (before, [from, to]) => {
      if (!before.includes(from)) throw new Error(`${file} has no "${from}"`);
      return before.replaceAll(from, to);
    },
    readFileSync(path.join(LAB_FOLDER, `${name}.yaml`), 'utf8'),
  );
  return parseTopology(file, text, (wanted) =>
    readFileSync(path.join(LAB_FOLDER, path.relative('lab', wanted)), 'utf8'),
  );
}

/** A cluster, the one of two nodes by default; files are read from the folder of the scripts, or from `files`. */
export async function drivenLab(
  files: Readonly<Record<string, string>> = {},
  topology = loadTopology('two-nodes'),
): Promise<Driven> {
  const clock = new ManualClock(DRIVEN_START);
  const lab = await drive(clock, Lab.create(topology, { clock }));
  const fresh = (): Session =>
    new Session(
      lab,
      {
        read: (file) => files[file] ?? readFileSync(path.resolve(LAB_FOLDER, 'scripts', file), 'utf8'),
      },
      COMMANDS,
    );
  const session = fresh();
  return {
    lab,
    session,
    run: async (line) => {
      let text = '';
      const code = await drive(clock, session.run(line, { write: (part) => (text += part), interactive: true }));
      return { text, code };
    },
    drive: (work) => drive(clock, work),
    fresh,
    end: () =>
      drive(
        clock,
        session.close().then(() => lab.stop()),
      ),
  };
}
