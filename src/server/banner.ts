import type { ServerAddress } from '../chain/index.js';
import type { Routes } from './routes.js';

/** Names of hosts as RFC 1035 section 2.3.1 prefers them. */
const PREFERRED = /^([a-z]([a-z0-9-]*[a-z0-9])?\.)+$/i;

/** The lines that tell what is served where: `zone:port on address`, zones in alphabetical order under each address. */
export function bannerLines(served: ReadonlyMap<ServerAddress, Routes>): string[] {
  return [...served].flatMap(([server, routes]) =>
    routes.zones.sort().flatMap((zone) => {
      const scheme = server.scheme === 'dns' ? '' : `${server.scheme}://`;
      const line = `${scheme}${zone}:${server.port}${server.address === '' ? '' : ` on ${server.address}`}`;
      return isPreferred(zone) ? [line] : [`Warning: Domain "${zone}" does not follow RFC1035 preferred syntax`, line];
    }),
  );
}

const isPreferred = (zone: string): boolean => zone === '.' || zone.endsWith('.arpa.') || PREFERRED.test(zone);
