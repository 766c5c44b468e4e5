import {
  QueryContext,
  makeQuery,
  type Client,
  type OwnQuestion,
  type Runtime,
  type ServerAddress,
} from '../chain/index.js';
import type { Milliseconds } from '../lib/units.js';
import { Type, decodeMessage, type Message } from '../wire/index.js';
import type { AddressBook } from './address-book.js';
import { inspect, type Inspection } from './inspection.js';
import { QUERY_TIME, Responder } from './respond.js';
import type { Routes } from './routes.js';

/** A query to inject: its message, or what to ask. */
export type Injected = Uint8Array | (OwnQuestion & { readonly transport?: 'udp' | 'tcp' });

/** Who is said to ask, and over what. */
export type InjectedFrom = Partial<Pick<Client, 'transport' | 'remote'>>;

/** What queries are injected into. */
export interface InjectionHost {
  readonly runtime: Runtime;
  readonly responder: Responder;
  readonly queryTime: Milliseconds | undefined;
  readonly addresses: AddressBook;
  /** The running configuration's. */
  served(): ReadonlyMap<ServerAddress, Routes>;
}

/** Asks a server without a socket. */
export class Injector {
  constructor(private readonly from: InjectionHost) {}

  /**
   * Answers a query through the whole chain without a socket; undefined when the answer is silence. Rejects with what a
   * handler throws.
   */
  inject(query: Injected, from: InjectedFrom = {}): Promise<Message | undefined> {
    return new Promise((resolve, reject) => {
      const hooks = { panicked: (error: unknown) => reject(asError(error)), overdue: () => undefined };
      const responder = new Responder(this.from.runtime.clock, hooks, this.from.queryTime);
      responder.refuses = this.from.responder.refuses;
      const told = (answer?: Uint8Array): void => resolve(answer && decodeMessage(answer));
      this.ask(query, from, responder, told);
    });
  }

  /** As `inject`, with the bytes that a client would get; where a handler throws, that is SERVFAIL. */
  exchange(query: Injected, from: InjectedFrom = {}): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => this.ask(query, from, this.from.responder, resolve));
  }

  /** A label (`plugin/name`) that the running configuration has for a client, whatever it asks. */
  clientLabel(address: string, label: string): string | undefined {
    const { clock, random } = this.from.runtime;
    for (const [server, routes] of this.from.served()) {
      const remote = { address, port: 0 };
      const client: Client = { transport: 'udp', remote, local: { address: '', port: server.port }, server };
      const query = makeQuery({ name: '.', type: Type.A }, new QueryContext(client, clock.monotonic()), random);
      const value = routes.labelOf(query, label);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /**
   * Asks what a client would be answered, without one: nothing is kept of it, it counts under `server="explain"`, and
   * handlers that keep records of queries are passed by. It comes in at the first address, as of plain UDP or TCP.
   */
  inspect(query: Injected, from: InjectedFrom = {}): Promise<Inspection> {
    const [server, routes] = [...this.from.served()][0]!;
    const client = this.clientOf(this.from.addresses.standIn(server), from, query);
    const limit = this.from.queryTime ?? QUERY_TIME;
    return inspect(this.messageOf(query, client), client, routes, { clock: this.from.runtime.clock, limit });
  }

  private clientOf(server: ServerAddress, from: InjectedFrom, query: Injected): Client {
    const transport = from.transport ?? (query instanceof Uint8Array ? undefined : query.transport) ?? 'udp';
    const remote = from.remote ?? { address: '127.0.0.1', port: 0 };
    return { transport, remote, local: { address: '127.0.0.1', port: server.port }, server };
  }

  private messageOf(query: Injected, client: Client): Buffer {
    if (query instanceof Uint8Array) return Buffer.from(query);
    const { clock, random } = this.from.runtime;
    return makeQuery(query, new QueryContext(client, clock.monotonic()), random).bytes;
  }

  private ask(query: Injected, from: InjectedFrom, responder: Responder, done: (answer?: Uint8Array) => void): void {
    const [server, routes] = [...this.from.served()][0]!;
    const client = this.clientOf(server, from, query);
    const now = this.from.runtime.clock.monotonic();
    responder.respond(this.messageOf(query, client), { server, routes }, client, now, {
      prefix: 0,
      send: done,
      dropped: () => done(),
    });
  }
}

const asError = (fault: unknown): Error => (fault instanceof Error ? fault : new Error(String(fault)));
