import type { Client, Query } from '../chain/index.js';
import type { ChangedQuestion, PluginClient, PluginQuery } from './messages.js';
import { className } from '../wire/index.js';
import { nameFrom } from './data-fields.js';
import { publicName } from './names.js';
import { publicTypeName, typeNumber } from './type-names.js';

const QUERY = Symbol('nodens.query');

/**
 * A query as plugins see it. Everything is worked out when it is asked for. All of it are properties of its own, so
 * that a copy with a spread keeps them.
 */
export function viewQuery(query: Query): PluginQuery {
  return Object.freeze({
    [QUERY]: query,
    get name() {
      return publicName(query.name);
    },
    get type() {
      return publicTypeName(query.type);
    },
    get question() {
      return { name: publicName(query.qname), type: publicTypeName(query.type), class: className(query.class) };
    },
    id: query.id,
    get client() {
      return viewClient(query.client, query.family);
    },
    recursionDesired: query.recursionDesired,
    checkingDisabled: query.checkingDisabled,
    get dnssecOk() {
      return query.do;
    },
    get ednsOptions() {
      return query.ednsOptions;
    },
    received: query.received,
    get signal() {
      return query.context.signal;
    },
    label: (name: string) => query.context.metadata?.get(name),
  });
}

/** The query behind a view or a copy of one. Throws a TypeError for anything else. */
export function queryOf(view: unknown): Query {
  const query = (view as { [QUERY]?: Query } | undefined)?.[QUERY];
  if (query === undefined) throw new TypeError('expected the query that the handler was given');
  return query;
}

/** The query with another question. Throws a NodensError for a name or type that is none. */
export function changedQuery(query: Query, { name, type }: ChangedQuestion): Query {
  const qname = name === undefined || name === publicName(query.name) ? query.qname : nameFrom(name, 'name');
  const number = type === undefined ? query.type : typeNumber(type, 'type');
  return qname === query.qname && number === query.type ? query : query.withQuestion(qname, number);
}

const viewClient = (client: Client, family: 4 | 6): PluginClient => ({
  address: client.remote.address,
  port: client.remote.port,
  family,
  transport: client.transport,
  local: { address: client.local.address, port: client.local.port },
  server: client.server.label,
  serverName: client.tls?.serverName,
});
