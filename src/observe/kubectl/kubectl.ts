import { LabelSelector, LabelSelectorError } from '../../kube/objects/label-selector.js';
import type { World } from '../../datapath/world.js';
import { KUBECTL_KINDS } from './kinds.js';
import type { KubectlFacts, KubectlKind, KubectlRow } from './kind.js';
import { OptionError } from '../option-error.js';
import { KUBECTL_TABLE, layOut } from '../table.js';

/** What a command printed. */
export interface KubectlOutput {
  readonly lines: readonly string[];
  /** Lines of the error output. */
  readonly errors: readonly string[];
  readonly exitCode: number;
}

interface GetOptions {
  readonly kinds: readonly KubectlKind[];
  readonly names: readonly string[];
  readonly namespace: string;
  readonly allNamespaces: boolean;
  readonly wide: boolean;
  readonly headers: boolean;
  readonly selector: LabelSelector | undefined;
}

const fail = (message: string): never => {
  throw new OptionError('kubectl get', message);
};

/**
 * `kubectl get ARGS`: `pods -A -o wide`, `svc,ep webpod -n default`, `pod -l app=webpod`. Throws an OptionError for
 * arguments that cannot be used.
 *
 * @param kinds what can be listed
 */
export function kubectlGet(
  args: readonly string[],
  world: World,
  facts: KubectlFacts,
  kinds: readonly KubectlKind[] = KUBECTL_KINDS,
): KubectlOutput {
  const options = parse(args, kinds);
  const errors: string[] = [];
  const tables: string[][] = [];
  for (const kind of options.kinds) {
    if (kind.warning !== undefined) errors.push(kind.warning);
    const rows = select(kind, options, world, facts);
    for (const name of options.names)
      if (!rows.some((row) => row.name === name))
        errors.push(`Error from server (NotFound): ${kind.resource} "${name}" not found`);
    if (rows.length > 0) tables.push(table(kind, rows, options));
  }
  const missing = errors.some((line) => line.startsWith('Error'));
  if (tables.length === 0 && !missing)
    errors.push(
      options.allNamespaces || options.kinds.every((kind) => !kind.namespaced)
        ? 'No resources found'
        : `No resources found in ${options.namespace} namespace.`,
    );
  return { lines: tables.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines])), errors, exitCode: missing ? 1 : 0 };
}

function select(
  kind: KubectlKind,
  { names, namespace, allNamespaces, selector }: GetOptions,
  world: World,
  facts: KubectlFacts,
): KubectlRow[] {
  return kind
    .rows(world, facts)
    .filter((row) => !kind.namespaced || allNamespaces || row.namespace === namespace)
    .filter((row) => names.length === 0 || names.includes(row.name))
    .filter((row) => selector === undefined || selector.matches(row.labels))
    .sort(kind.order ?? ((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name)));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function table(
  kind: KubectlKind,
  rows: readonly KubectlRow[],
  { allNamespaces, wide, headers, kinds }: GetOptions,
): string[] {
  const cells = (plain: readonly string[], more: readonly string[]): string[] => {
    const at = kind.wideAt ?? plain.length;
    return wide ? [...plain.slice(0, at), ...more, ...plain.slice(at)] : [...plain];
  };
  const spaced = kind.namespaced && allNamespaces;
  const named = (row: KubectlRow): readonly string[] =>
    kinds.length > 1 ? [`${kind.singular}/${row.name}`, ...row.cells.slice(1)] : row.cells;
  const head = [...(spaced ? ['NAMESPACE'] : []), ...cells(kind.columns, kind.wideColumns)];
  const body = rows.map((row) => [...(spaced ? [row.namespace] : []), ...cells(named(row), row.wide)]);
  return layOut(headers ? [head, ...body] : body, KUBECTL_TABLE);
}

/** Options that take a value, short and long. */
const VALUED: Readonly<Record<string, string>> = {
  '-n': 'namespace',
  '--namespace': 'namespace',
  '-o': 'output',
  '--output': 'output',
  '-l': 'selector',
  '--selector': 'selector',
};
const SWITCHES: Readonly<Record<string, string>> = { '-A': 'all', '--all-namespaces': 'all', '--no-headers': 'bare' };

function parse(args: readonly string[], known: readonly KubectlKind[]): GetOptions {
  const values = new Map<string, string>();
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith('-')) words.push(arg);
    else i += readOption(arg, args[i + 1], values);
  }
  const [kindText, ...rest] = words;
  if (kindText === undefined) return fail('You must specify the type of resource to get');
  const slash = kindText.indexOf('/');
  const kinds = (slash < 0 ? kindText : kindText.slice(0, slash)).split(',').map((text) => kindOf(text, known));
  const output = values.get('output');
  if (output !== undefined && output !== 'wide')
    fail(`unable to match a printer suitable for the output format "${output}", allowed formats are: wide`);
  return {
    kinds,
    names: slash < 0 ? rest : [kindText.slice(slash + 1), ...rest],
    namespace: values.get('namespace') ?? 'default',
    allNamespaces: values.has('all'),
    wide: output === 'wide',
    headers: !values.has('bare'),
    selector: selectorOf(values.get('selector')),
  };
}

/** Reads one option into `values`; returns how many further arguments it took. */
function readOption(arg: string, next: string | undefined, values: Map<string, string>): 0 | 1 {
  if (SWITCHES[arg] !== undefined) {
    values.set(SWITCHES[arg], 'true');
    return 0;
  }
  const match = /^(--[a-z-]+|-[a-zA-Z])=?(.*)$/s.exec(arg);
  const name = match && VALUED[match[1]!];
  if (!match || name === undefined || name === null) return fail(`unknown flag: ${arg}`);
  const value = match[2] !== '' ? match[2] : next;
  if (value === undefined) return fail(`flag needs an argument: ${arg}`);
  values.set(name, value);
  return match[2] !== '' ? 0 : 1;
}

function kindOf(text: string, known: readonly KubectlKind[]): KubectlKind {
  const wanted = text.toLowerCase();
  const found = known.find((kind) => kind.names.includes(wanted));
  return (
    found ??
    fail(
      `the server doesn't have a resource type "${text}": there are ${known.map((kind) => kind.names[0]).join(', ')}`,
    )
  );
}

function selectorOf(text: string | undefined): LabelSelector | undefined {
  if (text === undefined) return undefined;
  try {
    return LabelSelector.parse(text);
  } catch (error) {
    if (error instanceof LabelSelectorError) return fail(`invalid selector "${text}": ${error.message}`);
    throw error;
  }
}
