import https from 'node:https';
import { loadPackage } from '../../lib/package.js';
import type { Milliseconds } from '../../lib/units.js';

const PACKAGE = 'acme-client';
/** How often an authority is asked for what it makes of an order. */
const ASKED_AGAIN: { readonly least: Milliseconds; readonly most: Milliseconds; readonly times: number } = {
  least: 1000,
  most: 15_000,
  times: 12,
};

/** What is used of the package. */
interface AcmePackage {
  readonly Client: new (options: object) => { auto(options: object): Promise<string>; getAccountUrl(): string };
  readonly crypto: {
    createPrivateEcdsaKey(): Promise<Buffer>;
    createCsr(data: {
      readonly commonName: string | undefined;
      readonly altNames: readonly string[];
    }): Promise<[Buffer, Buffer]>;
  };
  readonly axios: {
    readonly defaults: { readonly acmeSettings: { retryMaxAttempts: number } };
    readonly interceptors: { readonly request: { use(change: (request: AxiosRequest) => AxiosRequest): void } };
  };
}

interface AxiosRequest {
  readonly url?: string;
  httpsAgent?: https.Agent;
}

interface Authorization {
  readonly identifier: { readonly value: string };
}

/** An order for a certificate. */
export interface AcmeOrder {
  readonly directory: string;
  readonly hosts: readonly string[];
  readonly email: string | undefined;
  /** Who stands behind the directory's certificate, in PEM form. */
  readonly ca: string | undefined;
  /** In PEM form; a new one is made without it, and given to `keepAccountKey` before it is used. */
  readonly accountKey: string | undefined;
  readonly keepAccountKey: (key: string) => void;
  /** The account's name, where the authority has told it before. */
  readonly accountUrl: string | undefined;
  readonly keepAccountUrl: (url: string) => void;
  /** Has a proof answered for a host's name until the returned function is called. */
  readonly prove: (host: string, proof: string) => () => void;
}

/** Who is to be trusted at which host, for all orders: the package has one HTTP client. */
const agents = new Map<string, https.Agent>();
let prepared: AcmePackage | undefined;

/** Throws an Error that says what to install. */
export function loadAcme(load: (name: string) => unknown = loadPackage): AcmePackage {
  let acme: AcmePackage;
  try {
    acme = load(PACKAGE) as AcmePackage;
  } catch (error) {
    throw new Error(`acme needs the optional package ${PACKAGE}: npm install ${PACKAGE}`, { cause: error });
  }
  if (acme === prepared) return acme;
  // An order that fails is tried again later as a whole.
  acme.axios.defaults.acmeSettings.retryMaxAttempts = 1;
  acme.axios.interceptors.request.use((request) => {
    const agent = request.url === undefined ? undefined : agents.get(new URL(request.url).origin);
    return agent === undefined ? request : Object.assign(request, { httpsAgent: agent });
  });
  return (prepared = acme);
}

/** Orders a certificate with a key of its own. Rejects with an Error that says what the authority said. */
export async function order(
  wanted: AcmeOrder,
  acme = loadAcme(),
): Promise<{ readonly cert: string; readonly key: string }> {
  if (wanted.ca !== undefined) agents.set(new URL(wanted.directory).origin, new https.Agent({ ca: wanted.ca }));
  let { accountKey } = wanted;
  if (accountKey === undefined) {
    accountKey = (await acme.crypto.createPrivateEcdsaKey()).toString();
    wanted.keepAccountKey(accountKey);
  }
  const client = new acme.Client({
    directoryUrl: wanted.directory,
    accountKey,
    accountUrl: wanted.accountUrl,
    backoffMin: ASKED_AGAIN.least,
    backoffMax: ASKED_AGAIN.most,
    backoffAttempts: ASKED_AGAIN.times,
  });
  const [key, csr] = await acme.crypto.createCsr({ commonName: wanted.hosts[0], altNames: wanted.hosts });
  const proofs = new Map<string, () => void>();
  const cert = await client.auto({
    csr,
    email: wanted.email,
    termsOfServiceAgreed: true,
    challengePriority: ['dns-01'],
    // The package would ask this host's resolver, which may know nothing of the name.
    skipChallengeVerification: true,
    challengeCreateFn: ({ identifier }: Authorization, challenge: { readonly type: string }, proof: string) => {
      if (challenge.type !== 'dns-01') throw new Error(`the authority offers no dns-01 for ${identifier.value}`);
      proofs.set(proof, wanted.prove(identifier.value, proof));
      return Promise.resolve();
    },
    challengeRemoveFn: (_authorization: Authorization, _challenge: unknown, proof: string) => {
      proofs.get(proof)?.();
      return Promise.resolve();
    },
  });
  wanted.keepAccountUrl(client.getAccountUrl());
  return { cert, key: key.toString() };
}
