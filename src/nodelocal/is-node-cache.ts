/**
 * Whether arguments without a command are meant for the node cache: it cannot do without its addresses, and the
 * server has no such flag.
 */
export const isNodeCache = (args: readonly string[]): boolean => args.some((word) => /^--?localip(=|$)/.test(word));
