import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Logger } from '../lib/log.js';
import type { FlightRecorder } from '../record/flight-recorder.js';

/** Has a process write what its recorder keeps when it is told to, and when something in it breaks. */
export function writeOnOccasion(recorder: FlightRecorder, file: string, log: Logger): void {
  const write = (occasion: string): boolean => {
    if (recorder.count === 0) return false;
    try {
      writeRecording(file, JSON.stringify(recorder.recording(occasion)));
      return true;
    } catch (error) {
      log.error(`-record: ${(error as Error).message}`);
      return false;
    }
  };
  // Ignored where nobody minds it: it ends no process that it is sent to by mistake.
  process.on('SIGURG', () => {
    const done = write('SIGURG');
    log.info(`SIGURG: ${done ? `${recorder.count} queries written to ${file}` : 'there is no query to write'}`);
  });
  process.on('uncaughtException', (error) => void write(`uncaught: ${error.message}`));
  process.on('unhandledRejection', (reason) => void write(`unhandled rejection: ${String(reason)}`));
  process.on('exit', (code) => {
    if (code !== 0) write(`the process ends with code ${code}`);
  });
}

/** Puts a file in place as a whole; it names clients, so nobody else is to read it. */
export function writeRecording(file: string, text: string): void {
  const fresh = `${file}.${process.pid}`;
  // Whatever stands there, a link to another file perhaps, is not written to.
  rmSync(fresh, { force: true });
  writeFileSync(fresh, `${text}\n`, { flag: 'wx', mode: 0o600 });
  renameSync(fresh, file);
}
