import type { VerbHandler } from './verb.js';
import { parseManifest } from '../../../kube/manifests/parse.js';
import { objectAt, textAt } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import { MADE_RESOURCES, RESOURCES } from '../../cluster/resources.js';
import { CommandError } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { kindNamed, namespaceOf } from '../target/kinds.js';
import { podNamed } from '../target/targets.js';
import { print } from '../text/input.js';
import { unified } from '../text/unified.js';
import { manifestText } from './create.js';
import { strategicPatch } from '../../cluster/patch.js';
import { yamlOf } from './get.js';
import { nameIn, namespaceIn } from './metadata.js';
import { objectsOf } from './objects.js';

const NAMESPACE = { name: '--namespace', short: '-n', value: true };

/** Verbs that the lab has not, with what to do instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  // What kubectl says of a cluster without metrics-server.
  top: 'Metrics API not available',
  explain: 'the lab holds no documentation of fields; a field as it is: kubectl get KIND NAME -o yaml',
  attach: 'the programs of the lab take no input; their output: kubectl logs POD -f',
  proxy: 'objects as JSON: kubectl get KIND -o json',
  autoscale: 'nothing in the lab uses CPU that could be measured: kubectl scale deployment NAME --replicas=N',
  taint: 'the only taint of the lab is that of cordoned nodes: kubectl cordon NODE',
  certificate: 'nothing in the lab asks for certificates',
};

export const refused: Readonly<Record<string, VerbHandler>> = Object.fromEntries(
  Object.entries(INSTEAD).map(([verb, reason]) => [
    verb,
    (): number => {
      throw new CommandError(`error: ${verb === 'top' ? '' : `kubectl ${verb} is not in the lab: `}${reason}`);
    },
  ]),
);

/** `kubectl auth can-i`: whoever types in the lab is its administrator. */
export const auth: VerbHandler = (args, io) => {
  const { words } = parseOptions('kubectl auth', args, [
    NAMESPACE,
    { name: '--list' },
    { name: '--as', value: true },
    { name: '--all-namespaces', short: '-A' },
  ]);
  if (words[0] === 'whoami')
    return print(io, ['ATTRIBUTE   VALUE', 'Username    admin', 'Groups      [system:masters]']);
  const [action, verb, resource] = words;
  if (action !== 'can-i' || verb === undefined || resource === undefined)
    throw new CommandError(`error: kubectl auth: allowed: whoami, can-i VERB KIND`);
  if (resource !== '*') kindNamed(resource.split('/')[0]!);
  return print(io, ['yes']);
};

export const apiVersions: VerbHandler = (_args, io) =>
  print(io, [...new Set([...RESOURCES, ...MADE_RESOURCES].map(({ apiVersion }) => apiVersion))].sort());

/** `kubectl cp POD:FILE FILE` and back: files of a pod and of the session. */
export const copy: VerbHandler = (args, io) => {
  const options = parseOptions('kubectl cp', args, [NAMESPACE, { name: '--container', short: '-c', value: true }]);
  const [from, to, extra] = options.words;
  const inPod = (word: string | undefined): readonly [string, string] | undefined => {
    const [, pod, file] = /^([^:]+):(.+)$/.exec(word ?? '') ?? [];
    return pod === undefined ? undefined : [pod, file!];
  };
  const [source, target] = [inPod(from), inPod(to)];
  if (
    from === undefined ||
    to === undefined ||
    extra !== undefined ||
    (source === undefined) === (target === undefined)
  )
    throw new CommandError('error: kubectl cp: allowed: kubectl cp [NAMESPACE/]POD:FILE FILE, or FILE POD:FILE');
  const [word, file] = (source ?? target)!;
  const pod = podNamed(io.lab, word, namespaceOf(options));
  if (target) pod.files.write(file, io.session.read(from));
  else {
    const text = pod.files.read(file);
    if (text === undefined) throw new CommandError(`error: ${from}: no such file or directory`);
    io.session.written.set(to, text);
  }
  return 0;
};

/** `kubectl diff -f FILE`: what applying it would change. Exit code 1 where it would change something. */
export const diff: VerbHandler = async (args, io) => {
  const options = parseOptions('kubectl diff', args, [NAMESPACE, { name: '--filename', short: '-f', value: true }]);
  const files = options.all('--filename');
  if (files.length === 0) throw new CommandError('error: must specify -f FILE');
  let code = 0;
  for (const file of files) {
    for (const { kind, raw } of parseManifest(file, await manifestText(file, io))) {
      const resource = kindNamed(kind);
      const metadata = objectAt(raw, 'metadata');
      const namespace = resource.namespaced ? textAt(metadata, 'namespace') || namespaceOf(options) : '';
      const live = objectsOf(kind, io.lab).find(
        (object) => nameIn(object) === nameIn(raw as RawObject) && namespaceIn(object) === namespace,
      );
      const label = `${resource.apiVersion.replaceAll('/', '.')}.${kind}.${namespace}.${textAt(metadata, 'name')}`;
      const [before, after] = [live ? yamlOf(live) : '', yamlOf(live ? strategicPatch(live, raw) : raw)];
      if (before === after) continue;
      code = 1;
      const patch = unified(`LIVE/${label}`, `MERGED/${label}`, before, after);
      io.write(`diff -u -N LIVE/${label} MERGED/${label}\n${patch}`);
    }
  }
  return code;
};
