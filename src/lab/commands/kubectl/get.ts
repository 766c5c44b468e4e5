import { LabelSelector } from '../../../kube/objects/label-selector.js';
import { asObject } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import { loadYaml } from '../../../kube/yaml.js';
import { kubectlGet } from '../../../observe/kubectl/kubectl.js';
import type { KubectlKind, KubectlRow } from '../../../observe/kubectl/kind.js';
import { KUBECTL_TABLE, layOut } from '../../../observe/table.js';
import type { Resource } from '../../cluster/resources.js';
import { CommandError, untilEnded } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import type { Options } from '../../session/options.js';
import { JsonPath } from './json-path.js';
import { kindNamed, namespaceOf, shownAs } from '../target/kinds.js';
import { goTemplate } from './go-template.js';
import { factsOf, tablesOf } from './tables.js';
import { nameIn, namespaceIn } from './metadata.js';
import { rawText } from './raw.js';
import { objectsMeant, requireAll } from './selection.js';

const OPTIONS = [
  { name: '--namespace', short: '-n', value: true },
  { name: '--all-namespaces', short: '-A' },
  { name: '--selector', short: '-l', value: true },
  { name: '--field-selector', value: true },
  { name: '--output', short: '-o', value: true },
  { name: '--no-headers' },
  { name: '--show-labels' },
  { name: '--sort-by', value: true },
  { name: '--watch', short: '-w' },
  { name: '--ignore-not-found' },
  { name: '--raw', value: true },
];
const FORMATS = ['wide', 'yaml', 'json', 'name', 'jsonpath=...', 'go-template=...', 'custom-columns=...'];
/** What `get all` means. */
const ALL = 'pods,services,daemonsets,deployments,replicasets';

/**
 * `kubectl get`: tables, objects as YAML and JSON, names, and what templates take out of them. Throws a CommandError
 * or OptionError.
 */
export async function get(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions('kubectl get', args, OPTIONS);
  const raw = options.get('--raw');
  if (raw !== undefined) {
    io.write(withEnd(rawText(raw, io.lab)));
    return 0;
  }
  const [word, ...more] = options.words;
  if (word === undefined)
    throw new CommandError('error: You must specify the type of resource to get: pods, svc, ep, nodes, ..., or all');
  const [kinds = '', inline] = word.split('/');
  const wanted = kinds === 'all' ? ALL : kinds;
  const names =
    inline === undefined
      ? more
      : [inline, ...more.map((other) => (other.startsWith(`${kinds}/`) ? other.slice(kinds.length + 1) : other))];
  const format = options.get('--output') ?? '';
  if (format === '' || format === 'wide') return tables(wanted, names, options, io);
  if (options.has('--watch')) throw new CommandError('error: -w is for tables here: leave -o out, or take -o wide');
  const resources = wanted.split(',').map(kindNamed);
  const objects = resources.flatMap((resource) => selected(resource, names, options, io));
  // A name asks for one object, everything else for a list.
  return print(format, objects, names.length === 1 && resources.length === 1, options, io);
}

/** The objects of a kind that the options mean. Throws a CommandError for a name that is not there. */
function selected(resource: Resource, names: readonly string[], options: Options, io: CommandIo): RawObject[] {
  const namespace = options.has('--all-namespaces') || !resource.namespaced ? undefined : namespaceOf(options);
  const selector = LabelSelector.parse(options.get('--selector') ?? '');
  const fields = (options.get('--field-selector') ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map(fieldTest);
  const found = objectsMeant(resource, { namespace, names, selector }, io.lab).filter((object) =>
    fields.every((test) => test(object)),
  );
  if (!options.has('--ignore-not-found')) requireAll(resource, names, found);
  const by = options.get('--sort-by');
  if (by === undefined) return found;
  const path = new JsonPath(by);
  const keys = new Map(found.map((object) => [object, path.print(object)]));
  return found.sort((a, b) => compareKeys(keys.get(a)!, keys.get(b)!));
}

const compareKeys = (a: string, b: string): number =>
  /^\d+$/.test(a) && /^\d+$/.test(b) ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0;

function fieldTest(text: string): (object: RawObject) => boolean {
  const [, path, sign, value] = /^([A-Za-z.]+)(!=|==?)(.*)$/.exec(text) ?? [];
  if (path === undefined)
    throw new CommandError(
      `error: --field-selector: got "${text}", allowed: FIELD=VALUE or FIELD!=VALUE, such as spec.nodeName=k8s-ctr`,
    );
  const field = new JsonPath(`{.${path}}`);
  return (object) => (field.print(object) === value) === (sign !== '!=');
}

function print(
  format: string,
  objects: readonly RawObject[],
  single: boolean,
  options: Options,
  io: CommandIo,
): number {
  const whole =
    single && objects.length === 1
      ? objects[0]!
      : { apiVersion: 'v1', items: objects, kind: 'List', metadata: { resourceVersion: '' } };
  if (format === 'yaml') io.write(yamlOf(whole));
  else if (format === 'json') io.write(`${JSON.stringify(sorted(whole), undefined, 4)}\n`);
  else if (format === 'name')
    for (const object of objects) io.write(`${shownAs(kindNamed(String(object['kind'])), nameIn(object))}\n`);
  else if (/^jsonpath=/.test(format)) io.write(withEnd(new JsonPath(format.slice('jsonpath='.length)).print(whole)));
  else if (/^(go-)?template=/.test(format)) io.write(withEnd(goTemplate(format.slice(format.indexOf('=') + 1), whole)));
  else if (/^custom-columns=/.test(format))
    columns(format.slice('custom-columns='.length), objects, !options.has('--no-headers'), io);
  else
    throw new CommandError(
      `error: unable to match a printer suitable for the output format "${format}", allowed formats are: ${FORMATS.join(', ')}`,
    );
  return 0;
}

/** kubectl ends without a line feed here; a prompt would stand beside the text. */
const withEnd = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

/** An object as kubectl writes it: keys by name, lists not indented. */
export const yamlOf = (object: unknown): string =>
  loadYaml().stringify(sorted(object), {
    indentSeq: false,
    lineWidth: 0,
    version: '1.1',
  });

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const object = asObject(value);
  return Object.fromEntries(
    Object.keys(object)
      .filter((key) => object[key] !== undefined)
      .sort()
      .map((key) => [key, sorted(object[key])]),
  );
}

function columns(spec: string, objects: readonly RawObject[], headers: boolean, io: CommandIo): void {
  const parts = spec.split(',').map((part) => {
    const [, head, path] = /^([^:]+):(.+)$/.exec(part) ?? [];
    if (head === undefined) throw new CommandError(`error: custom-columns: got "${part}", allowed: HEADER:.path,...`);
    return { head, path: new JsonPath(`{${path!.startsWith('.') ? '' : '.'}${path!}}`) };
  });
  const rows = objects.map((object) => parts.map(({ path }) => path.print(object) || '<none>'));
  layOut(headers ? [parts.map(({ head }) => head), ...rows] : rows, KUBECTL_TABLE).forEach((line) =>
    io.write(`${line}\n`),
  );
}

async function tables(kinds: string, names: readonly string[], options: Options, io: CommandIo): Promise<number> {
  const words = kinds.split(',').map((word) => kindNamed(word).plural);
  const flags = [
    '-n',
    namespaceOf(options),
    ...['--all-namespaces', '--no-headers'].filter((name) => options.has(name)),
    ...(options.has('--output') ? ['-o', 'wide'] : []),
    ...(options.has('--selector') ? ['-l', options.get('--selector')!] : []),
  ];
  const list = (): ReturnType<typeof kubectlGet> =>
    kubectlGet(
      [words.join(','), ...names, ...flags],
      io.lab.world,
      factsOf(io.lab),
      tablesOf(io.lab).map((kind) => narrowed(kind, options, io)),
    );
  const { lines, errors, exitCode } = list();
  const told = options.has('--ignore-not-found') ? errors.filter((line) => !line.includes('(NotFound)')) : errors;
  for (const line of told) io.error(`${line}\n`);
  for (const line of lines) io.write(`${line}\n`);
  if (!options.has('--watch')) return told.length < errors.length ? 0 : exitCode;
  const stop = watch(lines, () => list().lines, io);
  try {
    await untilEnded(io, 'kubectl get -w');
  } finally {
    stop();
  }
  return 0;
}

/** Leaves out what the field selector leaves out, brings the rows in order, and shows labels. */
function narrowed(kind: KubectlKind, options: Options, io: CommandIo): KubectlKind {
  const [fields, by, labels] = [
    options.has('--field-selector'),
    options.get('--sort-by'),
    options.has('--show-labels'),
  ];
  if (!fields && by === undefined && !labels) return kind;
  const key = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
    `${namespace}/${name}`;
  let places: ReadonlyMap<string, number> | undefined;
  const place = (row: KubectlRow): number | undefined =>
    (places ??= new Map(
      selected(kindNamed(kind.names[0]!), [], options, io).map((object, i) => [
        key({ namespace: namespaceIn(object), name: nameIn(object) }),
        i,
      ]),
    )).get(key(row));
  return {
    ...kind,
    columns: labels ? [...kind.columns, 'LABELS'] : kind.columns,
    rows: (world, facts) =>
      kind
        .rows(world, facts)
        .filter((row) => !fields || place(row) !== undefined)
        .map((row) =>
          labels
            ? {
                ...row,
                cells: [
                  ...row.cells,
                  Object.entries(row.labels)
                    .map(([name, value]) => `${name}=${value}`)
                    .join(',') || '<none>',
                ],
              }
            : row,
        ),
    ...(by !== undefined && { order: (a: KubectlRow, b: KubectlRow) => place(a)! - place(b)! }),
  };
}

/** Prints rows again when they change in anything but their age. */
function watch(first: readonly string[], now: () => readonly string[], io: CommandIo): () => void {
  const body = (line: string): string =>
    line.replace(/\s+/g, ' ').replace(/(?<=^| )\d+[smhdy](\d+[smhdy])?(?= |$)/, '');
  let known = new Set(first.map(body));
  let waiting = false;
  const look = (): void => {
    waiting = false;
    const lines = now();
    for (const line of lines) if (!known.has(body(line))) io.write(`${line}\n`);
    known = new Set(lines.map(body));
  };
  const soon = (): void => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(look);
  };
  const stops = [
    io.lab.world.changes.subscribe(soon),
    io.lab.store.changes.subscribe(soon),
    io.lab.api.changes.subscribe(soon),
  ];
  return () => stops.forEach((stop) => stop());
}
