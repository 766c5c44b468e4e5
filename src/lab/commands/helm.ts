import { parseCidr } from '../../lib/cidr.js';
import type { DatapathConfig } from '../../datapath/config.js';
import { resolveConfig } from '../../datapath/config.js';
import type { IpamConfig } from '../../datapath/ipam/ipam.js';
import type { PendingSettings } from '../lab.js';
import { CommandError } from '../session/command.js';
import type { LabCommand } from '../session/command.js';
import { parseOptions } from '../session/options.js';

type Setter = (value: string, name: string, before: PendingSettings) => PendingSettings;

const flag = (value: string, name: string): boolean => {
  if (value !== 'true' && value !== 'false')
    throw new CommandError(`Error: ${name}: got "${value}", allowed: true, false`);
  return value === 'true';
};

function oneOf<Word extends string>(value: string, name: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === value);
  if (found === undefined) throw new CommandError(`Error: ${name}: got "${value}", allowed: ${words.join(', ')}`);
  return found;
}

const cidr = (value: string, name: string): string => {
  if (!parseCidr(value))
    throw new CommandError(`Error: ${name}: got "${value}", allowed: an address block such as 172.20.0.0/16`);
  return value;
};

const cidrs = (value: string, name: string): readonly string[] =>
  value
    .replace(/^\{|\}$/g, '')
    .split(',')
    .map((part) => cidr(part.trim(), name));
const withSettings = (before: PendingSettings, change: Partial<DatapathConfig>): PendingSettings => ({
  ...before,
  settings: { ...before.settings, ...change },
});
const withIpam = (before: PendingSettings, change: Partial<IpamConfig>): PendingSettings => ({
  ...before,
  ipam: { ...before.ipam, ...change },
});

/** Values of Cilium's chart that the model follows while it runs, with what each changes. */
const VALUES: Readonly<Record<string, Setter>> = {
  localRedirectPolicy: (value, name, before) => ({ ...before, localRedirectPolicy: flag(value, name) }),
  'localRedirectPolicies.enabled': (value, name, before) => ({ ...before, localRedirectPolicy: flag(value, name) }),
  'ipam.mode': (value, name, before) =>
    withIpam(before, { mode: oneOf(value, name, ['kubernetes', 'cluster-pool'] as const) }),
  'ipam.operator.clusterPoolIPv4PodCIDRList': (value, name, before) =>
    withIpam(before, { clusterPoolCidrs: cidrs(value, name) }),
  ipv4NativeRoutingCIDR: (value, name, before) => withSettings(before, { nativeRoutingCidr: cidr(value, name) }),
  'ipMasqAgent.enabled': (value, name, before) => {
    const { ipMasqAgent, ...rest } = before.settings;
    return { ...before, settings: flag(value, name) ? { ...rest, ipMasqAgent: ipMasqAgent ?? {} } : rest };
  },
  'ipMasqAgent.config.nonMasqueradeCIDRs': (value, name, before) =>
    withSettings(before, { ipMasqAgent: { ...before.settings.ipMasqAgent, nonMasqueradeCIDRs: cidrs(value, name) } }),
  'ipMasqAgent.config.masqLinkLocal': (value, name, before) =>
    withSettings(before, { ipMasqAgent: { ...before.settings.ipMasqAgent, masqLinkLocal: flag(value, name) } }),
  'loadBalancer.algorithm': (value, name, before) =>
    withSettings(before, { loadBalancing: oneOf(value, name, ['random', 'maglev'] as const) }),
  'bpf.monitorAggregation': (value, name, before) =>
    withSettings(before, { aggregation: oneOf(value, name, ['none', 'lowest', 'low', 'medium', 'maximum'] as const) }),
};

/** Names that --set takes. */
export const HELM_VALUES: readonly string[] = Object.keys(VALUES);

/** `helm upgrade cilium cilium/cilium --set NAME=VALUE`: the settings wait until the agents are restarted. */
export const helm: LabCommand = {
  name: 'helm',
  usage: 'upgrade cilium [CHART] [-n kube-system] [--reuse-values] --set NAME=VALUE',
  help: 'Changes settings of Cilium; kubectl -n kube-system rollout restart ds/cilium puts them in force.',
  run(args, io) {
    const [action, ...rest] = args;
    if (action !== 'upgrade') throw new CommandError(`Error: helm: got "${action ?? ''}", allowed: upgrade`);
    const options = parseOptions('helm upgrade', rest, [
      { name: '--namespace', short: '-n', value: true },
      { name: '--version', value: true },
      { name: '--reuse-values' },
      { name: '--set', value: true },
      { name: '--install', short: '-i' },
    ]);
    if (options.words[0] !== 'cilium')
      throw new CommandError(`Error: release "${options.words[0] ?? ''}" not found, allowed: cilium`);
    const sets = options.all('--set').flatMap(splitSets);
    if (sets.length === 0)
      throw new CommandError(
        `Error: helm upgrade needs --set NAME=VALUE, with a NAME of ${Object.keys(VALUES).join(', ')}`,
      );
    let next = io.lab.pending;
    for (const [name, value] of sets) {
      const setter = Object.hasOwn(VALUES, name) ? VALUES[name] : undefined;
      if (!setter)
        throw new CommandError(`Error: ${name} is not supported, allowed: ${Object.keys(VALUES).join(', ')}`);
      next = setter(value, name, next);
    }
    resolveConfig(next.settings);
    io.lab.pending = next;
    io.write(
      'Release "cilium" has been upgraded. Happy Helming!\nNAME: cilium\nNAMESPACE: ' +
        'kube-system\nSTATUS: deployed\nNOTES:\nIn force once the agents are restarted: kubectl ' +
        '-n kube-system rollout restart ds/cilium\n',
    );
    return 0;
  },
};

/** `a=1,b={x,y}` in its parts; indexes of lists (`nonMasqueradeCIDRs[0]`) are not taken. */
function splitSets(text: string): readonly (readonly [string, string])[] {
  const parts = text.match(/(?:\{[^}]*\}|[^,])+/g) ?? [];
  return parts.map((part) => {
    const equals = part.indexOf('=');
    if (equals < 1) throw new CommandError(`Error: --set: got "${part}", allowed: NAME=VALUE`);
    return [part.slice(0, equals), part.slice(equals + 1)] as const;
  });
}
