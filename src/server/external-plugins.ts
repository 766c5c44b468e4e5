import { createHash } from 'node:crypto';
import type { Handler, PluginDefinition } from '../chain/index.js';
import {
  CorefileError,
  suggestion,
  type CorefileDraft,
  type PluginStatement,
  type ServerBlock,
} from '../corefile/index.js';
import type { Logger } from '../lib/log.js';
import type { Plugin } from '../plugin-api/contract.js';
import type { LoadedPlugin, PluginLoader } from '../plugin-api/loader.js';
import type * as PluginHostModule from '../plugin-api/host.js';
import { PluginError } from '../plugin-api/plugin-error.js';

/** A plugin from outside this package: what says where it is, or the plugin itself. */
export type ExternalPlugin = PluginStatement | Plugin;

type PluginHost = typeof PluginHostModule;

/** Where plugins stand that say nothing, and whose Corefile says nothing: no answer is kept before they are asked. */
const DEFAULT_PLACE = { side: 'before', name: 'cache' } as const;

/** The directives of one configuration. */
export interface Directives {
  /** In the order of the chain. */
  readonly order: readonly PluginDefinition[];
  /** Those from outside, by name. */
  readonly external: ReadonlyMap<string, LoadedPlugin>;
}

/** Finds the plugins that a configuration has beside those of this package, and puts all in order. */
export class ExternalPlugins {
  /** Undefined until a plugin is asked for: most servers have none. */
  private loader: PluginLoader | undefined;
  /** Files of all plugins that were ever loaded. */
  readonly files = new Set<string>();

  /**
   * @param given those of every configuration, such as the command line's
   * @param cwd where relative paths count from; undefined for a server whose files are not this host's
   */
  constructor(
    private readonly builtin: readonly PluginDefinition[],
    private readonly given: readonly ExternalPlugin[],
    private readonly cwd: string | undefined,
    private readonly log: Logger,
  ) {}

  /** Loads what the Corefile asks for. Rejects with a PluginError that says where and what was expected. */
  async load(draft: CorefileDraft): Promise<Directives> {
    const wanted = [...this.given, ...draft.plugins];
    if (wanted.length === 0) return { order: this.builtin, external: new Map() };
    const host = await import('../plugin-api/host.js');
    const loader = (this.loader ??= new host.PluginLoader(this.cwd ?? '/', this.log));
    const external = new Map<string, LoadedPlugin>();
    for (const [i, one] of wanted.entries()) {
      if (isStatement(one) && this.cwd === undefined)
        throw new PluginError(
          one,
          "plugins are files of this host, and this server's files are others: hand the plugin in as an object",
        );
      const loaded = isStatement(one) ? await loader.load(one) : handedIn(one, i, host);
      const { plugin, statement, files } = loaded;
      const before = external.get(plugin.name)?.statement;
      if (before !== undefined)
        throw new PluginError(
          statement,
          `the name '${plugin.name}' is taken by plugin ${before.source} (${before.file}:${before.line}), expected: another name`,
        );
      if (this.builtin.some(({ name }) => name === plugin.name))
        throw new PluginError(
          statement,
          `the name '${plugin.name}' is taken by a directive of nodens, expected: another name`,
        );
      external.set(plugin.name, loaded);
      for (const file of files) this.files.add(file);
    }
    return { order: this.inOrder([...external.values()], host), external };
  }

  /** The digest of a Corefile, and of the plugins that it loads where there are any. */
  digest(corefile: string, statements: readonly PluginStatement[]): string {
    const loaded = [...this.given.filter(isStatement), ...statements];
    if (loaded.length === 0) return corefile;
    return createHash('sha512')
      .update(`${corefile}\n${this.loader?.digest(loaded) ?? JSON.stringify(loaded)}`)
      .digest('hex');
  }

  /** Plugins may stand beside each other, whichever was loaded first. */
  private inOrder(plugins: readonly LoadedPlugin[], host: PluginHost): PluginDefinition[] {
    const order: Placed[] = this.builtin.map((definition) => ({ definition, anchor: undefined }));
    let left = [...plugins];
    while (left.length > 0) {
      const rest = left.filter((loaded) => !insert(order, loaded, host));
      if (rest.length === left.length) unknownPlace(rest[0]!, order);
      left = rest;
    }
    for (const { plugin, statement } of plugins)
      this.log.info(`Plugin ${plugin.name} is loaded from ${statement.source}`);
    return order.map(({ definition }) => definition);
  }
}

interface Placed {
  readonly definition: PluginDefinition;
  /** Which directive it stands beside, on which side; undefined for those of this package. */
  readonly anchor: string | undefined;
}

const placeOf = ({ plugin, statement }: LoadedPlugin): { side: 'before' | 'after'; name: string } => {
  if (statement.position !== undefined) return statement.position;
  const { at } = plugin;
  if (at === undefined) return DEFAULT_PLACE;
  return 'before' in at ? { side: 'before', name: at.before } : { side: 'after', name: at.after };
};

/** Puts a plugin in its place, behind those that were put there before; false where there is no such place yet. */
function insert(order: Placed[], loaded: LoadedPlugin, { adaptPlugin }: PluginHost): boolean {
  const { side, name } = placeOf(loaded);
  const index = order.findIndex(({ definition }) => definition.name === name);
  if (index < 0) return false;
  const anchor = `${side} ${name}`;
  let at = side === 'before' ? index : index + 1;
  while (side === 'after' && order[at]?.anchor === anchor) at++;
  order.splice(at, 0, { definition: adaptPlugin(loaded.plugin), anchor });
  return true;
}

function unknownPlace(loaded: LoadedPlugin, order: readonly Placed[]): never {
  const { side, name } = placeOf(loaded);
  const names = order.map(({ definition }) => definition.name);
  throw new PluginError(
    loaded.statement,
    `'${side} ${name}': there is no such directive, expected one of: ${names.join(', ')}${suggestion(name, names)}`,
  );
}

const isStatement = (one: ExternalPlugin): one is PluginStatement => 'source' in one;

function handedIn(plugin: Plugin, i: number, { whatIsWrong }: PluginHost): LoadedPlugin {
  const source = `plugins[${i}]`;
  const statement = { source, position: undefined, integrity: undefined, from: '', file: 'options', line: 1 };
  const wrong = whatIsWrong(plugin);
  if (wrong !== undefined) throw new PluginError(statement, wrong);
  return { plugin, statement, files: [] };
}

/**
 * What external plugins ask of their server block. Throws a CorefileError at the directive where one needs another that
 * is not there, or stands where one client's answer would be kept for another.
 */
export function checkBlock({ external, order }: Directives, block: ServerBlock, handlers: readonly Handler[]): void {
  for (const directive of block.directives) {
    const loaded = external.get(directive.name);
    if (loaded === undefined) continue;
    const { plugin } = loaded;
    const own = handlers.find(({ name }) => name === directive.name);
    const has = (name: string): boolean => block.directives.some((other) => other.name === name);
    const missing = plugin.needs?.find((name) => !has(name));
    if (missing !== undefined) directive.fail(`it needs '${missing}' in the same server block`);
    const at = (name: string): number => order.findIndex((one) => one.name === name);
    const kept = has('cache') && at(directive.name) > at('cache');
    if (kept && own !== undefined && own.dependsOn !== 'question')
      throw new CorefileError(
        directive.file,
        directive.line,
        `${directive.name}: it stands after 'cache', which would give one client's answer to others; ` +
          `place it before cache, or let it say dependsOn: 'question'`,
      );
  }
}
