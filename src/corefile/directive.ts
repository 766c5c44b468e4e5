import { CorefileEntry } from './entry.js';
import type { EntryParts } from './entry.js';
import { suggestion } from './nearest.js';

/** One occurrence of a directive in a server block, such as `cache 30 example.org { ... }`. */
export class Directive extends CorefileEntry {
  readonly options: readonly Option[] | undefined;

  constructor(parts: EntryParts, options?: readonly Option[]) {
    super(parts);
    this.options = options;
  }

  protected get path(): readonly string[] {
    return [this.name];
  }

  /** The same with only those of its options that `keep` holds for. */
  with(keep: (option: Option) => boolean): Directive {
    return new Directive(this, this.options?.filter(keep));
  }

  /**
   * Throws a CorefileError `FILE:LINE: DIRECTIVE: text`, at the option's line (`DIRECTIVE: OPTION: text`) if one is
   * given.
   */
  override fail(text: string, at?: Option): never {
    return at ? at.fail(text) : super.fail(text);
  }
}

/** One line in a directive's block, or in an option's own block. */
export class Option extends CorefileEntry {
  readonly options: readonly Option[] | undefined;
  /** Names of the directive and the options around this one, outermost first. */
  private readonly parents: readonly string[];

  constructor(parts: EntryParts, parents: readonly string[], options?: readonly Option[]) {
    super(parts);
    this.parents = parents;
    this.options = options;
  }

  /** Name of the directive that it belongs to. */
  get directive(): string {
    return this.parents[0]!;
  }

  protected get path(): readonly string[] {
    return [...this.parents, this.name];
  }

  /**
   * Throws a CorefileError that says which options there are: `FILE:LINE: DIRECTIVE: unknown option 'x'; allowed:
   * ...`.
   */
  unknown(allowed: readonly string[]): never {
    return this.refuse(
      this.parents,
      `unknown option '${this.name}'; allowed: ${allowed.join(', ')}${suggestion(this.name, allowed)}`,
    );
  }
}
