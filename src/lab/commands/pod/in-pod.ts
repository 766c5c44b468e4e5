import { SocketError } from '../../../datapath/errors.js';
import { sleep } from '../../../lib/clock.js';
import { runBusyboxNslookup, runDig, runGetent, runHost, runNslookup } from '../../../resolver/index.js';
import type { ToolEnv, ToolRun } from '../../../resolver/index.js';
import { CommandError } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { curl, nc, wget } from './curl.js';
import type { Milliseconds } from '../../../lib/units.js';
import { whole } from '../text/input.js';
import { addressOf, warnUnreachable, toolEnv } from '../target/exec-context.js';
import type { PodCommand } from '../target/exec-context.js';

const PING_TIMEOUT = 1000;

const tool =
  (run: (args: readonly string[], env: ToolEnv) => Promise<ToolRun>): PodCommand =>
  async (args, spot, io) => {
    const { text, exitCode } = await run(args, toolEnv(spot, io));
    io.write(text);
    return exitCode;
  };

const cat: PodCommand = async (args, spot, io) => {
  let code = 0;
  for (const file of args) {
    const text = spot.read(file);
    io.write(text ?? `cat: ${file}: No such file or directory\n`);
    if (text === undefined) code = 1;
  }
  return code;
};

const ping: PodCommand = async (args, spot, io) => {
  const options = parseOptions('ping', args, [
    { name: '-c', value: true },
    { name: '-W', value: true },
    { name: '-s', value: true },
  ]);
  const [host] = options.words;
  if (host === undefined)
    throw new CommandError('ping: got no host, allowed: ping [-c COUNT] [-W SECONDS] [-s BYTES] HOST');
  // Until it is interrupted, where it can be.
  const count = !options.has('-c') && io.endless ? Infinity : whole('ping: -c', options.get('-c') ?? '4', 1, 1000);
  const wait = whole('ping: -W', options.get('-W') ?? '1', 1, 60) * PING_TIMEOUT;
  const size = whole('ping: -s', options.get('-s') ?? '56', 0, 65_507);
  const address = await addressOf(host, spot, io);
  if (address === undefined) {
    io.error(`ping: ${host}: Name or service not known\n`);
    return 2;
  }
  warnUnreachable(address, io);
  io.write(`PING ${host} (${address}) ${size}(${size + 28}) bytes of data.\n`);
  const { clock, random } = io.lab;
  const id = random.uint32() & 0xffff;
  const times: Milliseconds[] = [];
  const started = clock.monotonic();
  let transmitted = 0;
  for (let seq = 1; seq <= count && !io.signal.aborted; seq++) {
    const sent = clock.monotonic();
    transmitted++;
    let answered: string | undefined;
    try {
      spot.process.ping(address, {
        id,
        seq,
        size,
        onReply: (reply) => {
          if (!reply.icmp || !('seq' in reply.icmp) || reply.icmp.seq !== seq || answered !== undefined) return;
          const time = clock.monotonic() - sent;
          times.push(time);
          answered = `${size + 8} bytes from ${address}: icmp_seq=${seq} ttl=${reply.ttl} time=${time.toFixed(3)} ms\n`;
        },
      });
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      io.error(`ping: ${error.message}\n`);
    }
    if (answered === undefined) await sleep(clock, wait, io.signal).catch(() => undefined);
    if (answered !== undefined) io.write(answered);
    // What was on its way when the command was interrupted is not lost.
    else if (io.signal.aborted) transmitted--;
    if (seq < count) await sleep(clock, answered === undefined ? 0 : PING_TIMEOUT, io.signal).catch(() => undefined);
  }
  const received = times.length;
  const lost = transmitted === 0 ? 0 : Math.round((100 * (transmitted - received)) / transmitted);
  io.write(
    `\n--- ${host} ping statistics ---\n${transmitted} packets transmitted, ${received} received, ` +
      `${lost}% packet loss, time ${Math.round(clock.monotonic() - started)}ms\n${roundTrips(times)}`,
  );
  return received > 0 ? 0 : 1;
};

/** The last line of ping, as Linux prints it. */
export function roundTrips(times: readonly Milliseconds[]): string {
  if (times.length === 0) return '';
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const spread = Math.sqrt(times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length);
  const shown = [Math.min(...times), mean, Math.max(...times), spread].map((time) => time.toFixed(3));
  return `rtt min/avg/max/mdev = ${shown.join('/')} ms\n`;
}

const env: PodCommand = async (_args, spot, io) => {
  io.write(spot.env());
  return 0;
};

const hostname: PodCommand = async (_args, spot, io) => {
  io.write(spot.read('/etc/hostname') ?? '');
  return 0;
};

/** `dig` without what needs the root servers. */
const dig: PodCommand = (args, spot, io) => {
  if (args.some((arg) => arg.startsWith('+trace')))
    throw new CommandError(
      'dig: +trace is not supported: there are no root servers here, only a resolver; allowed: dig [@SERVER] NAME [TYPE]',
    );
  return tool(runDig)(args, spot, io);
};

/** The programs that run in a pod or on a node, by name. */
export const POD_PROGRAMS: Readonly<Record<string, PodCommand>> = {
  nslookup: tool(runNslookup),
  dig,
  host: tool(runHost),
  getent: tool(runGetent),
  busybox: (args, spot, io) => {
    if (args[0] !== 'nslookup') throw new CommandError(`busybox: got "${args[0] ?? ''}", allowed: nslookup`);
    return tool(runBusyboxNslookup)(args.slice(1), spot, io);
  },
  cat,
  curl,
  wget,
  nc,
  ping,
  env,
  hostname,
};
