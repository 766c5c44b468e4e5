import type { ShellBuiltin } from './builtin.js';
import { LineError } from './parse.js';
import type { Job, Jobs } from './jobs.js';

function jobMeant(program: string, word: string | undefined, jobs: Jobs): Job {
  const job = jobs.find(word);
  if (!job)
    throw new LineError(
      word === undefined
        ? `${program}: no background job; put & at the end of a line to start one`
        : `${program}: ${word}: no such job; jobs lists what there is`,
    );
  return job;
}

/** Ends a job and waits for it, or brings it to the front where somebody can interrupt it. */
const fg: ShellBuiltin = async ([word], { jobs }, io) => {
  const job = jobMeant('fg', word, jobs);
  jobs.remove(job);
  if (io.interactive !== true || !io.endless) {
    job.stop.abort();
    const code = await job.done;
    io.write(job.take());
    return code;
  }
  io.write(`${job.line}\n`);
  job.follow((text) => io.write(text));
  io.signal.addEventListener('abort', () => job.stop.abort());
  return job.done;
};

const list: ShellBuiltin = (args, { jobs }, io) => {
  const all = jobs.all();
  for (const [i, job] of all.entries()) {
    const mark = i === all.length - 1 ? '+' : i === all.length - 2 ? '-' : ' ';
    const code = job.code();
    const state = code === undefined ? 'Running' : code === 0 ? 'Done' : `Exit ${code}`;
    const pid = args.includes('-l') ? ` ${job.pid}` : '';
    io.write(`[${job.id}]${mark}${pid}  ${state.padEnd(24)}${job.line}${code === undefined ? ' &' : ''}\n`);
  }
  for (const job of [...all]) if (job.code() !== undefined && io.interactive === true) jobs.remove(job);
  return 0;
};

/** `kill`: ends jobs by their number (`%1`) or process id. */
const kill: ShellBuiltin = async (args, { jobs }, io) => {
  const words = args.filter((arg, i) => !/^-/.test(arg) && args[i - 1] !== '-s');
  if (words.length === 0)
    throw new LineError('kill: got no job, allowed: kill [-SIGNAL] %JOB or PID; jobs -l lists them');
  let code = 0;
  for (const word of words) {
    const job = jobs.find(word);
    if (!job) {
      io.error(`bash: kill: (${word}) - No such process\n`);
      code = 1;
      continue;
    }
    job.stop.abort();
    await job.done;
    jobs.remove(job);
    if (io.interactive === true && io.endless) io.error(`[${job.id}]+  Killed                  ${job.line}\n`);
  }
  return code;
};

const pkill: ShellBuiltin = async (args, { jobs }) => {
  const pattern = args.filter((arg) => !arg.startsWith('-'))[0] ?? '';
  const found = jobs.all().filter(({ line }) => line.includes(pattern));
  for (const job of found) {
    job.stop.abort();
    await job.done;
    jobs.remove(job);
  }
  return Number(found.length === 0);
};

const wait: ShellBuiltin = async ([word], { jobs }, io) => {
  const waited = word === undefined ? [...jobs.all()] : [jobMeant('wait', word, jobs)];
  // Listened for once, not for each job: an interruption may come between two of them.
  const interrupted = new Promise<number>((resolve) => io.signal.addEventListener('abort', () => resolve(130)));
  let code = 0;
  for (const job of waited) {
    code = await Promise.race([job.done, interrupted]);
    if (job.code() === undefined) return code;
    io.write(job.take());
    jobs.remove(job);
  }
  return code;
};

/** The commands of the shell that are about jobs. */
export const JOB_BUILTINS: Readonly<Record<string, ShellBuiltin>> = {
  fg,
  bg: ([word], { jobs }, io) => {
    const job = jobMeant('bg', word, jobs);
    io.write(`[${job.id}]+ ${job.line} &\n`);
    return 0;
  },
  jobs: list,
  kill,
  killall: pkill,
  pkill,
  wait,
  disown: () => 0,
};
