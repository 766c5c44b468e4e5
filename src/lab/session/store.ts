import path from 'node:path';
import { CommandError } from './command.js';
import type { CommandFiles, SessionFiles } from './command.js';

/** Folders of a node: what is not in the model is not there; the machine that the lab runs on is never asked. */
const OF_THE_NODE = /^\/(etc|var|proc|sys|run|usr|lib|lib64|boot|dev|bin|sbin|opt)(\/|$)/;

/** The files of a session: those that lines have written, those of the node, and those of the folder of the user. */
export class SessionStore implements CommandFiles {
  readonly written = new Map<string, string>();
  private readonly folders = new Set<string>();
  /** Names that were removed here: the user's own file of that name stays. */
  private readonly removed = new Set<string>();
  /** The folder that names without a slash are meant in; empty for the user's. */
  folder = '';

  constructor(
    private readonly files: SessionFiles,
    private readonly ofNode: (file: string) => string | undefined,
  ) {}

  /** As files are looked for: without `./`, and in the folder of the session. */
  nameOf(file: string): string {
    const joined = path.posix.normalize(path.posix.join(file.startsWith('/') ? '' : this.folder, file));
    const name = joined.replace(/(.)\/$/, '$1');
    // The home folder is where lines write.
    const home = name.replace(/^\/root\//, '');
    return this.written.has(home) || this.folders.has(home) ? home : name;
  }

  read(file: string): string {
    const text = this.find(file);
    if (text !== undefined) return text;
    const name = this.nameOf(file);
    if (OF_THE_NODE.test(name) || this.removed.has(name)) throw new CommandError(`cannot read ${file}: no such file`);
    try {
      return this.files.read(name);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new CommandError(
        `cannot read ${file}: ${code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'it is a directory, allowed: a file' : message}`,
      );
    }
  }

  write(file: string, text: string): void {
    const name = this.nameOf(file);
    this.removed.delete(name);
    this.written.set(name, text);
  }

  kind(file: string): 'file' | 'folder' | undefined {
    const name = this.nameOf(file);
    if (this.find(file) !== undefined) return 'file';
    if (this.removed.has(name)) return undefined;
    if (name === '.' || name === '/' || name === '/root' || this.folders.has(name)) return 'folder';
    if ([...this.written.keys()].some((one) => one.startsWith(`${name}/`))) return 'folder';
    if (OF_THE_NODE.test(name)) return undefined;
    try {
      this.files.read(name);
      return 'file';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EISDIR' ? 'folder' : undefined;
    }
  }

  list(folder: string): readonly string[] {
    const name = this.nameOf(folder);
    const inside = name === '.' || name === '/root' ? '' : `${name}/`;
    const names = new Set<string>();
    for (const one of [...this.written.keys(), ...this.folders])
      if (one.startsWith(inside) && (inside !== '' || !one.startsWith('/')))
        names.add(one.slice(inside.length).split('/', 1)[0]!);
    if (!OF_THE_NODE.test(name))
      try {
        for (const one of this.files.list?.(name) ?? []) if (!this.removed.has(`${inside}${one}`)) names.add(one);
      } catch {
        // A folder of the user that cannot be read has no names for us.
      }
    names.delete('');
    return [...names].sort();
  }

  makeFolder(folder: string): void {
    this.folders.add(this.nameOf(folder));
  }

  /** Forgets a file. The user's own file is not touched; it is only not seen here any more. */
  remove(file: string): void {
    const name = this.nameOf(file);
    this.removed.add(name);
    for (const names of [this.written, this.folders])
      for (const one of [...names.keys()]) if (one === name || one.startsWith(`${name}/`)) names.delete(one);
  }

  private find(file: string): string | undefined {
    const name = this.nameOf(file);
    return this.written.get(name) ?? this.written.get(file) ?? this.ofNode(name);
  }
}
