import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Core that the measured server has to itself, and the one of load and upstream. */
export const SERVER_CORE = '0';
export const LOAD_CORE = '1';
/** The first cores, which server and load share. */
export const firstCores = (count: number): string => `0-${count - 1}`;

/** Clock ticks of /proc/PID/stat per second; 100 on every Linux that runs Node. */
const TICKS = 100;

export const installed = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** Programs that run: whatever ends this process ends them, a fault that nothing caught and a signal too. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill()));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** Starts a program on one core; its output is kept for the message if it dies early. */
export function startPinned(
  core: string,
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): ChildProcess & { output: () => string } {
  const child = spawn('taskset', ['-c', core, command, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let text = '';
  const keep = (chunk: Buffer): void => void (text = (text + chunk.toString()).slice(-4000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return Object.assign(child, { output: () => text });
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
  await gone;
  clearTimeout(timer);
}

/**
 * CPU time so far of a process and of those that it started and that still run, user and system, all threads, in
 * microseconds.
 */
export function cpuTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  const own = ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1e6;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + cpuTime(Number(child)), own);
}

/** Resident memory of a process, in MB (10^6 octets). */
export function residentMemory(pid: number): number {
  return (Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024) / 1e6;
}
