import { sleep } from '../../../lib/clock.js';
import type { LabCommand } from '../../session/command.js';
import { whole } from './input.js';

const LONGEST = 86_400;

export const echo: LabCommand = {
  name: 'echo',
  usage: '[-n] [WORD...]',
  help: 'Prints its words.',
  run(args, io) {
    const bare = args[0] === '-n';
    io.write(`${args.slice(bare ? 1 : 0).join(' ')}${bare ? '' : '\n'}`);
    return 0;
  },
};

export const wait: LabCommand = {
  name: 'sleep',
  usage: 'SECONDS',
  help: 'Waits. In a script the clock of the lab is advanced instead.',
  async run(args, io) {
    const text = args[0] ?? '';
    const [, seconds = text, fraction = ''] = /^(\d+)(\.\d+)?s?$/.exec(text) ?? [];
    const time = (whole('sleep', seconds, 0, LONGEST) + Number(`0${fraction}`)) * 1000;
    await sleep(io.lab.clock, time, io.signal).catch(() => undefined);
    return 0;
  },
};
