/** Runs the module at a `file:` address, as Node does. By itself, so that tests can put Node's own in place of theirs. */
export const nodeImport = (url: string): Promise<unknown> => import(url) as Promise<unknown>;
