/**
 * What a plugin needs, `nodens/plugin`. A plugin in plain JavaScript can do without all of it: it is one object, and
 * nothing here has to be the same as in the server that loads it.
 */
export {
  PLUGIN_API,
  definePlugin,
  type Awaitable,
  type HandleFunction,
  type MetricValue,
  type Plugin,
  type PluginBlock,
  type PluginHandler,
  type PluginMetrics,
  type PluginNext,
  type PluginPlace,
  type PluginRoute,
} from './plugin-api/contract.js';
export type { ClientNetworks, DependsOn, Role } from './chain/handler.js';
export type { Transport } from './chain/client.js';
export type { Rcode } from './wire/constants.js';
export {
  DROP_REPLY,
  type ChangedQuestion,
  type ExtendedError,
  type HandlerResult,
  type PluginClient,
  type PluginQuery,
  type PluginQuestion,
  type PluginReply,
  type RcodeName,
  type ReplyInit,
} from './plugin-api/messages.js';
export type { HttpAnswer, HttpRequest } from './chain/http.js';
export type {
  ChoiceOption,
  DurationOption,
  FlagOption,
  NumberOption,
  OptionBase,
  OptionSchema,
  OptionValue,
  OptionValues,
  PluginOption,
  TextOption,
  WordOf,
  ZonesOption,
} from './plugin-api/options.js';
export type { RawRecord, ResourceRecord } from './plugin-api/records.js';
export type { PluginTable, TableEntries, TableLoad, TableOptions, TableResult } from './plugin-api/table-options.js';
export type { TypeName } from './plugin-api/type-names.js';
