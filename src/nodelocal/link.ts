import { canonicalIp, ipFamily } from '../lib/cidr.js';
import type { LinkPlan } from './plan.js';
import type { Report } from './report.js';
import { RunError, output, type RunCommand } from './run.js';

/** A link of the host and its addresses, in canonical spelling, link-local ones left out. */
export interface HostLink {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Its address on the wire, in lower case; empty where it has none. */
  readonly mac: string;
  /** What it is made of, in the words of `ip`: dummy, bridge, vlan; empty for a device. */
  readonly kind: string;
}

/**
 * What links of ours have as their address on the wire, where nothing is ever sent: it is given as they are made, and
 * tells them from those of others. Locally administered (RFC 7042 section 2.1), and ASCII for what it belongs to.
 */
export const OWN_MAC = '6e:6f:64:65:6e:73';

/** The command that makes a link of ours, without its first word. */
export const addLinkArgs = (name: string, kind: 'dummy' | 'bridge' = 'dummy'): readonly string[] => [
  ...['link', 'add', name, 'address', OWN_MAC, 'type', kind],
];

/** All links of the host; rejects with a RunError. */
export async function readLinks(run: RunCommand): Promise<HostLink[]> {
  const listed = JSON.parse(await output(run, 'ip', ['-d', '-j', 'addr', 'show'])) as {
    ifname?: string;
    address?: string;
    linkinfo?: { info_kind?: string };
    addr_info?: { local?: string; scope?: string }[];
  }[];
  return listed
    .filter((link) => link.ifname !== undefined)
    .map((link) => ({
      name: link.ifname!,
      mac: (link.address ?? '').toLowerCase(),
      kind: link.linkinfo?.info_kind ?? '',
      addresses: (link.addr_info ?? [])
        .filter(({ local, scope }) => local !== undefined && scope !== 'link')
        .map(({ local }) => canonicalIp(local!) ?? local!),
    }));
}

/** What the kernel says to a type of link it was built without. */
const NO_SUCH_TYPE = /unknown device type|not supported/i;

/**
 * Whether a link may be changed and taken away: one that a node cache made. Ours tells so itself; another node cache's,
 * which we take over from, is a dummy that holds addresses of the plan and no others.
 */
export function isOurs(link: HostLink, plan: LinkPlan): boolean {
  if (link.mac === OWN_MAC) return true;
  const wanted = new Set(plan.addresses.map(bareAddress));
  return link.kind === 'dummy' && link.addresses.length > 0 && link.addresses.every((address) => wanted.has(address));
}

/**
 * Makes the link and gives it its addresses, as far as they are not there. A link of that name that no node cache made
 * is left as it is. `stale` says which other addresses go: those of a predecessor with other flags.
 * Faults are reported; what does not depend on them is done.
 */
export async function ensureLink(
  plan: LinkPlan,
  run: RunCommand,
  report: Report,
  stale?: (address: string) => boolean,
): Promise<void> {
  let present: HostLink | undefined;
  try {
    present = (await readLinks(run)).find((link) => link.name === plan.name);
  } catch (error) {
    return report.error('interface_check', `Error checking dummy device ${plan.name} - ${(error as Error).message}`);
  }
  if (present && !isOurs(present, plan)) return foreign(plan, present, report);
  if (!present) {
    try {
      await addLink(plan.name, run, report);
    } catch (error) {
      return report.error(
        'interface_add',
        `Failed to add non-existent interface ${plan.name}: ${(error as Error).message}`,
      );
    }
    report.log.info(`Added interface - ${plan.name}`);
  }
  await ensureAddresses(plan, present?.addresses ?? [], run, report, stale);
}

function foreign(plan: LinkPlan, { addresses, kind }: HostLink, report: Report): void {
  if (plan.addresses.every((address) => addresses.includes(bareAddress(address)))) return;
  report.error(
    'interface_check',
    `Interface ${plan.name} was not made by a node cache (${kind === '' ? 'a device' : kind}): it is left as it is; ` +
      '-interfacename takes a name of its own, and -setupinterface=false addresses that are there',
  );
}

async function addLink(name: string, run: RunCommand, report: Report): Promise<void> {
  const args = addLinkArgs(name);
  const result = await run('ip', args);
  if (result.code === 0) return;
  if (!NO_SUCH_TYPE.test(result.stderr)) throw new RunError('ip', args, result);
  await output(run, 'ip', addLinkArgs(name, 'bridge'));
  report.log.warning(
    `this kernel knows no links of type dummy: ${name} is a bridge without ports instead, which holds the addresses as well`,
  );
}

async function ensureAddresses(
  plan: LinkPlan,
  present: readonly string[],
  run: RunCommand,
  report: Report,
  stale?: (address: string) => boolean,
): Promise<void> {
  const wanted = plan.addresses.map((address) => ({ address, bare: bareAddress(address) }));
  const add = async (what: string, args: readonly string[]): Promise<void> => {
    try {
      await output(run, 'ip', args);
    } catch (error) {
      report.error('interface_add', `Failed to ${what} of interface ${plan.name}: ${(error as Error).message}`);
    }
  };
  const missing = wanted.filter(({ bare }) => !present.includes(bare));
  for (const { address, bare } of missing) {
    // Nobody else on such a link can hold the address, and a server cannot bind to one that is still being checked
    // (RFC 4862 section 5.4).
    await add('add an address', ['addr', 'add', address, 'dev', plan.name, ...(ipFamily(bare) === 6 ? ['nodad'] : [])]);
  }
  // An IPv4 address of a link that is down is served; an IPv6 one is not.
  if (missing.some(({ bare }) => ipFamily(bare) === 6)) await add('bring up a link', ['link', 'set', plan.name, 'up']);
  for (const address of present.filter((ip) => !wanted.some(({ bare }) => bare === ip) && stale?.(ip) === true)) {
    report.log.info(`Removing address ${address} from interface ${plan.name}, which is none of -localip`);
    await add('remove an address', [
      'addr',
      'del',
      `${address}/${ipFamily(address) === 4 ? 32 : 128}`,
      'dev',
      plan.name,
    ]);
  }
}

const bareAddress = (address: string): string => canonicalIp(address.replace(/\/.*$/, ''))!;

/** Takes the link away, with its addresses, if it is ours. One that is gone already is no fault. */
export async function removeLink(plan: LinkPlan, run: RunCommand, report: Report): Promise<void> {
  const { name } = plan;
  const fail = (reason: string): void =>
    report.error('interface_check', `Failed to remove interface ${name}: ${reason.trim()}`);
  let present: HostLink | undefined;
  try {
    present = (await readLinks(run)).find((link) => link.name === name);
  } catch (error) {
    return fail((error as Error).message);
  }
  if (!present || !isOurs(present, plan)) return;
  const result = await run('ip', ['link', 'del', name]);
  if (result.code !== 0 && !/cannot find device/i.test(result.stderr)) fail(result.stderr);
}
