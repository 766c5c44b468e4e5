import { definePlugin as defineDirective, onlyOne, type Handler, type PluginDefinition } from '../chain/index.js';
import type { Directive } from '../corefile/index.js';
import { NodensError } from '../lib/errors.js';
import type { Awaitable, HandleFunction, Plugin, PluginHandler } from './contract.js';
import { shown } from './data-fields.js';
import { isThenable, wordsOf } from './faults.js';
import { readOptions, type OptionSchema, type OptionValues } from './options.js';
import { BlockForPlugin } from './plugin-block.js';
import { PluginLink, type LinkHost } from './plugin-link.js';

type SetupResult = HandleFunction | PluginHandler | undefined | void;

/** A plugin as the server sets up directives. */
export function adaptPlugin(plugin: Plugin): PluginDefinition {
  return defineDirective(plugin.name, (directives, block) => {
    const directive = onlyOne(directives);
    const { name } = plugin;
    const own = new BlockForPlugin(name, block, directive);
    const options = readOptions(plugin.options ?? {}, directive, own.zones) as OptionValues<OptionSchema>;
    const { runtime } = block;
    const host: LinkHost = {
      clock: runtime.clock,
      stalls: own.stalls,
      tablesReady: () => own.tablesReady(),
      overdue: (query) =>
        own.log.error(`"${query.qname} ${query.typeName}": the promise for its answer was not settled in time`),
    };
    const handler = finished(
      directive,
      attempt(directive, () => own.watching(() => plugin.setup(own, options))),
      own,
    );
    return handler && (new PluginLink(plugin as Plugin<never>, handler, host) satisfies Handler);
  });
}

/** What setup throws is told at the directive. */
function attempt<T>(directive: Directive, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof NodensError && error.place !== undefined) throw error;
    return directive.fail(`setup: ${wordsOf(error)}`);
  }
}

/** The handler that setup returned or promised; one that is promised is there before the first query. */
function finished(
  directive: Directive,
  made: Awaitable<SetupResult>,
  block: BlockForPlugin,
): PluginHandler | undefined {
  if (!isThenable(made)) return handlerOf(directive, made);
  let handler: PluginHandler | undefined;
  const done = Promise.resolve(made).then(
    (result) => {
      handler = handlerOf(directive, result);
      return undefined;
    },
    (error: unknown) => error as Error,
  );
  block.onStart(async () => {
    const error = await done;
    if (error !== undefined)
      attempt(directive, () => {
        throw error;
      });
  });
  return {
    handle: (query, next) => (handler === undefined ? next() : handler.handle(query, next)),
    ready: () => handler?.ready?.() ?? true,
  };
}

function handlerOf(directive: Directive, made: SetupResult): PluginHandler | undefined {
  if (made === undefined) return undefined;
  if (typeof made === 'function') return { handle: made };
  return typeof made === 'object' && made !== null && typeof made.handle === 'function'
    ? made
    : directive.fail(
        `setup returned ${shown(made)}, expected: a function (query, next), an object with handle, or nothing`,
      );
}
