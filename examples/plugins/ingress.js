// @ts-check
/**
 * Names of a cluster's entries from outside: hosts of Ingress objects, and of the Gateway API's HTTPRoute and Gateway,
 * with the addresses of their load balancers.
 */
import { readFileSync } from 'node:fs';
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { isIP } from 'node:net';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const PATHS = {
  ingresses: '/apis/networking.k8s.io/v1/ingresses',
  gateways: '/apis/gateway.networking.k8s.io/v1/gateways',
  routes: '/apis/gateway.networking.k8s.io/v1/httproutes',
};

const options = /** @type {const} */ ({
  zones: { type: 'zones', argument: true, about: 'Zones that hosts must be in to be given.' },
  api: {
    type: 'url',
    default: 'https://kubernetes.default.svc',
    about: 'The API; its own is found from within a pod.',
  },
  token: { type: 'file', default: `${ACCOUNT}/token`, about: 'File with the token, read at each load.' },
  ca: { type: 'file', default: `${ACCOUNT}/ca.crt`, about: "File with the certificate of the API's authority." },
  every: { type: 'duration', default: 10_000, min: 1000, about: 'How often the API is asked.' },
  ttl: { type: 'seconds', default: 60, max: 3600, about: 'TTL of addresses.' },
});

/**
 * @typedef {{ ip?: string; hostname?: string; value?: string }} Address
 * @typedef {{ name: string; namespace?: string }} Reference
 * @typedef {object} Thing an object of one of the three kinds
 * @property {{ name: string; namespace: string }} metadata
 * @property {{ rules?: { host?: string }[]; hostnames?: string[]; parentRefs?: Reference[]; listeners?: { hostname?: string }[] }} [spec]
 * @property {{ loadBalancer?: { ingress?: Address[] }; addresses?: Address[] }} [status]
 */

/** The items of a list; none where the API does not know the kind. @type {(url: URL, files: { token: string; ca: string }, signal: AbortSignal) => Promise<Thing[]>} */
const list = (url, { token, ca }, signal) =>
  new Promise((resolve, reject) => {
    const safe = url.protocol === 'https:';
    const headers = {
      accept: 'application/json',
      ...(safe && { authorization: `Bearer ${readFileSync(token, 'utf8').trim()}` }),
    };
    const asked = (safe ? secure : plain)(
      url,
      { headers, signal, ...(safe && { ca: readFileSync(ca) }) },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => (text += part));
        response.once('error', reject).once('end', () => {
          if (response.statusCode === 404) return resolve([]);
          if (response.statusCode !== 200)
            return reject(new Error(`${url.pathname}: HTTP status ${response.statusCode}`));
          try {
            resolve(JSON.parse(text).items);
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    asked.once('error', reject);
    asked.end();
  });

/** @type {(addresses: Address[] | undefined) => string[]} */
const ips = (addresses = []) => addresses.map(({ ip, value }) => ip ?? value ?? '').filter((text) => isIP(text) !== 0);

/** Addresses by host. @type {(lists: { ingresses: Thing[]; gateways: Thing[]; routes: Thing[] }) => Map<string, string[]>} */
function hostsOf({ ingresses, gateways, routes }) {
  /** @type {Map<string, string[]>} */
  const hosts = new Map();
  const add = (/** @type {(string | undefined)[]} */ names, /** @type {string[]} */ addresses) => {
    for (const name of names)
      if (name !== undefined && addresses.length > 0)
        hosts.set(name, [...new Set([...(hosts.get(name) ?? []), ...addresses])]);
  };
  for (const { spec, status } of ingresses)
    add(
      (spec?.rules ?? []).map(({ host }) => host),
      ips(status?.loadBalancer?.ingress),
    );
  /** @type {Map<string, string[]>} */
  const byGateway = new Map();
  for (const { metadata, spec, status } of gateways) {
    byGateway.set(`${metadata.namespace}/${metadata.name}`, ips(status?.addresses));
    add(
      (spec?.listeners ?? []).map(({ hostname }) => hostname),
      ips(status?.addresses),
    );
  }
  for (const { metadata, spec } of routes)
    for (const { name, namespace = metadata.namespace } of spec?.parentRefs ?? [])
      add(spec?.hostnames ?? [], byGateway.get(`${namespace}/${name}`) ?? []);
  return hosts;
}

/** @type {import('nodens/plugin').Plugin<typeof options>} */
export default {
  name: 'ingress',
  api: 1,
  about: 'answers with the addresses of Ingress and Gateway objects',
  at: { before: 'cache' },
  dependsOn: 'question',
  options,
  example: 'ingress apps.example.org {\n    api http://127.0.0.1:8001\n}',
  setup(block, { zones, api, token, ca, every, ttl }) {
    const table = block.table({
      every,
      load: async ({ signal }) => {
        const [ingresses, gateways, routes] = await Promise.all(
          [PATHS.ingresses, PATHS.gateways, PATHS.routes].map((path) =>
            list(new URL(path, api), { token, ca }, signal),
          ),
        );
        return hostsOf({ ingresses: ingresses ?? [], gateways: gateways ?? [], routes: routes ?? [] });
      },
    });
    return (query, next) => {
      if (!block.contains(query.name, zones)) return next();
      // A wildcard stands for names one label below it (Gateway API and Ingress alike).
      const found = table.get(query.name) ?? table.get(query.name.replace(/^[^.]+/, '*'));
      if (found === undefined) return next();
      return {
        answers: found
          .filter((data) => query.type === (isIP(data) === 6 ? 'AAAA' : 'A'))
          .map((data) => ({ name: query.question.name, type: isIP(data) === 6 ? 'AAAA' : 'A', ttl, data })),
      };
    };
  },
};
