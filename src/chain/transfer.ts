import { Flag, Rcode, type Name, type Rr } from '../wire/index.js';
import { Reply } from './reply.js';

/**
 * An answer of any number of messages over a connection, in order: a zone (RFC 5936), or what has changed of it (RFC
 * 1995). They are made one by one, as fast as the client takes them, and no more of them once nobody waits: then the
 * iterator is returned from. Handlers that change replies leave it as it is.
 */
export class Transfer {
  /** What stands for it where replies are counted and logged: they are not known yet. */
  readonly head = Reply.empty(Rcode.NOERROR, Flag.AA);

  constructor(readonly messages: Iterable<Reply>) {}
}

/** A zone as another server gets it. */
export interface ZoneTransfer {
  readonly serial: number;
  /**
   * The SOA record, all others, and the SOA record again; in place of the others what has changed (RFC 1995 section
   * 4); the SOA record alone where there is nothing new.
   */
  readonly records: Iterable<Rr>;
}

/** A handler that has whole zones to give. */
export interface TransfersZones {
  /**
   * The zone of this very name, lower-case; undefined when it is not one of this handler's, `unready` while it has no
   * content.
   *
   * @param serial what the client has; undefined when it has nothing
   */
  zoneTransfer(zone: Name, serial: number | undefined): ZoneTransfer | 'unready' | undefined;
}

export const transfersZones = <T extends object>(handler: T): handler is T & TransfersZones =>
  typeof (handler as Partial<TransfersZones>).zoneTransfer === 'function';

/** A handler that tells other servers that a zone has changed (RFC 1996). */
export interface NotifiesServers {
  notify(zone: Name): void;
}

/** Whether a handler tells other servers of changes, and gives them zones. */
export const notifiesServers = <T extends object>(handler: T): handler is T & NotifiesServers =>
  typeof (handler as Partial<NotifiesServers>).notify === 'function';

/** Has the handlers of a block tell other servers that a zone has changed. */
export function notifyServers(block: { handlers(): readonly object[] }, zone: Name): void {
  for (const handler of block.handlers()) if (notifiesServers(handler)) handler.notify(zone);
}
