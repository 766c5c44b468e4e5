// @ts-check
/**
 * Names of containers, from the socket of Docker or of what speaks like it, such as `podman system service`:
 * `NAME.ZONE` has the addresses of the running container NAME. Follows containers as they start and stop.
 */
import { request } from 'node:http';
import { isIP } from 'node:net';

const options = /** @type {const} */ ({
  zone: { type: 'name', argument: true, required: true, about: 'The zone of the names.' },
  socket: { type: 'url', default: 'unix:///var/run/docker.sock', about: 'Where the engine listens.' },
  network: { type: 'text', many: true, about: 'Networks whose addresses are given; all without.' },
  ttl: { type: 'seconds', default: 5, max: 3600, about: 'TTL of addresses.' },
});

/**
 * @typedef {{ Names: string[]; NetworkSettings?: { Networks?: Record<string, Endpoint> | null } }} Container
 * @typedef {{ IPAddress?: string; GlobalIPv6Address?: string; Aliases?: string[] | null }} Endpoint
 */

/** A response of the engine, as a stream of text. @type {(socket: string, path: string, signal: AbortSignal) => Promise<AsyncIterable<string>>} */
const get = (socket, path, signal) =>
  new Promise((resolve, reject) => {
    const url = new URL(socket);
    const where = url.protocol === 'unix:' ? { socketPath: url.pathname } : { host: url.hostname, port: url.port };
    const asked = request({ ...where, path, signal }, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        return reject(new Error(`${path}: HTTP status ${response.statusCode}`));
      }
      resolve(response.setEncoding('utf8'));
    });
    asked.once('error', reject);
    asked.end();
  });

/** Names of a container, with its addresses. @type {(container: Container, networks: readonly string[]) => [string[], string[]]} */
function namesOf(container, networks) {
  const all = Object.entries(container.NetworkSettings?.Networks ?? {});
  const some = all.filter(([name]) => networks.length === 0 || networks.includes(name));
  const names = [
    container.Names.map((name) => name.replace(/^\//, '')),
    ...some.map(([, one]) => one.Aliases ?? []),
  ].flat();
  const addresses = some.flatMap(([, one]) => [one.IPAddress ?? '', one.GlobalIPv6Address ?? '']);
  return [names.filter((name) => /^[\w-]+$/.test(name)), addresses.filter((address) => isIP(address) !== 0)];
}

/** @type {import('nodens/plugin').Plugin<typeof options>} */
export default {
  name: 'containers',
  api: 1,
  about: 'answers with the addresses of containers',
  at: { before: 'cache' },
  dependsOn: 'question',
  options,
  example: 'containers docker.test {\n    socket unix:///run/podman/podman.sock\n}',
  setup(block, { zone, socket, network, ttl }) {
    const table = block.table({
      every: 60_000,
      load: async ({ signal }) => {
        let text = '';
        for await (const part of await get(socket, '/containers/json', signal)) text += part;
        /** @type {Map<string, string[]>} */
        const found = new Map();
        for (const container of /** @type {Container[]} */ (JSON.parse(text))) {
          const [names, addresses] = namesOf(container, network);
          for (const name of names)
            found.set(`${name}.${zone}`, [...(found.get(`${name}.${zone}`) ?? []), ...addresses]);
        }
        return found;
      },
    });
    follow(block, socket, () => table.reload());
    return (query, next) => {
      if (!block.contains(query.name, [zone])) return next();
      const addresses = table.get(query.name);
      if (addresses === undefined) return { rcode: 'NXDOMAIN', authorities: [soa(zone, ttl)] };
      const answers = addresses
        .filter((data) => query.type === (isIP(data) === 6 ? 'AAAA' : 'A'))
        .map(
          (data) =>
            /** @type {const} */ ({ name: query.question.name, type: isIP(data) === 6 ? 'AAAA' : 'A', ttl, data }),
        );
      return answers.length > 0 ? { answers } : { authorities: [soa(zone, ttl)] };
    };
  },
};

/**
 * Says at each event of a container that there was one, until the configuration ends. An engine that goes away is asked
 * again a second later.
 *
 * @type {(block: import('nodens/plugin').PluginBlock, socket: string, changed: () => unknown) => void}
 */
function follow(block, socket, changed) {
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'] }));
  const listen = async () => {
    try {
      for await (const _event of await get(socket, `/events?filters=${filters}`, block.signal)) changed();
    } catch {
      // The table says what is wrong with the engine.
    }
    block.setTimeout(() => void listen(), 1000);
  };
  block.onStart(() => void listen());
}

/** Lets who asks keep that there is nothing (RFC 2308 section 5). @type {(zone: string, ttl: number) => import('nodens/plugin').ResourceRecord} */
const soa = (zone, ttl) => ({
  name: zone,
  type: 'SOA',
  ttl,
  data: {
    mname: `ns.${zone}`,
    rname: `hostmaster.${zone}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttl,
  },
});
