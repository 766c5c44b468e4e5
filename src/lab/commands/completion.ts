import { MADE_RESOURCES, RESOURCES, resourceByWord } from '../cluster/resources.js';
import { COMMANDS } from './index.js';
import { HELM_VALUES } from './helm.js';
import { programsThere } from './kubectl/exec.js';
import { KUBECTL_VERBS } from './kubectl/kubectl.js';
import { nameIn, namespaceIn } from './kubectl/metadata.js';
import { objectsOf } from './kubectl/objects.js';
import type { Lab } from '../lab.js';
import { BUILTINS } from '../shell/builtins.js';
import type { Session } from '../session/session.js';

/** What may stand in place of the word before the cursor. */
export interface Completions {
  readonly words: readonly string[];
  /** The part of the word that is there already. */
  readonly start: string;
}

/** Names that the examples look up. */
const OUTSIDE = ['google.com', 'www.google.com', 'example.org', 'cloudflare.com', 'ubuntu.com'];
const KINDS = [...RESOURCES, ...MADE_RESOURCES].flatMap(({ kind, plural, short }) => [
  kind.toLowerCase(),
  plural,
  ...short,
]);
/** Options after which a word of a certain sort stands. */
const AFTER: Readonly<Record<string, (lab: Lab) => readonly string[]>> = {
  '-n': namespaces,
  '--namespace': namespaces,
  '--pod': qualifiedPods,
  '--from-pod': qualifiedPods,
  '--to-pod': qualifiedPods,
  '--set': () => HELM_VALUES.map((name) => `${name}=`),
  '-i': devices,
  '-o': () => ['wide', 'yaml', 'json', 'name', 'jsonpath=', 'custom-columns='],
  '--libc': () => ['glibc', 'musl', 'go', 'bind', 'busybox'],
  '--protocol': () => ['udp', 'tcp', 'dns'],
};

/**
 * What may follow a line that is being typed: commands, their words, kinds and names of objects, pods, nodes, and
 * names to look up.
 */
export function completions(session: Session, line: string): Completions {
  const { lab } = session;
  const command = line
    .split(/[|;&]+/)
    .at(-1)!
    .trimStart();
  const words = command.split(/\s+/);
  const start = words.pop()!;
  const found = start.startsWith('$')
    ? session.variables.map((name) => `$${name}`)
    : session.inside
      ? insidePod(words, lab)
      : candidates(words, start, lab);
  return { words: [...new Set(found)].filter((word) => word.startsWith(start)).sort(), start };
}

function candidates(words: readonly string[], start: string, lab: Lab): readonly string[] {
  const [program, ...rest] = words;
  if (program === undefined) return [...COMMANDS.commands.map(({ name }) => name), ...Object.keys(BUILTINS)];
  const after = AFTER[rest.at(-1) ?? ''];
  if (after) return after(lab);
  if (['kubectl', 'k', 'kc', 'kubecolor'].includes(program)) return kubectlWords(rest, start, lab);
  if (program === 'ssh')
    return rest.length === 0
      ? [...lab.world.cluster.nodes.keys(), ...lab.world.cluster.hosts.keys()]
      : rest.length === 1
        ? COMMANDS.commands.map(({ name }) => name)
        : candidates(rest.slice(1), start, lab);
  if (program === 'explain') return lookups(lab);
  if (['crash', 'drop', 'hang', 'restart'].includes(program)) return [...pods(lab, spaceOf(rest)), ...workloads(lab)];
  if (program === 'help') return COMMANDS.commands.map(({ name }) => name);
  const usage = COMMANDS.commands.find(({ name }) => name === program)?.usage ?? '';
  return usage.match(/--?[a-z][\w-]*|\b[a-z][a-z-]+\b/g) ?? [];
}

function kubectlWords(rest: readonly string[], start: string, lab: Lab): readonly string[] {
  const dashes = rest.indexOf('--');
  if (dashes >= 0) return insidePod(rest.slice(dashes + 1), lab);
  const plain = rest.filter(
    (word, i) => !word.startsWith('-') && !['-n', '--namespace', '-l', '-f', '-o', '-c'].includes(rest[i - 1] ?? ''),
  );
  const [verb, kind] = plain;
  if (verb === undefined) return KUBECTL_VERBS;
  if (verb === 'exec' || verb === 'logs')
    return plain.length === 1 ? [...pods(lab, spaceOf(rest)), ...workloads(lab)] : ['--'];
  if (verb === 'rollout' && kind === undefined) return ['restart', 'status'];
  if (verb === 'rollout' || verb === 'scale') return workloads(lab);
  if (kind !== undefined) return names(lab, kind, rest);
  const [before, slash] = start.split('/');
  return slash === undefined ? KINDS : names(lab, before!, rest).map((name) => `${before!}/${name}`);
}

/** Programs, then names to look up. */
const insidePod = (words: readonly string[], lab: Lab): readonly string[] =>
  words.length === 0 ? programsThere() : words[0] === 'cat' ? ['/etc/resolv.conf', '/etc/hostname'] : lookups(lab);

function spaceOf(words: readonly string[]): string {
  const at = words.findIndex((word) => word === '-n' || word === '--namespace');
  return at < 0 ? 'default' : (words[at + 1] ?? 'default');
}

function names(lab: Lab, kind: string, words: readonly string[]): readonly string[] {
  const resource = resourceByWord(kind);
  if (!resource) return [];
  return objectsOf(resource.kind, lab)
    .filter((object) => !resource.namespaced || words.includes('-A') || namespaceIn(object) === spaceOf(words))
    .map(nameIn);
}

const pods = (lab: Lab, namespace: string): readonly string[] =>
  lab.kubelet
    .list()
    .filter((pod) => pod.namespace === namespace)
    .map(({ name }) => name);
const workloads = (lab: Lab): readonly string[] => [
  ...lab.api.list('Deployment').map(({ name }) => `deploy/${name}`),
  ...lab.api.list('DaemonSet').map(({ name }) => `ds/${name}`),
];

function lookups(lab: Lab): readonly string[] {
  const services = lab.api
    .list('Service')
    .flatMap(({ namespace, name }) => [
      name,
      `${name}.${namespace}`,
      `${name}.${namespace}.svc.${lab.topology.cluster.domain}`,
    ]);
  return [...services, ...OUTSIDE, '--pod', '--libc'];
}

function namespaces(lab: Lab): readonly string[] {
  return lab.api.list('Namespace').map(({ name }) => name);
}

function qualifiedPods(lab: Lab): readonly string[] {
  return lab.kubelet
    .list()
    .flatMap(({ namespace, name }) => [`${namespace}/${name}`, ...(namespace === 'default' ? [name] : [])]);
}

function devices(lab: Lab): readonly string[] {
  return [
    'any',
    ...new Set([...lab.world.cluster.nodes.values()].flatMap((node) => node.netns.interfaces.map(({ name }) => name))),
  ];
}
