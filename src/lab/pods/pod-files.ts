import path from 'node:path';
import { arrayAt, asObject, objectAt, textAt, textMapAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { ServerFiles } from '../../server/runtime.js';
import { containersOf } from '../cluster/cluster-api.js';

interface Written {
  readonly text: string;
  readonly version: number;
}

/**
 * The files that a pod sees: its resolv.conf, the ConfigMaps that are mounted, and what its program has written. A
 * changed ConfigMap is seen at once.
 */
export class PodFiles {
  private readonly written = new Map<string, Written>();
  private version = 0;

  /** @param configMap the `data` of a ConfigMap of the pod's namespace, undefined where there is none of the name */
  constructor(
    private readonly pod: RawObject,
    private readonly configMap: (name: string) => Readonly<Record<string, string>> | undefined,
  ) {}

  write(file: string, text: string): void {
    this.written.set(file, { text, version: ++this.version });
  }

  /** undefined where there is no such file. */
  read(file: string): string | undefined {
    return this.written.get(file)?.text ?? this.mounted(file);
  }

  /** As a server reads files. */
  get asServerFiles(): ServerFiles {
    return {
      readFile: (file) => this.read(file) ?? notFound(file),
      glob: () => [],
      fileInfo: (file) => {
        const text = this.read(file);
        return text === undefined
          ? undefined
          : { mtime: this.written.get(file)?.version ?? hash(text), size: text.length };
      },
    };
  }

  private mounted(file: string): string | undefined {
    const volumes = arrayAt(objectAt(this.pod, 'spec'), 'volumes').map(asObject);
    for (const container of containersOf(this.pod)) {
      for (const mount of arrayAt(container, 'volumeMounts').map(asObject)) {
        const folder = textAt(mount, 'mountPath');
        if (path.dirname(file) !== folder.replace(/\/$/, '')) continue;
        const volume = volumes.find((candidate) => textAt(candidate, 'name') === textAt(mount, 'name'));
        const source = objectAt(volume, 'configMap');
        const data = this.configMap(textAt(source, 'name'));
        if (!data) continue;
        const items = arrayAt(source, 'items').map(asObject);
        const base = path.basename(file);
        const key =
          items.length > 0
            ? textAt(
                items.find((item) => textAt(item, 'path') === base),
                'key',
              )
            : base;
        if (Object.hasOwn(data, key)) return data[key];
      }
    }
    return undefined;
  }
}

/** The `data` of a ConfigMap. */
export const dataOf = (configMap: unknown): Readonly<Record<string, string>> => textMapAt(configMap, 'data') ?? {};

function notFound(file: string): never {
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${file}'`), { code: 'ENOENT', path: file });
}

/** A ConfigMap's keys carry no time: a changed text counts as a new modification time. */
function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) >>> 0;
  return value;
}
