import { parseCidr } from '../../lib/cidr.js';
import type { DatapathConfig } from '../../datapath/config.js';
import { resolveConfig } from '../../datapath/config.js';
import type { IpamConfig } from '../../datapath/ipam/ipam.js';
import { loadYaml } from '../../kube/yaml.js';
import type { Milliseconds } from '../../lib/units.js';
import type { PendingSettings } from '../cluster/agents.js';
import type { Lab } from '../lab.js';
import { CommandError } from '../session/command.js';
import type { CommandIo, LabCommand } from '../session/command.js';
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

/** Values that the modelled cluster has for good: taken where they say what is so. */
const FIXED: Readonly<Record<string, string>> = {
  autoDirectNodeRoutes: 'true',
  'bpf.masquerade': 'true',
  'endpointRoutes.enabled': 'true',
  installNoConntrackIptablesRules: 'true',
  kubeProxyReplacement: 'true',
  routingMode: 'native',
};
/** Values without a part in the model: taken whatever they are. */
const WITHOUT_PART = new Set(
  (
    'debug endpointHealthChecking healthChecking hubble k8s k8sServiceHost k8sServicePort operator prometheus envoy ' +
    'image resources tolerations ipv4 ipv6'
  ).split(' '),
);

const NAMESPACE = { name: '--namespace', short: '-n', value: true };
const RELEASE_FLAGS = [
  NAMESPACE,
  { name: '--version', value: true },
  { name: '--reuse-values' },
  { name: '--reset-values' },
  { name: '--set', value: true },
  { name: '--set-string', value: true },
  { name: '--values', short: '-f', value: true },
  { name: '--install', short: '-i' },
  { name: '--create-namespace' },
  { name: '--wait' },
];

interface HelmRelease {
  revision: number;
  deployed: Milliseconds;
  readonly values: Map<string, string>;
}

/** What Helm knows of a lab's Cilium. */
const releases = new WeakMap<Lab, HelmRelease>();

function releaseOf(lab: Lab): HelmRelease {
  const known = releases.get(lab);
  if (known) return known;
  const { ipam, settings, localRedirectPolicy } = lab.pending;
  const values = new Map(Object.entries(FIXED));
  values.set('ipam.mode', ipam.mode);
  if (ipam.clusterPoolCidrs)
    values.set('ipam.operator.clusterPoolIPv4PodCIDRList', `{${ipam.clusterPoolCidrs.join(',')}}`);
  if (settings.nativeRoutingCidr !== undefined) values.set('ipv4NativeRoutingCIDR', settings.nativeRoutingCidr);
  if (localRedirectPolicy) values.set('localRedirectPolicy', 'true');
  const made = { revision: 1, deployed: lab.clock.now(), values };
  releases.set(lab, made);
  return made;
}

/**
 * `helm upgrade cilium cilium/cilium --set NAME=VALUE -f FILE`: the ConfigMap has the settings at once, the agents
 * once they are restarted. What changes the DaemonSet of the chart, as the agent for masquerading does, restarts them.
 */
async function upgrade(action: string, args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions(`helm ${action}`, args, RELEASE_FLAGS);
  if (options.words[0] !== 'cilium')
    throw new CommandError(`Error: release "${options.words[0] ?? ''}" not found, allowed: cilium`);
  const sets = [
    ...options.all('--values').flatMap((file) => valuesIn(file, io)),
    ...[...options.all('--set'), ...options.all('--set-string')].flatMap(splitSets),
  ];
  if (sets.length === 0)
    throw new CommandError(
      `Error: helm ${action} needs --set NAME=VALUE or -f FILE, with a NAME of ${HELM_VALUES.join(', ')}`,
    );
  let next = io.lab.pending;
  for (const [name, value] of sets) {
    const setter = Object.hasOwn(VALUES, name) ? VALUES[name] : undefined;
    if (setter) next = setter(value, name, next);
    else if (Object.hasOwn(FIXED, name)) {
      if (value !== FIXED[name])
        throw new CommandError(`Error: ${name}: got "${value}", allowed: ${FIXED[name]}, as the lab is`);
    } else if (!WITHOUT_PART.has(name.split('.')[0]!))
      throw new CommandError(`Error: ${name} is not supported, allowed: ${HELM_VALUES.join(', ')}`);
  }
  resolveConfig(next.settings);
  const rolls = (next.settings.ipMasqAgent === undefined) !== (io.lab.pending.settings.ipMasqAgent === undefined);
  io.lab.pending = next;
  const release = releaseOf(io.lab);
  for (const [name, value] of sets) {
    // What stood above or below it is replaced.
    for (const other of release.values.keys())
      if (other.startsWith(`${name}.`) || name.startsWith(`${other}.`)) release.values.delete(other);
    release.values.set(name, value);
  }
  release.revision++;
  release.deployed = io.lab.clock.now();
  io.write(
    'Release "cilium" has been upgraded. Happy Helming!\n' +
      `NAME: cilium\nLAST DEPLOYED: ${deployed(release)}\nNAMESPACE: kube-system\nSTATUS: deployed\n` +
      `REVISION: ${release.revision}\nTEST SUITE: None\nNOTES:\n` +
      (rolls
        ? 'The DaemonSet of the agents has changed: they are restarted.\n'
        : 'In force once the agents are restarted: kubectl -n kube-system rollout restart ds/cilium\n'),
  );
  const agents = io.lab.api.get('DaemonSet', 'kube-system', 'cilium');
  if (rolls && agents) await io.lab.rollout(agents);
  return 0;
}

/** `Thu Jul 31 00:20:15 2025` */
function deployed({ deployed: time }: HelmRelease): string {
  const [, day, date, month, year, clock] = /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(time).toUTCString())!;
  return `${day} ${month} ${date} ${clock} ${year}`;
}

/** The values of a file, by their names in one line. */
function valuesIn(file: string, io: CommandIo): readonly (readonly [string, string])[] {
  let root: unknown;
  try {
    root = loadYaml().parse(io.session.read(file));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`Error: failed to parse ${file}: ${(error as Error).message.split('\n')[0]!}`);
  }
  const flat = (value: unknown, name: string): (readonly [string, string])[] =>
    Array.isArray(value)
      ? [[name, `{${value.join(',')}}`] as const]
      : typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => flat(inner, name === '' ? key : `${name}.${key}`))
        : [[name, String(value)] as const];
  return flat(root, '').filter(([name]) => name !== '');
}

/** The values as a file has them. */
function tree(values: ReadonlyMap<string, string>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const name of [...values.keys()].sort()) {
    const value = values.get(name)!;
    const keys = name.split('.');
    const last = keys.pop()!;
    let at = root;
    for (const key of keys) at = (at[key] ??= {}) as Record<string, unknown>;
    at[last] = /^\{.*\}$/.test(value)
      ? value.slice(1, -1).split(',')
      : value === 'true' || value === 'false'
        ? value === 'true'
        : value;
  }
  return root;
}

type HelmAction = (args: readonly string[], io: CommandIo) => number | Promise<number>;

const ACTIONS: Readonly<Record<string, HelmAction>> = {
  upgrade: (args, io) => upgrade('upgrade', args, io),
  install: (args, io) => upgrade('install', args, io),
  list(_args, io) {
    const { revision, deployed: time } = releaseOf(io.lab);
    const updated = `${new Date(time).toISOString().replace('T', ' ').replace('Z', '')} +0000 UTC`;
    io.write(
      'NAME  \tNAMESPACE  \tREVISION\tUPDATED                        \tSTATUS  \tCHART        \tAPP VERSION\n' +
        `cilium\tkube-system\t${String(revision).padEnd(8)}\t${updated.padEnd(31)}\tdeployed\tcilium-1.17.6\t1.17.6     \n`,
    );
    return 0;
  },
  get([what, ...args], io) {
    const options = parseOptions('helm get', args, [
      NAMESPACE,
      { name: '--all', short: '-a' },
      { name: '--output', short: '-o', value: true },
    ]);
    if (what !== 'values') throw new CommandError(`Error: helm get: got "${what ?? ''}", allowed: values`);
    if (options.words[0] !== 'cilium') throw new CommandError('Error: release: not found');
    const values = tree(releaseOf(io.lab).values);
    io.write(
      options.get('--output') === 'json'
        ? `${JSON.stringify(values)}\n`
        : `${options.has('--output') ? '' : 'USER-SUPPLIED VALUES:\n'}${loadYaml().stringify(values)}`,
    );
    return 0;
  },
  status(_args, io) {
    const release = releaseOf(io.lab);
    io.write(
      `NAME: cilium\nLAST DEPLOYED: ${deployed(release)}\nNAMESPACE: kube-system\nSTATUS: deployed\n` +
        `REVISION: ${release.revision}\nTEST SUITE: None\n`,
    );
    return 0;
  },
  repo([what = '', name = ''], io) {
    io.write(
      what === 'add'
        ? `"${name}" has been added to your repositories\n`
        : 'The chart of Cilium is at hand: helm upgrade cilium cilium/cilium\n',
    );
    return 0;
  },
};

/** `helm`, for the one release that the lab has: Cilium. */
export const helm: LabCommand = {
  name: 'helm',
  usage:
    'upgrade|install cilium [CHART] [--reuse-values] --set NAME=VALUE -f FILE | list | get values cilium | status cilium',
  help: 'Changes settings of Cilium; kubectl -n kube-system rollout restart ds/cilium puts them in force.',
  run([action = '', ...args], io) {
    const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (!run) throw new CommandError(`Error: helm: got "${action}", allowed: ${Object.keys(ACTIONS).join(', ')}`);
    if (io.lab.api.away)
      throw new CommandError(
        `Error: Kubernetes cluster unreachable: Get "https://${io.lab.apiAddress}/version": ` +
          `dial tcp ${io.lab.apiAddress}: connect: connection refused`,
      );
    return run(args, io);
  },
};

/** `a=1,b={x,y}` in its parts; indexes of lists (`nonMasqueradeCIDRs[0]`) are not taken. */
function splitSets(text: string): readonly (readonly [string, string])[] {
  const parts = text.match(/(?:\{[^}]*\}|\\.|[^,])+/g) ?? [];
  return parts.map((part) => {
    const equals = part.indexOf('=');
    if (equals < 1) throw new CommandError(`Error: --set: got "${part}", allowed: NAME=VALUE`);
    return [part.slice(0, equals), part.slice(equals + 1)] as const;
  });
}
