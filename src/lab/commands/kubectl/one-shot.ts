import type { RawObject } from '../../../kube/objects/raw.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { namespaceOf } from '../target/kinds.js';
import { nodeNamed, podNamed } from '../target/targets.js';
import { whole } from '../text/input.js';
import { COMMON, make } from './create.js';
import { openShell, runInPod } from './exec.js';

const TERMINAL = [
  { name: '--stdin', short: '-i' },
  { name: '--tty', short: '-t' },
  { name: '--quiet', short: '-q' },
];

/**
 * `kubectl run NAME --image=IMAGE [-- COMMAND]`: a pod by itself. With -i or -t and a command, the command runs in the
 * pod at once and its output is shown, and with --rm the pod goes when it has ended; without, a command is what keeps
 * the pod running.
 */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl run', args, [
    ...COMMON,
    ...TERMINAL,
    { name: '--image', value: true },
    { name: '--labels', short: '-l', value: true },
    { name: '--restart', value: true },
    { name: '--port', value: true },
    { name: '--env', value: true },
    { name: '--overrides', value: true },
    { name: '--rm' },
    { name: '--command' },
    { name: '--attach' },
    { name: '--image-pull-policy', value: true },
  ]);
  // What follows the name may stand without the two dashes.
  const [name, ...words] = options.words;
  const command = [...words, ...options.rest];
  const image = options.get('--image');
  if (name === undefined || image === undefined)
    throw new CommandError('error: kubectl run: allowed: kubectl run NAME --image=IMAGE [--rm -it] [-- COMMAND]');
  const attached = options.has('--stdin') || options.has('--tty') || options.has('--attach');
  if (options.has('--rm') && !attached)
    throw new CommandError('error: --rm should only be used for attached containers');
  const labels = Object.fromEntries(
    (options.get('--labels') ?? `run=${name}`).split(',').map((one) => one.split('=') as [string, string]),
  );
  const env = options.all('--env').map((text) => {
    const equals = text.indexOf('=');
    if (equals < 1) throw new CommandError(`error: invalid env: ${text}, allowed: NAME=VALUE`);
    return { name: text.slice(0, equals), value: text.slice(equals + 1) };
  });
  const container = {
    image,
    name,
    ...(command.length > 0 && { [options.has('--command') ? 'command' : 'args']: command }),
    ...(env.length > 0 && { env }),
    ...(options.has('--port') && {
      ports: [{ containerPort: whole('kubectl run: --port', options.get('--port')!, 1, 65_535) }],
    }),
  };
  const pod: RawObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { labels, name, namespace: namespaceOf(options) },
    spec: { ...overridden(options.get('--overrides')), containers: [container] },
  };
  const once = attached && command.length > 0;
  if (!once) {
    await make(pod, 'kubectl run', options, io);
    return options.has('--tty') ? openShell(podNamed(io.lab, name, namespaceOf(options)), io) : 0;
  }
  await make(pod, 'kubectl run', options, { ...io, write: () => undefined });
  const running = podNamed(io.lab, name, namespaceOf(options));
  try {
    return await runInPod(running, command, io);
  } finally {
    if (options.has('--rm')) {
      await io.lab.remove('Pod', running.namespace, name, true);
      if (!options.has('--quiet')) io.write(`pod "${name}" deleted from ${running.namespace} namespace\n`);
    }
  }
}

/** The `spec` of --overrides: of what it says only the settings of DNS, network and place are meant. */
function overridden(text: string | undefined): RawObject {
  if (text === undefined) return {};
  try {
    const parsed = JSON.parse(text) as { readonly spec?: RawObject };
    const { containers: _own, ...spec } = parsed.spec ?? {};
    return spec;
  } catch (error) {
    throw new CommandError(`error: --overrides: ${(error as Error).message}; allowed: '{"spec":{...}}' as JSON`);
  }
}

/** `kubectl debug -it POD --image=IMAGE -- COMMAND`: a program beside a pod's own, or on a node with `node/NAME`. */
export async function debug(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl debug', args, [
    ...COMMON,
    ...TERMINAL,
    { name: '--image', value: true },
    { name: '--target', value: true },
    { name: '--container', short: '-c', value: true },
    { name: '--profile', value: true },
  ]);
  const [target, ...words] = options.words;
  const command = [...words, ...options.rest];
  if (target === undefined || !options.has('--image'))
    throw new CommandError(
      'error: kubectl debug: allowed: kubectl debug -it POD --image=IMAGE [-- COMMAND], ' +
        'kubectl debug -it node/NODE --image=IMAGE [-- COMMAND]',
    );
  if (/^nodes?\//.test(target)) {
    const node = nodeNamed(io.lab, target.slice(target.indexOf('/') + 1));
    if (command.length === 0) throw new CommandError(`error: kubectl debug ${target}: give a command: -- COMMAND`);
    return io.session.execute(command[0] === 'chroot' ? command.slice(2) : command, { ...io, node: node.name });
  }
  const pod = podNamed(io.lab, target.replace(/^pods?\//, ''), namespaceOf(options));
  io.error(
    `Defaulting debug container name to debugger-${io.lab.workloads.draw(5)}.\n` +
      (command.length === 0 ? "If you don't see a command prompt, try pressing enter.\n" : ''),
  );
  return command.length === 0 ? openShell(pod, io) : runInPod(pod, command, io);
}
