import { canonicalIp, ipFamily } from '../lib/cidr.js';
import type { LinkPlan } from './plan.js';
import type { Report } from './report.js';
import { RunError, output, type RunCommand } from './run.js';

/** A link of the host and its addresses, in canonical spelling, link-local ones left out. */
export interface HostLink {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** All links of the host; rejects with a RunError. */
export async function readLinks(run: RunCommand): Promise<HostLink[]> {
  const listed = JSON.parse(await output(run, 'ip', ['-j', 'addr', 'show'])) as {
    ifname?: string;
    addr_info?: { local?: string; scope?: string }[];
  }[];
  return listed
    .filter((link) => link.ifname !== undefined)
    .map((link) => ({
      name: link.ifname!,
      addresses: (link.addr_info ?? [])
        .filter(({ local, scope }) => local !== undefined && scope !== 'link')
        .map(({ local }) => canonicalIp(local!) ?? local!),
    }));
}

/** What the kernel says to a type of link it was built without. */
const NO_SUCH_TYPE = /unknown device type|not supported/i;

/**
 * Makes the link and gives it its addresses, as far as they are not there. `exclusive` takes away other addresses:
 * those of a predecessor with other flags.
 * Faults are reported; what does not depend on them is done.
 */
export async function ensureLink(plan: LinkPlan, run: RunCommand, report: Report, exclusive: boolean): Promise<void> {
  let present: HostLink | undefined;
  try {
    present = (await readLinks(run)).find((link) => link.name === plan.name);
  } catch (error) {
    return report.error('interface_check', `Error checking dummy device ${plan.name} - ${(error as Error).message}`);
  }
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
  await ensureAddresses(plan, present?.addresses ?? [], run, report, exclusive);
}

async function addLink(name: string, run: RunCommand, report: Report): Promise<void> {
  const args = ['link', 'add', name, 'type', 'dummy'];
  const result = await run('ip', args);
  if (result.code === 0) return;
  if (!NO_SUCH_TYPE.test(result.stderr)) throw new RunError('ip', args, result);
  await output(run, 'ip', ['link', 'add', name, 'type', 'bridge']);
  report.log.warning(
    `this kernel knows no links of type dummy: ${name} is a bridge without ports instead, which holds the addresses as well`,
  );
}

async function ensureAddresses(
  plan: LinkPlan,
  present: readonly string[],
  run: RunCommand,
  report: Report,
  exclusive: boolean,
): Promise<void> {
  const wanted = plan.addresses.map((address) => ({ address, bare: canonicalIp(address.replace(/\/.*$/, ''))! }));
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
  if (!exclusive) return;
  for (const address of present.filter((ip) => !wanted.some(({ bare }) => bare === ip))) {
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

/** Takes the link away, with its addresses. One that is gone already is no fault. */
export async function removeLink(name: string, run: RunCommand, report: Report): Promise<void> {
  const result = await run('ip', ['link', 'del', name]);
  if (result.code !== 0 && !/cannot find device/i.test(result.stderr))
    report.error('interface_check', `Failed to remove interface ${name}: ${result.stderr.trim()}`);
}
