import { setTimeout as sleep } from 'node:timers/promises';
import { kernelPrograms, kernelStatusText } from '../kernel/kernel-status.js';
import { Bpf } from '../kernel/bpf.js';
import { BpfError } from '../kernel/bpf-error.js';
import { parseDuration } from '../lib/duration.js';
import type { Command } from './command.js';
import { say } from './say.js';
import { callOf, misused } from './tool.js';
import { KERNEL } from './tools.js';

/** `nodens kernel status`: what the programs of this host's servers answered, and how long that took them. */
export const kernelCommand: Command = async (args) => {
  const call = callOf(KERNEL, args);
  if (typeof call === 'number') return call;
  const { values, rest } = call;
  if (rest.length !== 1 || rest[0] !== 'status') return misused(KERNEL, `got '${rest.join(' ')}', allowed: status`);
  const watch = parseDuration(values.watch!);
  if (watch === undefined || watch < 0) return misused(KERNEL, `-watch: got '${values.watch}', allowed: a time as 2s`);
  if (values.o !== 'text' && values.o !== 'json') return misused(KERNEL, `-o: got '${values.o}', allowed: text, json`);
  try {
    const bpf = new Bpf();
    const programs = await kernelPrograms(watch, sleep, { bpf });
    const text = kernelStatusText(programs, (number) => bpf.deviceName(number));
    return say(values.o === 'json' ? `${JSON.stringify(programs, undefined, 2)}\n` : text);
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    process.stderr.write(`nodens kernel: ${error.message}: the rights CAP_BPF and CAP_SYS_ADMIN are needed\n`);
    return 1;
  }
};
