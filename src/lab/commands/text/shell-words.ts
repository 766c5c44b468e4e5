import { sleep } from '../../../lib/clock.js';
import type { LabCommand } from '../../session/command.js';
import { escaped } from '../../shell/printf.js';
import { whole } from './input.js';

const LONGEST = 86_400;

export const echo: LabCommand = {
  name: 'echo',
  usage: '[-n] [-e] [WORD...]',
  help: 'Prints its words; with -e backslashes are read.',
  run(args, io) {
    let at = 0;
    while (/^-[neE]+$/.test(args[at] ?? '')) at++;
    const flags = args.slice(0, at).join('');
    const text = args.slice(at).join(' ');
    io.write(`${flags.includes('e') ? escaped(text) : text}${flags.includes('n') ? '' : '\n'}`);
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
