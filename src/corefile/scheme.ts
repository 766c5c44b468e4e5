/** Kinds of listeners that a server block's key may name, and the port of each where the key names none. */
export const SCHEMES = { dns: 53, tls: 853, https: 443, quic: 853, grpc: 443 } as const;

/** `dns` stands where no scheme is written. */
export type Scheme = keyof typeof SCHEMES;

export const isScheme = (text: string): text is Scheme => Object.hasOwn(SCHEMES, text);

/** As messages list them: `dns://, tls://, ...`. */
export const schemeList = (): string =>
  Object.keys(SCHEMES)
    .map((scheme) => `${scheme}://`)
    .join(', ');
