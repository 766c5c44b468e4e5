import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ManualClock } from '../../src/lib/clock.js';
import { Lab } from '../../src/lab/lab.js';
import { LAB_FOLDER, loadTopology } from '../../src/lab/load.js';
import { DRIVEN_START, drive } from '../../src/lab/session/driven-clock.js';
import { Session } from '../../src/lab/session/session.js';

/** A lab whose clock stands still until a command waits. */
export interface Driven {
  readonly lab: Lab;
  readonly session: Session;
  /** Runs a line; gives what it wrote and its exit code. */
  run(line: string): Promise<{ readonly text: string; readonly code: number }>;
  drive<T>(work: Promise<T>): Promise<T>;
  end(): Promise<void>;
}

/** The two-node cluster; files are read from the folder of the scripts, or from `files`. */
export async function drivenLab(files: Readonly<Record<string, string>> = {}): Promise<Driven> {
  const clock = new ManualClock(DRIVEN_START);
  const lab = await drive(clock, Lab.create(loadTopology('two-nodes'), { clock }));
  const session = new Session(lab, { read: (file) => files[file] ?? readFileSync(path.resolve(LAB_FOLDER, 'scripts', file), 'utf8') });
  return {
    lab, session,
    run: async (line) => {
      let text = '';
      const code = await drive(clock, session.run(line, { write: (part) => (text += part) }));
      return { text, code };
    },
    drive: (work) => drive(clock, work),
    end: () => drive(clock, session.close().then(() => lab.stop())),
  };
}
