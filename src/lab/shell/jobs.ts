/** A line that runs beside others. */
export interface Job {
  readonly id: number;
  readonly pid: number;
  readonly line: string;
  /** Gives what it has written and not given yet. */
  take(): string;
  /** From now on what it writes goes there at once. */
  follow(write: (text: string) => void): void;
  readonly stop: AbortController;
  readonly done: Promise<number>;
  /** undefined while it runs. */
  readonly code: () => number | undefined;
}

/** The jobs of a session. */
export class Jobs {
  private readonly list: Job[] = [];
  private last = 0;

  /** Begins a job. */
  begin(line: string, pid: number, run: (write: (text: string) => void, signal: AbortSignal) => Promise<number>): Job {
    const stop = new AbortController();
    let text = '';
    let write = (part: string): void => void (text += part);
    let code: number | undefined;
    const done = run((part) => write(part), stop.signal).then((result) => (code = result));
    const job: Job = {
      id: this.list.length === 0 ? 1 : this.list.at(-1)!.id + 1,
      pid,
      line,
      stop,
      done,
      code: () => code,
      take: () => {
        const taken = text;
        text = '';
        return taken;
      },
      follow: (to) => {
        to(job.take());
        write = to;
      },
    };
    this.list.push(job);
    this.last = pid;
    return job;
  }

  /** The job that a word means: `%1`, `1`, a process id, or the newest where nothing is said. */
  find(word: string | undefined): Job | undefined {
    if (word === undefined || word === '%%' || word === '%+') return this.list.at(-1);
    const number = Number(word.replace(/^%/, ''));
    return this.list.find(({ id, pid }) => (word.startsWith('%') ? id === number : pid === number || id === number));
  }

  all(): readonly Job[] {
    return this.list;
  }

  remove(job: Job): void {
    const at = this.list.indexOf(job);
    if (at >= 0) this.list.splice(at, 1);
  }

  /** `$!` */
  get newestPid(): number {
    return this.last;
  }

  /** Ends all jobs. */
  async close(): Promise<void> {
    const jobs = this.list.splice(0);
    for (const job of jobs) job.stop.abort();
    await Promise.all(jobs.map((job) => job.done));
  }
}
