import { closeSync, openSync, writeSync } from 'node:fs';

/** A file that takes the secrets of connections, a line for each: who has it can read what was said. */
export class KeyLog {
  private readonly file: number;
  private open = true;

  /** Opens a file for this user alone, and keeps what is in it. Throws a NodeJS.ErrnoException. */
  constructor(path: string) {
    this.file = openSync(path, 'a', 0o600);
  }

  /** A fault of the disk is nothing that a client could do something about. */
  write(line: Buffer): void {
    if (!this.open) return;
    try {
      writeSync(this.file, line);
    } catch {
      this.close();
    }
  }

  close(): void {
    if (this.open) closeSync(this.file);
    this.open = false;
  }
}
