import type { Document, LineCounter } from 'yaml';
import { NodensError, type FilePlace } from '../../lib/errors.js';
import { arrayAt, asObject, objectAt, textAt } from '../../kube/objects/raw.js';
import { loadYaml } from '../../kube/yaml.js';

/** A way to a member: names of fields, and numbers of items from 0. */
export type MemberPath = readonly (string | number)[];

/** A text in a manifest, with as many lines before it as stand before it in the file. */
export interface PlacedText {
  readonly file: string;
  /** Its lines have the numbers that they have in the file, where it is written as a block (`|`). */
  readonly text: string;
  /** Where all of it stands, when its lines are none of the file: `file` is a name for it then. */
  readonly place?: FilePlace;
}

/** One object of a manifest, which knows in which line each of its members stands. */
export class ClusterObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;

  constructor(
    readonly file: string,
    readonly raw: unknown,
    private readonly document: Document,
    private readonly lines: LineCounter,
    private readonly base: MemberPath,
  ) {
    this.kind = textAt(raw, 'kind');
    this.name = textAt(objectAt(raw, 'metadata'), 'name');
    this.namespace = textAt(objectAt(raw, 'metadata'), 'namespace') || 'default';
  }

  /** The line of a member, or of the nearest one around it that there is. */
  at(...path: MemberPath): FilePlace {
    for (let length = path.length; length >= 0; length--) {
      const range = this.node([...this.base, ...path.slice(0, length)])?.range;
      if (range) return { file: this.file, line: this.lines.linePos(range[0]).line };
    }
    return { file: this.file, line: 1 };
  }

  /** A member that is text; undefined for anything else. */
  text(...path: MemberPath): PlacedText | undefined {
    const node = this.node([...this.base, ...path]);
    if (node === undefined || typeof node.value !== 'string' || !node.range) return undefined;
    const { line } = this.lines.linePos(node.range[0]);
    // The text of a block begins in the line after its mark; one in quotes stands in a single line.
    if (node.type === 'BLOCK_LITERAL') return { file: this.file, text: '\n'.repeat(line) + node.value };
    const place = { file: this.file, line };
    return { file: `${this.file} (${path.join('.')})`, text: node.value, place };
  }

  private node(path: MemberPath): { range?: [number, number, number]; value?: unknown; type?: string } | undefined {
    const node: unknown = path.length === 0 ? this.document.contents : this.document.getIn(path, true);
    return typeof node === 'object' && node !== null ? node : undefined;
  }
}

/** The objects of a YAML or JSON text, Lists taken apart. Throws a NodensError with the place of what cannot be read. */
export function readObjects({ file, text }: PlacedText): ClusterObject[] {
  const { LineCounter, parseAllDocuments } = loadYaml();
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines });
  const documents: readonly Document[] = Array.isArray(parsed) ? parsed : [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error) {
      const { line } = lines.linePos(error.pos[0]);
      const [what = ''] = error.message.split(/ at line \d+|\n/);
      throw new NodensError('NODENS_MANIFEST', `${file}:${line}: ${what}`, { place: { file, line } });
    }
    const raw: unknown = document.toJS({ maxAliasCount: 100 });
    const own = new ClusterObject(file, raw, document, lines, []);
    if (!own.kind.endsWith('List')) return own.kind === '' ? [] : [own];
    return arrayAt(raw, 'items').map((item, i) => new ClusterObject(file, item, document, lines, ['items', i]));
  });
}

/** A container of a pod, with the way to it. */
export interface ContainerView {
  readonly path: MemberPath;
  readonly raw: unknown;
  readonly words: readonly string[];
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: 'UDP' | 'TCP' }[];
}

/** What starts pods: a Deployment, a DaemonSet, a StatefulSet or a Pod by itself. */
export class PodOwner {
  readonly pod: unknown;
  /** The way to the specification of its pods. */
  readonly path: MemberPath;
  readonly labels: Readonly<Record<string, string>>;
  readonly containers: readonly ContainerView[];

  constructor(readonly object: ClusterObject) {
    const alone = object.kind === 'Pod';
    const template = alone ? object.raw : objectAt(objectAt(object.raw, 'spec'), 'template');
    this.path = alone ? ['spec'] : ['spec', 'template', 'spec'];
    this.pod = objectAt(template, 'spec');
    const labels = Object.entries(objectAt(objectAt(template, 'metadata'), 'labels'));
    this.labels = Object.fromEntries(labels.map(([key, value]) => [key, String(value)]));
    this.containers = arrayAt(this.pod, 'containers').map((raw, i) => ({
      path: [...this.path, 'containers', i],
      raw,
      words: [...arrayAt(raw, 'command'), ...arrayAt(raw, 'args')].map(String),
      ports: arrayAt(raw, 'ports').map((port) => ({
        name: textAt(port, 'name'),
        port: Number(asObject(port)['containerPort']),
        protocol: textAt(port, 'protocol') === 'UDP' ? ('UDP' as const) : ('TCP' as const),
      })),
    }));
  }

  get hostNetwork(): boolean {
    return asObject(this.pod)['hostNetwork'] === true;
  }

  /** Names of the ConfigMaps that its pods mount. */
  get configs(): string[] {
    return arrayAt(this.pod, 'volumes').map((volume) => textAt(objectAt(volume, 'configMap'), 'name'));
  }

  /** The container that runs a node cache. */
  get nodeCache(): ContainerView | undefined {
    return this.containers.find(({ words }) => words.some((word) => /^--?localip(=|$)/.test(word)));
  }

  at(...path: MemberPath): FilePlace {
    return this.object.at(...this.path, ...path);
  }
}

export const WORKLOADS = ['Deployment', 'DaemonSet', 'StatefulSet', 'Pod'];
