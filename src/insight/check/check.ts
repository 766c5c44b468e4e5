import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../../corefile/index.js';
import { NodensError } from '../../lib/errors.js';
import { findManifests } from '../../kube/manifests/files.js';
import { asObject, objectAt } from '../../kube/objects/raw.js';
import type { CorefileRule, CorefileRole } from './blocks.js';
import type { ClusterCorefile, ClusterRule, JudgedCluster } from './cluster.js';
import { findingOf, sorted, type CheckFinding, type Rule, type RuleOver } from './finding.js';
import { COREFILE_FAULT, FILE_ABSENT, loadCorefile, type LoadedCorefile } from './judge-corefile.js';
import type { ClusterObject } from './objects.js';
import { WORKLOADS, PodOwner, readObjects, type PlacedText } from './objects.js';
import { CACHING } from './rules/caching.js';
import { CLUSTER_NAMES } from './rules/cluster-names.js';
import { FORWARDING } from './rules/forwarding.js';
import { KUBELET } from './rules/kubelet.js';
import { REACH } from './rules/reach.js';
import { REDIRECTS } from './rules/redirects.js';
import { SERVICES } from './rules/services.js';
import { SERVING } from './rules/serving.js';
import { WORKLOAD_RULES } from './rules/workloads.js';
import { UNKNOWN_RULE, silenced } from './silence.js';
import { byText } from '../../lib/order.js';

/** How to judge. */
export interface CheckOptions {
  readonly env: Environment;
  readonly cwd: string;
  /** What the Corefile is for; told from its text and its pods when left out. */
  readonly role?: CorefileRole | undefined;
}

const MANIFEST_FAULT: Rule = {
  name: 'manifest',
  severity: 'fault',
  means: 'The file is no YAML or JSON: nothing in it can be applied.',
  todo: 'Correct it as the message says.',
};

const PILLAR_LEFT: Rule = {
  name: 'pillar-left',
  severity: 'warning',
  means: 'Some variables of the addon are filled in and this one is not: it is taken as it stands.',
  todo: 'Fill it in before the file is applied.',
};

const COREFILE_RULES: readonly CorefileRule[] = [...REACH, ...FORWARDING, ...CACHING, ...CLUSTER_NAMES, ...SERVING];
const CLUSTER_RULES: readonly ClusterRule[] = [...REDIRECTS, ...KUBELET, ...WORKLOAD_RULES, ...SERVICES];

/** Everything that can be found, by name. */
export const RULES: readonly Rule[] = [
  COREFILE_FAULT,
  FILE_ABSENT,
  MANIFEST_FAULT,
  PILLAR_LEFT,
  UNKNOWN_RULE,
  ...COREFILE_RULES,
  ...CLUSTER_RULES,
].sort((a, b) => byText(a.name, b.name));

/** The name under which standard input is judged. */
const STDIN = 'stdin';

/**
 * Judges Corefiles and manifests: files as named, and the manifests in folders, all of which count as one cluster.
 * Opens no socket. Rejects with an ENOENT error for a path that is not there.
 */
export async function check(paths: readonly string[], options: CheckOptions): Promise<CheckFinding[]> {
  const manifests: PlacedText[] = [];
  const gathered = new Gathered();
  for (const named of paths) {
    const { files, isCorefile } = await textsAt(named, options.cwd);
    if (!isCorefile) manifests.push(...files);
    else
      for (const file of files)
        gathered.take(await loadCorefile({ ...options, ...file, role: options.role ?? roleOf(file.text) }));
  }
  await judgeManifests(manifests, options, gathered);
  const names = RULES.map(({ name }) => name);
  const left = silenced(gathered.named(), gathered.texts, names);
  return sorted(left.map((finding) => placed(finding, gathered.texts)).filter(isFirst));
}

/** What was found so far, and in which texts. */
class Gathered {
  readonly findings: CheckFinding[] = [];
  readonly texts: PlacedText[] = [];
  private readonly places = new Map<string, string>();

  /** Takes what the loader says of a Corefile, and what rules do. */
  take({ findings, texts, places, judged }: LoadedCorefile): void {
    this.findings.push(...findings);
    this.texts.push(...texts);
    for (const [file, name] of places) this.places.set(file, name);
    if (judged !== undefined) this.findings.push(...apply(COREFILE_RULES, judged));
  }

  /** The findings, with imported files by the names that they have for the user. */
  named(): CheckFinding[] {
    return this.findings.map((finding) => {
      const { file } = finding.at;
      return { ...finding, at: { ...finding.at, file: this.places.get(file) ?? file } };
    });
  }
}

/** A finding in a text without lines of its own is at the place of that text, and says in which line of it. */
function placed(finding: CheckFinding, texts: readonly PlacedText[]): CheckFinding {
  const { file, line = 1 } = finding.at;
  const place = texts.find((text) => text.file === file)?.place;
  return place === undefined ? finding : { ...finding, at: place, text: `line ${line} of it: ${finding.text}` };
}

/** What a snippet brings into several blocks is found once. */
const isFirst = ({ rule, at, text }: CheckFinding, i: number, all: readonly CheckFinding[]): boolean =>
  all.findIndex(
    (one) => one.rule === rule && one.at.file === at.file && one.at.line === at.line && one.text === text,
  ) === i;

/** What only a node cache fills in. */
const OF_NODE_CACHE = /__PILLAR__(LOCAL__DNS|CLUSTER__DNS|UPSTREAM__SERVERS)__/;

const roleOf = (text: string): CorefileRole => (OF_NODE_CACHE.test(text) ? 'node-cache' : 'server');

function apply<T>(rules: readonly RuleOver<T>[], subject: T): CheckFinding[] {
  return rules.flatMap((rule) =>
    [...rule.find(subject)].map(({ at, text, severity }) =>
      findingOf(rule, { at: { file: at.file, line: at.line }, text, ...(severity && { severity }) }),
    ),
  );
}

async function textsAt(named: string, cwd: string): Promise<{ files: PlacedText[]; isCorefile: boolean }> {
  if (named === STDIN || named === '-') {
    const text = readFileSync(0, 'utf8');
    return { files: [{ file: STDIN, text }], isCorefile: !/^(apiVersion|kind):/m.test(text) };
  }
  const full = path.resolve(cwd, named);
  const read = (file: string): PlacedText => ({
    file: path.isAbsolute(named) ? file : path.relative(cwd, file),
    text: readFileSync(file, 'utf8'),
  });
  if (!statSync(full).isDirectory()) return { files: [read(full)], isCorefile: !/\.(ya?ml|json)$/i.test(named) };
  const { files } = await findManifests([full]);
  return { files: [...files.keys()].map(read), isCorefile: false };
}

async function judgeManifests(
  manifests: readonly PlacedText[],
  options: CheckOptions,
  gathered: Gathered,
): Promise<void> {
  const { findings, texts } = gathered;
  texts.push(...manifests);
  const objects = manifests.flatMap((manifest) => objectsOf(manifest, findings, texts));
  const workloads = objects.filter(({ kind }) => WORKLOADS.includes(kind)).map((object) => new PodOwner(object));
  const corefiles: ClusterCorefile[] = [];
  for (const config of objects.filter(({ kind }) => kind === 'ConfigMap'))
    for (const key of Object.keys(objectAt(config.raw, 'data'))) {
      const source = /^Corefile/.test(key) ? config.text('data', key) : undefined;
      if (source === undefined) continue;
      const workload = workloads.find(
        (one) => one.object.namespace === config.namespace && one.configs.includes(config.name),
      );
      const loaded = await loadCorefile({
        ...options,
        ...source,
        ...graceOf(workload),
        role: options.role ?? (workload?.nodeCache === undefined ? roleOf(source.text) : 'node-cache'),
        beside: besides(config, key, objects),
      });
      gathered.take(loaded);
      corefiles.push({ config, judged: loaded.judged, workload });
    }
  const cluster: JudgedCluster = { objects, workloads, corefiles };
  findings.push(...apply(CLUSTER_RULES, cluster), ...manifests.flatMap(pillarsLeft));
}

/** The objects of a manifest, and those that are written into a ConfigMap of kubeadm (`kubelet`). */
function objectsOf(manifest: PlacedText, findings: CheckFinding[], texts: PlacedText[]): ClusterObject[] {
  try {
    const objects = readObjects(manifest);
    const inner = objects
      .filter(({ kind, raw }) => kind === 'ConfigMap' && 'kubelet' in objectAt(raw, 'data'))
      .flatMap((config) => config.text('data', 'kubelet') ?? []);
    texts.push(...inner);
    return [...objects, ...inner.flatMap((text) => objectsOf(text, findings, texts))];
  } catch (error) {
    if (!(error instanceof NodensError)) throw error;
    const at = error.place ?? { file: manifest.file, line: 1 };
    findings.push(findingOf(MANIFEST_FAULT, { at, text: error.message.replace(/^\S+:\d+: /, '') }));
    return [];
  }
}

/** How long the pods may take to end, in milliseconds. */
function graceOf(workload: PodOwner | undefined): { grace: number } | undefined {
  const seconds = asObject(workload?.pod)['terminationGracePeriodSeconds'];
  return typeof seconds === 'number' ? { grace: seconds * 1000 } : undefined;
}

/** What lies beside a Corefile in its pod: the other keys, and those of NAME-custom, mounted as `custom`. */
function besides(config: ClusterObject, own: string, objects: readonly ClusterObject[]): Map<string, PlacedText> {
  const all = new Map<string, PlacedText>();
  const add = (object: ClusterObject, folder: string): void => {
    for (const key of Object.keys(objectAt(object.raw, 'data'))) {
      const text = object.text('data', key);
      if (text !== undefined && !(object === config && key === own)) all.set(`${folder}${key}`, text);
    }
  };
  add(config, '');
  const custom = objects.find(
    ({ kind, name, namespace }) =>
      kind === 'ConfigMap' && name === `${config.name}-custom` && namespace === config.namespace,
  );
  if (custom !== undefined) add(custom, 'custom/');
  return all;
}

/** Variables that an installer fills in, and those that the node cache does. */
const INSTALLED = ['__PILLAR__LOCAL__DNS__', '__PILLAR__DNS__SERVER__', '__PILLAR__DNS__DOMAIN__'];

function pillarsLeft({ file, text }: PlacedText): CheckFinding[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, ''));
  const left = INSTALLED.filter((pillar) => lines.some((line) => line.includes(pillar)));
  if (left.length === 0 || left.length === INSTALLED.length || !OF_NODE_CACHE.test(text)) return [];
  return left.map((pillar) => {
    const line = lines.findIndex((one) => one.includes(pillar)) + 1;
    return findingOf(PILLAR_LEFT, { at: { file, line }, text: `${pillar} is not filled in, others are` });
  });
}
