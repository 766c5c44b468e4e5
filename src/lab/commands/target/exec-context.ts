import type { Process } from '../../../datapath/sockets/process.js';
import { parseIp } from '../../../lib/cidr.js';
import type { Random } from '../../../lib/random.js';
import { StubResolver, nameOf } from '../../../resolver/index.js';
import type { ToolEnv } from '../../../resolver/index.js';
import { LabNetwork } from '../../network/lab-network.js';
import type { CommandIo } from '../../session/command.js';

/** Where a program runs: a pod, or a node's own network. */
export interface ExecContext {
  readonly name: string;
  readonly process: Process;
  /** undefined where there is no such file. */
  read(file: string): string | undefined;
  readonly env: () => string;
}

/** A program in a place; resolves with its exit code. */
export type PodCommand = (args: readonly string[], spot: ExecContext, io: CommandIo) => Promise<number>;

export const toolEnv = (
  spot: ExecContext,
  io: { readonly lab: { readonly clock: ToolEnv['clock']; readonly random: Random } },
): ToolEnv => ({
  network: new LabNetwork(spot.process),
  clock: io.lab.clock,
  random: io.lab.random,
  resolvConf: spot.read('/etc/resolv.conf') ?? '',
});

/** The addresses of a host name as the C library finds them, IPv4 only. */
export async function addressOf(host: string, spot: ExecContext, io: CommandIo): Promise<string | undefined> {
  if (parseIp(host)) return host;
  const known = inHosts(spot.read('/etc/hosts') ?? '', host);
  if (known !== undefined) return known;
  const story = await new StubResolver({ ...toolEnv(spot, io), profile: 'glibc' }).lookup(host, {
    types: ['A'],
    addrConfig: true,
  });
  return story.addresses[0];
}

/** The name of an address as the C library finds it: in the hosts file, else by DNS. */
export async function nameOfAddress(address: string, spot: ExecContext, io: CommandIo): Promise<string | undefined> {
  const own = entries(spot.read('/etc/hosts') ?? '').find(([first]) => first === address)?.[1];
  return own ?? nameOf(address, toolEnv(spot, io));
}

/** The IPv4 address of a name in a hosts file. */
const inHosts = (text: string, host: string): string | undefined =>
  entries(text).find(([address = '', ...names]) => address.includes('.') && names.includes(host))?.[0];

/** Lines of a hosts file: the address, then its names. */
const entries = (text: string): readonly string[][] =>
  text.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/));

/** Warns when nothing has the address: the lab knows outside names, but not the machines behind them. */
export function warnUnreachable(address: string, io: CommandIo): void {
  const { cluster, services } = io.lab.world;
  const known =
    [...cluster.nodes.values(), ...cluster.hosts.values()].some(({ netns }) => netns.hasAddress(address)) ||
    [...cluster.pods.values()].some(({ ip }) => ip === address) ||
    services.ownerOfAddress(address) !== undefined;
  if (!known)
    io.error(
      `note: nothing in this lab has the address ${address}, so there will be no answer: the lab knows names ` +
        'outside the cluster, but not the machines behind them\n',
    );
}
