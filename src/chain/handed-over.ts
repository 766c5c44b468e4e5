/** What a process that ends has kept, by what kept it: whoever takes something deletes it. */
export type HandedOver = Map<string, string>;

/** A handler whose successor in another process can go on with what it keeps. */
export interface HandsOver {
  /** The same for the handler that takes its place; another one for any other of the configuration. */
  readonly keptAs: string;
  /** What it keeps, as text; it stays as it is. */
  handOver(): string;
}

export const handsOver = <T extends object>(handler: T): handler is T & HandsOver =>
  typeof (handler as Partial<HandsOver>).handOver === 'function';
