import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseNodeCacheFlags } from '../../src/nodelocal/flags.js';
import { networkPlan } from '../../src/nodelocal/plan.js';
import {
  ADDON_FIELDS,
  ADDON_MOUNTS,
  at,
  containerOf,
  mountsOf,
  noKubectl,
  objectOf,
  objectsIn,
  type KubeObject,
} from './addon.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
if (noKubectl) console.log('test/deploy/kustomize: kubectl is not installed (Debian: kubernetes-client); skipped');

const SERVED = 'bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__';

/** What a folder of kustomize/ makes, and where that is not as in the addon. */
interface Overlay {
  readonly localIps: readonly string[];
  /** In place of the addon's fields, by the end of their path. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly rights?: readonly string[];
  readonly bind?: string;
  /** The manifest that is the same. */
  readonly file?: string;
  readonly rules?: number;
  readonly autopath?: boolean;
}

const OVERLAYS: Readonly<Record<string, Overlay>> = {
  iptables: { localIps: ['169.254.20.10', '10.96.0.10'], file: 'deploy/node-local-dns.yaml' },
  autopath: { localIps: ['169.254.20.10', '10.96.0.10'], autopath: true },
  'iptables-legacy': {
    localIps: ['169.254.20.10', '10.96.0.10'],
    rights: ['NET_ADMIN', 'NET_BIND_SERVICE', 'NET_RAW'],
  },
  ipvs: { localIps: ['169.254.20.10'], bind: 'bind __PILLAR__LOCAL__DNS__', rules: 12 },
  'dual-stack': {
    localIps: ['169.254.20.10', 'fd00:169:254::10', '10.96.0.10', 'fd00:10:96::a'],
    bind: `bind __PILLAR__LOCAL__DNS__ __PILLAR__LOCAL__DNS6__ __PILLAR__DNS__SERVER__ __PILLAR__DNS__SERVER6__`,
    rules: 48,
  },
  lrp: {
    localIps: ['169.254.20.10', '10.96.0.10'],
    fields: { hostNetwork: undefined, 'httpGet.host': undefined },
    rights: [],
    bind: 'bind 0.0.0.0',
    file: 'deploy/node-local-dns-lrp.yaml',
    rules: 0,
  },
};

/** Values for all variables, as `sed` fills them in. */
const VALUES = {
  __PILLAR__LOCAL__DNS6__: 'fd00:169:254::10',
  __PILLAR__DNS__SERVER6__: 'fd00:10:96::a',
  __PILLAR__LOCAL__DNS__: '169.254.20.10',
  __PILLAR__DNS__SERVER__: '10.96.0.10',
  __PILLAR__DNS__DOMAIN__: 'cluster.local',
};
const filled = (text: string): string =>
  Object.entries(VALUES).reduce((all, [name, value]) => all.replaceAll(name, value), text);

function rendered(name: string): KubeObject[] {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', path.join(ROOT, 'kustomize', name)], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return objectsIn(stdout);
}

/** Where the pods of an update meet. */
const TAKEOVER = { hostPath: { path: '/run/nodens-takeover', type: 'DirectoryOrCreate' } };
/** Behind a policy, health is the pod's own, and what still comes after its end is answered. */
const OWN_HEALTH = 'health {\n        lameduck 5s\n    }';

const sorted = (all: readonly KubeObject[]): KubeObject[] =>
  [...all].sort((a, b) => `${a.kind} ${a.metadata.name}`.localeCompare(`${b.kind} ${b.metadata.name}`));

it('each folder of kustomize/ is told of here, and on the page', () => {
  expect(readdirSync(path.join(ROOT, 'kustomize')).sort()).toEqual(Object.keys(OVERLAYS).sort());
  for (const name of Object.keys(OVERLAYS)) expect(read('deploy/README.md')).toContain(`| \`${name}\` |`);
});

describe.skipIf(noKubectl).each(Object.entries(OVERLAYS))('kustomize/%s', (name, overlay) => {
  const all = noKubectl ? [] : rendered(name);
  const daemonSet = (): KubeObject => objectOf(all, 'DaemonSet');

  it('has the fields of the addon, but for those that are its purpose', () => {
    const other = ({ path: end }: { path: string }): [string, unknown] | undefined =>
      Object.entries(overlay.fields ?? {}).find(([key]) => end.endsWith(key));
    for (const [kind, object, field, value] of ADDON_FIELDS) {
      const [, want] = other({ path: field }) ?? ['', value];
      expect(at(objectOf(all, kind, object), field), `${kind} ${field}`).toEqual(want);
    }
  });

  it('mounts what the addon mounts, and a place to write to', () => {
    const { '/run/xtables.lock': lock, ...rest } = ADDON_MOUNTS;
    expect(mountsOf(daemonSet())).toEqual({
      ...(name !== 'lrp' && { '/run/xtables.lock': lock, '/run/nodens-takeover': TAKEOVER }),
      ...rest,
      '/run/nodens': { emptyDir: {} },
    });
  });

  it('serves where it is asked, with link and rules for that', () => {
    const [command, ...args] = containerOf(daemonSet()).args.map(filled);
    expect(command).toBe('node-cache');
    const flags = parseNodeCacheFlags(args);
    const { link, rules } = networkPlan(flags);
    expect([flags.localIps, flags.upstreamService]).toEqual([overlay.localIps, 'kube-dns-upstream']);
    expect([link?.addresses.length, rules.length]).toEqual(
      name === 'lrp' ? [undefined, 0] : [overlay.localIps.length, overlay.rules ?? 24],
    );
  });

  it('starts the new pod first in an update, which takes over where both are on one network', () => {
    expect(at(daemonSet(), 'spec.updateStrategy.rollingUpdate')).toEqual({ maxSurge: '10%', maxUnavailable: 0 });
    // Its readiness may be told by the old one: the new one has to be there by the time that is believed.
    expect(at(daemonSet(), 'spec.minReadySeconds')).toBeGreaterThanOrEqual(10);
    expect(at(daemonSet(), 'spec.template.spec.containers.0.ports') === undefined).toBe(name !== 'lrp');
    const [, ...args] = containerOf(daemonSet()).args.map(filled);
    expect(parseNodeCacheFlags(args).takeover).toBe(name === 'lrp' ? '' : '/run/nodens-takeover/dns.sock');
  });

  it('has the rights that it needs and no others', () => {
    const capabilities = at(daemonSet(), 'spec.template.spec.containers.0.securityContext.capabilities');
    const rights = overlay.rights ?? ['NET_ADMIN', 'NET_BIND_SERVICE'];
    expect(capabilities).toEqual({ drop: ['ALL'], ...(rights.length > 0 && { add: rights }) });
  });

  it('has the Corefile of the base, at its own addresses', () => {
    const base = objectOf(objectsIn(read('deploy/node-local-dns.yaml')), 'ConfigMap').data!.Corefile!;
    const want = name === 'lrp' ? base.replace('health __PILLAR__LOCAL__DNS__:8080', OWN_HEALTH) : base;
    expect(objectOf(all, 'ConfigMap').data!.Corefile).toBe(want.replaceAll(SERVED, overlay.bind ?? SERVED));
  });

  it('walks search lists where that is its purpose, with the right and the name for it', () => {
    const [, ...args] = containerOf(daemonSet()).args.map(filled);
    expect(parseNodeCacheFlags(args).autopath).toBe(overlay.autopath === true);
    const env = at(daemonSet(), 'spec.template.spec.containers.0.env') as { name: string; valueFrom?: unknown }[];
    const node = env.find((one) => one.name === 'NODE_NAME')?.valueFrom;
    const roles = all.filter(({ kind }) => kind.startsWith('ClusterRole'));
    if (overlay.autopath !== true) return expect([node, roles]).toEqual([undefined, []]);
    expect(node).toEqual({ fieldRef: { fieldPath: 'spec.nodeName' } });
    const [role, binding] = roles;
    expect(role!.rules).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }]);
    expect([at(binding, 'roleRef.name'), at(binding, 'subjects')]).toEqual([
      role!.metadata.name,
      [{ kind: 'ServiceAccount', name: 'node-local-dns', namespace: 'kube-system' }],
    ]);
  });

  it.skipIf(overlay.file === undefined)(`is the same as ${overlay.file}`, () =>
    expect(sorted(all)).toEqual(sorted(objectsIn(read(overlay.file!)))),
  );
});
